"""The API answers as its own description says, whatever is asked of it (Schemathesis)."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as searching
from redis.asyncio import Redis
from schemathesis import Case, Config, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import unsupported_method

from processors.rules import Rules
from schemas.settings import Settings
from streams.serving.roles import ROUTES, Role
from streams.serving.tokens import Tokens
from tests.support.patience import SECONDS
from tests.support.serving_process import serving
from tests.support.stored_state import StoredState
from tests.support.workers import CommandLine

Operation = APIOperation[Any, Any, Any, Any]

pytestmark = pytest.mark.services

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2017, 6, 30, 12, tzinfo=UTC)
# For each way in which a route is tried; the same every time.
EXAMPLES = 6
# A page that there is not of a list, a figure that is not of that place: each parameter may be
# right, and all of them together not.
MAY_BE_REFUSED = ["2xx", "3xx", "400", "404", "409", "422"]
# A batch with one event that is none is taken but for that.
MAY_BE_TAKEN = ["400", "404", "405", "415", "422", "207"]


def config(address: str, authorization: str) -> Config:
    return Config.from_dict(
        {
            "seed": 1,
            # As a page from there sends it, without which no form is believed.
            "headers": {"Authorization": authorization, "Origin": address},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": MAY_BE_REFUSED},
                "negative_data_rejection": {"expected-statuses": MAY_BE_TAKEN},
            },
            # It makes a query without looking at the figures, which alone know names of places.
            "operations": [
                {
                    "include-path": "/connect",
                    "checks": {"negative_data_rejection": {"enabled": False}},
                }
            ],
        }
    )


@pytest.fixture(scope="module")
def described(
    shared: CommandLine, rules: Rules, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BaseSchema]:
    """The description as it is served to one who has every role."""
    settings = shared.settings
    StoredState(settings, rules).add_file(DATA / "all-21.jsonl.gz")
    folder = tmp_path_factory.mktemp("serving")
    limits = {"questions_a_minute": "0", "refused_sign_ins_a_minute": "0"}
    with serving(settings, NOW, folder, sign_in="token", **limits) as (_, address):
        token = asyncio.run(token_of_all_roles(settings))
        yield (
            schemathesis.openapi.from_url(
                f"{address}/api/v1/openapi.json",
                config=config(address, f"Bearer {token}"),
                headers={"Authorization": f"Bearer {token}"},
                wait_for_schema=SECONDS,
                # A stream has no end, and HEAD is answered as GET is.
            )
            .exclude(operation_id="get-stream")
            .exclude(method="HEAD")
        )


async def token_of_all_roles(settings: Settings) -> str:
    async with Redis.from_url(settings.redis_url) as redis:
        roles: list[Role] = [it for it in Role if it is not Role.NOBODY]
        tokens = Tokens(redis, settings.deployment)
        return (await tokens.create("all", roles, ["Kent"], NOW, timedelta(days=1))).text


def asked(operation: Operation, mode: GenerationMode) -> None:
    """Ask an operation what its description allows, or does not."""

    @given(operation.as_strategy(generation_mode=mode))
    @searching(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(excluded_checks=[unsupported_method])  # which another test asks

    ask()


def test_every_answer_is_as_the_description_says(described: BaseSchema) -> None:
    failed: list[str] = []
    count = 0
    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in GenerationMode:
            if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
                continue
            count += 1
            try:
                asked(operation, mode)
            except FailureGroup as failures:
                failed += [f"{operation.label} {mode.value}: {it}" for it in failures.exceptions]
    assert not failed, "\n\n".join(failed)
    assert count > len(ROUTES)


def _takes_anything(operation: Operation) -> bool:
    return bool([*operation.query, *operation.path_parameters, *operation.body])
