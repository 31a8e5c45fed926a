"""A release put together: from a request, the chain so far, a cut, and the log's evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from processors.figures.rating import later_targets
from processors.rules import Rules
from schemas.catalogue import Catalogue
from schemas.places import NO_PLACES
from schemas.release import FORMAT, Change, Release
from snapshots.checking.differences import Explanation, differences
from snapshots.checking.evidence import Evidence, known_of
from snapshots.checking.question import LogQuestion
from snapshots.checking.reconciliation import check_equal, check_same_events
from snapshots.making.freeze import Cut, as_of_period, calendar_version, commentary, frozen_cells
from snapshots.recount.days import bank_holidays
from snapshots.releases.chain import Request, Sealed, standing


@dataclass(frozen=True)
class Draft:
    """A release that is being made, from before the log is asked to when it has answered."""

    request: Request
    released_on: date
    rules: Rules
    chain: Sequence[Sealed]
    cut: Cut

    @property
    def as_of(self) -> date:
        """The date its figures are of."""
        return as_of_period(self.request.period)

    @property
    def catalogue(self) -> Catalogue:
        """What is released, and what it rests on."""
        return self.rules.catalogue.released

    @property
    def question(self) -> LogQuestion:
        """What the log has to be asked to sign it."""
        rules, since = self.rules, self._before.cut if self._before else None
        return LogQuestion(
            self.catalogue,
            rules.areas,
            self.as_of,
            self.cut.positions,
            since,
            places=rules.places,
            passed_over=self.cut.passed_over,
            erased=rules.erased,
        )

    @property
    def notes(self) -> list[str]:
        """What whoever makes it should know: targets that are dated too late to count."""
        return [
            f"{it.code} {it.area}: a target of {it.value:g} set on {it.on} is after {self.as_of}, "
            "and is left out"
            for it in later_targets(self.cut.reference, self.rules.areas, self.as_of)
        ]

    def release(self, evidence: Evidence) -> Release:
        """The release, reconciled with the log.

        Raises snapshots.releases.release_failures.NotReconciled.
        """
        catalogue, areas = self.catalogue, self.rules.areas
        check_same_events(self.cut.reference, known_of(evidence.reference))
        cells = frozen_cells(self.rules, self.as_of, self.cut)
        check_equal(cells, evidence.cells)
        return Release(
            format=FORMAT,
            period=self.request.period,
            number=len(self.chain) + 1,
            kind=self.request.kind,
            as_of=self.as_of,
            released_on=self.released_on,
            author=self.request.author,
            reason=self.request.reason,
            previous_release=self.chain[-1].sha256 if self.chain else None,
            catalogue_version=catalogue.version,
            calendar_version=calendar_version(),
            direction_scheme=catalogue.direction,
            indicators=catalogue.indicator,
            areas=areas,
            age_bands=tuple(dict.fromkeys(cell.age_band for cell in cells)),
            cut=self.cut.positions,
            cells=tuple(cells),
            commentary=commentary(self.cut.reference, areas, self.request.period),
            quality={**evidence.quality, **self.cut.lost},
            changes=self._changes(evidence),
            measures=catalogue.measure,
            bank_holidays=bank_holidays(self.as_of),
            rag_scheme=catalogue.rag,
            relations=catalogue.relation,
            places=self.rules.places if catalogue.rests_on_places else NO_PLACES,
            passed_over=self.cut.passed_over,
            schemes=catalogue.scheme,
            targets=catalogue.target,
        )

    @property
    def _before(self) -> Release | None:
        """The release that it replaces, unless that was withdrawn."""
        stand = standing(self.chain)
        return stand[-1].release if stand else None

    def _changes(self, evidence: Evidence) -> tuple[Change, ...]:
        """The cells that differ from the release before, and why; none in a first release."""
        before = self._before
        if before is None:
            return ()
        explanation = Explanation(
            self.catalogue,
            self.rules.areas,
            self.as_of,
            evidence,
            before.cut,
            self.rules.places,
        )
        return explanation.changes(differences(before.cells, evidence.cells))


def withdrawal(chain: Sequence[Sealed], request: Request, released_on: date) -> Release:
    """The release that takes back those before it: it has no figures, and says who and why."""
    last = chain[-1]
    return last.release.model_copy(
        update={
            "format": FORMAT,
            "number": len(chain) + 1,
            "kind": request.kind,
            "released_on": released_on,
            "author": request.author,
            "reason": request.reason,
            "previous_release": last.sha256,
            "cells": (),
            "commentary": (),
            "quality": {},
            "changes": (),
        }
    )
