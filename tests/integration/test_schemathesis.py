"""The served endpoint keeps what its OpenAPI document says, for generated requests that fit it and that do not."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, CheckFunction, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.integration.endpoint import KEY
from tests.integration.provider_stubs import answering
from tests.integration.tracker import ALICE, tracking
from warehouse.settings import StorageSettings

BATCH = "/v1/sessions/batch"
TIMEOUT_S = 5
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SHORT = settings(BOUNDED, max_examples=8)
"""For routes that ask Postgres."""
TRACKER = {"Authorization": f"Basic {base64.b64encode(':'.join(ALICE).encode()).decode()}"}


@pytest.fixture
def client(storage: StorageSettings) -> Iterator[httpx.Client]:
    with answering() as providers, tracking(storage, providers) as opened:
        yield opened


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation(client: httpx.Client, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    assert len(operations) >= 5
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not operation.body:
            continue  # nothing of it can be wrong

        @given(case=operation.as_strategy(generation_mode=mode))
        @(SHORT if "tracker" in operation.tags else BOUNDED)
        def answers_as_documented(case: Case[Any]) -> None:
            # A schema cannot say all that is refused; a batch is answered 200 with its refusals listed.
            unjudged: list[CheckFunction] = [positive_data_acceptance]
            if case.path == BATCH:
                unjudged.append(negative_data_rejection)
            headers = TRACKER if "tracker" in case.operation.tags else KEY
            case.call_and_validate(headers=headers, timeout=TIMEOUT_S, excluded_checks=unjudged)

        answers_as_documented()
    assert client.get("/health").json() == {"status": "healthy"}
