"""What alerts may be asked for by: names of standards, owners and providers, and ids."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.alerts import CaseChange, IndicatorChange
from schemas.receivers import Smtp, named_receivers
from schemas.settings import Settings
from streams.alerts.actions import NotPossible
from streams.state.open_alerts import begun_with, open_changes, owners_known
from streams.state.reading import cases_there

DIGITS = 20


async def whole_id(redis: Redis, deployment: str, digits: str) -> str:
    """The id of the one active alert that begins so; a whole one as it is. Raises NotPossible."""
    if len(digits) == DIGITS:
        return digits
    found = await begun_with(redis, deployment, digits)
    if len(found) != 1:
        has = f"begins the ids {', '.join(found)}" if found else "begins no active alert's id"
        raise NotPossible(f"{digits} {has}: see `caseline alerts list`")
    return found[0]


async def unknown_cases(
    redis: Redis, deployment: str, rules: Rules, cases: frozenset[str]
) -> list[str]:
    """Those of some cases that are misspelt: no alert on them is active, and no event is of them.

    Of a case without an active alert every record is read, for it may well be there.
    """
    if not cases:
        return []
    active = await open_changes(redis, deployment)
    quiet = cases - {it.case for it in active if isinstance(it, CaseChange)}
    there = await cases_there(redis, deployment, rules, quiet) if quiet else frozenset()
    return sorted(quiet - there)


class KnownNames(NamedTuple):
    """What alerts may be asked for by; what is not among it is misspelt."""

    standards: list[str]
    owners: list[str]
    providers: list[str]


async def names_known(
    redis: Redis,
    settings: Settings,
    rules: Rules,
    active: Sequence[CaseChange | IndicatorChange] | None = None,
) -> KnownNames:
    """The standards; and owners and providers, those of any alert there ever was among them.

    The alerts that are active are read where they are not given.
    """
    standards = rules.standards
    changes = await open_changes(redis, settings.deployment) if active is None else active
    there = await owners_known(redis, settings.deployment, changes)
    codes = [it.code for it in standards.standard]
    codes += [it.code for it in standards.indicator_standard]
    providers = {*standards.providers, *there["provider"]}
    with suppress(ValueError, OSError):  # whoever tells of alerts says what is wrong with the file
        for receiver in named_receivers(settings.receivers_file):
            boxes = receiver.mailbox if isinstance(receiver, Smtp) else ()
            there["owner"] |= {*(it.owner for it in boxes), *receiver.owners}
    alerted = {it.standard for it in changes}
    return KnownNames(
        [*codes, *sorted(alerted - set(codes))],
        sorted({*rules.areas.names, *providers, *there["owner"]}),
        sorted(providers),
    )
