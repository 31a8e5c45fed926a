"""What a release was worked out with, as it keeps it: its catalogue, and its bank holidays.

So a release can be computed again from the log alone, whatever catalogue and calendar this version
of Caseline has.
"""

from datetime import date

from schemas.catalogue import Catalogue
from schemas.release import Release
from snapshots.checking.question import LogQuestion
from snapshots.recount.days import bank_holidays
from snapshots.releases.release_failures import NotAllowed

# The format from which a figure that others worked out is released where nothing is counted.
WITH_SUPPLIED = 5


def catalogue_of(release: Release, present: Catalogue) -> Catalogue:
    """The catalogue that a release was made with.

    Format 1 kept no measures, so of such a release it is the present one, if that is the same.
    Raises NotAllowed if not.
    """
    if release.measures:
        return Catalogue(
            direction=release.direction_scheme,
            rag=release.rag_scheme,
            measure=release.measures,
            indicator=release.indicators,
            relation=release.relations,
            scheme=release.schemes,
            target=release.targets,
            version=release.catalogue_version,
        )
    if release.catalogue_version == present.version:
        return present.released
    raise NotAllowed(
        f"made with catalogue {release.catalogue_version}, which a release of format 1 does not "
        f"keep, while this is {present.version}: name that one with CASELINE_CATALOGUE_FILE"
    )


def question_of(release: Release, present: Catalogue, since: Release | None = None) -> LogQuestion:
    """What the log has to be asked to compute a release again, and why it moved since another.

    Raises NotAllowed when the catalogue is not known.
    """
    return LogQuestion(
        catalogue_of(release, present),
        release.areas,
        release.as_of,
        release.cut,
        since.cut if since else None,
        _bank_holidays_of(release),
        release.places,
        release.passed_over,
        takes_supplied=release.format >= WITH_SUPPLIED,
    )


def _bank_holidays_of(release: Release) -> tuple[date, ...]:
    return release.bank_holidays or bank_holidays(release.as_of)
