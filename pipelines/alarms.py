"""One round of incidents: find, keep, queue, deliver. The receiver's failures are reported, and fail nothing."""

from dataclasses import dataclass

from warehouse.incidents import finding, webhooks
from warehouse.incidents.webhooks import Delivered
from warehouse.store import Store


@dataclass(frozen=True)
class Alarms:
    """What a round found and told."""

    found: int
    opened: int
    resolved: int
    delivered: Delivered

    def metadata(self) -> dict[str, int | str]:
        """Return it as Dagster shows it."""
        told = {"events_delivered": self.delivered.sent, "events_waiting": self.delivered.waiting}
        error = {"webhook_error": self.delivered.error} if self.delivered.error else {}
        return {"incidents": self.found, "opened": self.opened, "resolved": self.resolved, **told, **error}


def find_and_tell(store: Store) -> Alarms:
    """Find incidents anew, store what changed, and tell the webhook of it and of what still waits."""
    found, now = finding.find(store), store.settings.now()
    with store.database.connect() as connection:
        changes = finding.keep(connection, found, now)
        if store.settings.incidents.webhook:
            webhooks.queue(connection, changes, now)
    events = [change.event for change in changes]
    return Alarms(found.height, events.count("opened"), events.count("resolved"), tell(store))


def tell(store: Store) -> Delivered:
    """Deliver what waits for the webhook, if there is one."""
    if store.settings.incidents.webhook is None:
        return Delivered()
    with store.database.connect() as connection:
        return webhooks.deliver(connection, store.settings.incidents.webhook, store.settings.now())
