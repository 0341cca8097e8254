"""What stops a look-up on its way, and the result that it becomes; none is raised out of the package."""

import math

from warehouse.providers.results import Failed, Kind


class ProviderFailure(Exception):  # noqa: N818 # named as the result that it becomes
    """No usable answer. The message never holds a URL, a header or a body: those hold keys."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None, for_all: bool = False) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.for_all = for_all
        """Whether any other id would fail the same way."""


class Refused(ProviderFailure):
    """An answer that may be due to one of the ids that were asked for together."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None, blames_id: bool = False) -> None:
        super().__init__(reason, retry_after_s=retry_after_s)
        self.blames_id = blames_id
        """Whether the provider says so, by a 400."""


def failed(kind: Kind, one: int | str, failure: ProviderFailure) -> Failed:
    """Return what a failure means for one id."""
    wait_s = failure.retry_after_s
    return Failed(kind, one, str(failure), None if wait_s is None else math.ceil(wait_s))
