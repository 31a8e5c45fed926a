"""The command that publishes a release: pages, a PDF, a spreadsheet, open data and JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.catalogue import Catalogue
from schemas.release import Release
from snapshots.releases.access import Access
from snapshots.releases.failures import NotAllowed, ReleaseError
from snapshots.releases.folder import ReleaseFolder
from streams.terminal.commands.releases import NumberOption, checked_period
from streams.terminal.console import err, explained, fail, settings_and_rules

if TYPE_CHECKING:
    from snapshots.disclosure.suppression import Rule
    from snapshots.publish.text.view import View
    from snapshots.releases.chain import Sealed

FORMATS = ("html", "pdf", "xlsx", "csv", "json")
EVERY_FORMAT = ",".join(FORMATS)
# Months before the period whose releases are shown in trends.
MONTHS_BACK = 12

PeriodOption = Annotated[
    str,
    typer.Option("--period", metavar="MONTH", help="Such as 2015-10.", callback=checked_period),
]
ToOption = Annotated[
    Path, typer.Option("--to", file_okay=False, help="The folder to publish into.", metavar="DIR")
]
FormatsOption = Annotated[
    str, typer.Option("--formats", metavar="LIST", help="Which, with commas between.")
]
ProfileOption = Annotated[
    str,
    typer.Option("--profile", metavar="internal|public", help="For whom: public suppresses."),
]
ThresholdOption = Annotated[
    int, typer.Option("--threshold", min=1, help="Public: counts up to this are suppressed.")
]
ZerosOption = Annotated[
    bool, typer.Option("--zeros/--no-zeros", help="Public: whether zeros are shown.")
]
CheckedOption = Annotated[
    bool,
    typer.Option(
        "--commentary-checked",
        help="Public: someone has read the small numbers in the commentary, and they may go out.",
    ),
]


def publish(
    period: PeriodOption,
    to: ToOption,
    number: NumberOption = None,
    formats: FormatsOption = EVERY_FORMAT,
    profile: ProfileOption = "internal",
    threshold: ThresholdOption = 5,
    zeros: ZerosOption = True,
    commentary_checked: CheckedOption = False,
) -> None:
    """Publish a release: everything into DIR/MONTH-NUMBER-PROFILE, whole or not at all.

    The same releases give the same bytes each time. In the public profile small numbers are
    suppressed, and whatever would reveal them, also through what was published before; so what
    goes out is kept in the releases folder, and must be.
    """
    # Imported here: spreadsheets and templates are slow to load, and no other command needs them.
    from snapshots.publish.text.view import View
    from snapshots.publish.writing import Format, publish

    chosen = _chosen_formats(formats)
    if profile not in ("internal", "public"):
        raise typer.BadParameter(f"{profile}: a profile is internal or public")
    settings, rules = settings_and_rules()
    with explained():
        try:
            sealed, others = _releases(settings.releases, period, number)
            release = sealed.release
            if profile == "public":
                view = _public_view(
                    release,
                    others,
                    rules.catalogue,
                    settings.releases,
                    (threshold, zeros, commentary_checked),
                )
            else:
                view = View(release, others, stored=sealed.text)
            access = Access.of(settings.releases_readers)
            written = publish(view, to, [Format(each) for each in chosen], access)
        except ReleaseError as error:
            fail(str(error))
    for path in written:
        if path.name == "index.html" or path.parent.name != "html":
            err.print(str(path), markup=False, soft_wrap=True, style="bold")
    err.print(f"{len(written)} files published.")


def _chosen_formats(text: str) -> list[str]:
    chosen = [each.strip() for each in text.split(",") if each.strip()]
    unknown = sorted(set(chosen) - set(FORMATS))
    if unknown or not chosen:
        raise typer.BadParameter(f"formats are some of {', '.join(FORMATS)}")
    return chosen


def _releases(root: Path, period: str, number: int | None) -> tuple["Sealed", list[Release]]:
    """The release asked for, and every other one that its publication may show."""
    from snapshots.publish.text.wording import month_before

    folder = ReleaseFolder(root)
    first = month_before(period, MONTHS_BACK)
    shown = [month for month in folder.periods() if first <= month <= period]
    found = [sealed for month in shown for sealed in folder.read(month)]
    own = [each for each in found if each.release.period == period]
    wanted = [each for each in own if number in (None, each.release.number)]
    if not wanted:
        which = f"release {number} of {period}" if number else f"release of {period}"
        raise NotAllowed(f"there is no {which}: `caseline snapshot list` shows what there is")
    return wanted[-1], [each.release for each in found if each is not wanted[-1]]


def _public_view(
    release: Release,
    others: Sequence[Release],
    catalogue: Catalogue,
    root: Path,
    choices: tuple[int, bool, bool],
) -> "View":
    """What may go out of a release, worked out once and kept before it goes out."""
    from snapshots.checking.made_with import catalogue_of
    from snapshots.disclosure.disclose import disclose
    from snapshots.disclosure.public import Issued
    from snapshots.disclosure.suppression import Rule
    from snapshots.publish.public_profile import LetOut, PublicFolder
    from snapshots.publish.text.view import View

    threshold, zeros, commentary_checked = choices
    rule = Rule(threshold=threshold, zeros_shown=zeros)
    if not commentary_checked:
        _point_out_small_numbers(release, rule)
    store = PublicFolder(root)
    out = {(each.period, each.number): each for each in store.read()}
    if (release.period, release.number) not in out:
        known = {(each.period, each.number): each for each in _all_releases(root)}
        issued = [Issued(known[name], public) for name, public in out.items() if name in known]
        disclosed = disclose(release, catalogue_of(release, catalogue).measure, rule, issued)
        _tell_weaknesses(len(disclosed.exposed), len(disclosed.narrow))
        store.write(disclosed.public)
        out[release.period, release.number] = disclosed.public
    went_out = [each for each in others if (each.period, each.number) in out]
    return View(release, went_out, "public", LetOut(out.values(), rule))


def _all_releases(root: Path) -> list[Release]:
    folder = ReleaseFolder(root)
    return [sealed.release for month in folder.periods() for sealed in folder.read(month)]


def _point_out_small_numbers(release: Release, rule: "Rule") -> None:
    """Stop before commentary, or a reason, with small numbers goes out. Raises NotAllowed."""
    from snapshots.disclosure.commentary import small_numbers_in

    texts = [("reason", release.reason)]
    texts += [(f"{it.area}, {it.code or 'headline'}", it.text) for it in release.commentary]
    found = [
        f"  {where}: “{small.text}” in “… {small.context} …”"
        for where, text in texts
        for small in small_numbers_in(text, rule)
    ]
    if found:
        raise NotAllowed(
            "the commentary or the reason has small numbers, which may point to a child:\n"
            + "\n".join(found)
            + "\nRead them; if they may go out, say --commentary-checked"
        )


def _tell_weaknesses(exposed: int, narrow: int) -> None:
    if exposed:
        err.print(f"{exposed} small counts could already be worked out from earlier releases.")
    if narrow:
        err.print(f"{narrow} small counts keep fewer possible values than the rule asks for.")
