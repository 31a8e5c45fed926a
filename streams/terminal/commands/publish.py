"""Commands that publish a release, and that accept a text of it: the use case is streams.jobs'."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from processors.rules import Rules
from schemas.settings import Settings
from streams.terminal.commands.releases import NameArgument, NumberOption, checked_period
from streams.terminal.console import err, explained, settings_and_rules, the_clock

if TYPE_CHECKING:
    from streams.jobs.publishing import Publishing

FORMATS = ("html", "pdf", "xlsx", "csv", "json")
EVERY_FORMAT = ",".join(FORMATS)

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
    int | None,
    typer.Option(
        "--threshold",
        min=1,
        metavar="N",
        help="Public: counts up to this are suppressed. It holds for all releases of a month.",
        show_default="5",
    ),
]
ZerosOption = Annotated[
    bool | None,
    typer.Option(
        "--zeros/--no-zeros", help="Public: whether zeros are shown.", show_default="zeros"
    ),
]
NarrowOption = Annotated[
    str | None,
    typer.Option(
        "--accept-narrow",
        metavar="NAME",
        help="Public: who takes it upon themselves that some small counts keep fewer possible "
        "values than the rule asks for. It is kept.",
    ),
]
TextOption = Annotated[
    int, typer.Option("--text", min=0, metavar="N", help="Which text, as `publish` numbers them.")
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who has read it.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why it tells nothing that is withheld.")
]


def publish(
    period: PeriodOption,
    to: ToOption,
    number: NumberOption = None,
    formats: FormatsOption = EVERY_FORMAT,
    profile: ProfileOption = "internal",
    threshold: ThresholdOption = None,
    zeros: ZerosOption = None,
    accept_narrow: NarrowOption = None,
) -> None:
    """Publish a release: everything into DIR/MONTH-NUMBER-PROFILE, whole or not at all.

    The same releases give the same bytes each time. In the public profile small numbers are
    suppressed, and whatever would reveal them, also through what was published before; so what
    goes out is put into the public record first, in the releases folder and in Kafka, and nothing
    goes out without it. Internal and public publications need folders of their own. What was
    withdrawn is replaced by a notice.
    """
    # Imported here: spreadsheets and templates are slow to load, and no other command needs them.
    from snapshots.publish.writing import PublicationFormat
    from streams.jobs.publishing import AskedRelease, PublicChoice

    chosen = _chosen_formats(formats)
    if profile not in ("internal", "public"):
        raise typer.BadParameter(f"{profile}: a profile is internal or public")
    settings, rules = settings_and_rules()
    asked = AskedRelease(period, number, to, [PublicationFormat(each) for each in chosen])
    with explained():
        if profile == "public":
            choice = PublicChoice(threshold, zeros, accept_narrow)
            written = _publishing(settings, rules, the_clock(settings).today()).public(
                asked, choice
            )
        else:
            written = _publishing(settings, rules, date.min).internal(asked)
    for path in written:
        if path.name.startswith("index") or path.parent.name != "html":
            err.print(str(path), markup=False, soft_wrap=True, style="bold")
    err.print(f"{len(written)} files published.")


def accept(release: NameArgument, text: TextOption, by: ByOption, reason: ReasonOption) -> None:
    """Keep that a person has read a text of a release, and that it may go out as it stands.

    For one text of one release, where `publish` stops it for a figure that is of something else.
    """
    settings, rules = settings_and_rules()
    with explained():
        _publishing(settings, rules, the_clock(settings).today()).accept(release, text, by, reason)
    err.print(f"{release}: text {text} may go out, {by} says.", markup=False, soft_wrap=True)


def _publishing(settings: Settings, rules: Rules, today: date) -> "Publishing":
    from streams.jobs.publishing import Publishing

    def tell(text: str) -> None:
        err.print(text, style="yellow", markup=False, soft_wrap=True)

    return Publishing(settings, rules.catalogue, today, tell)


def _chosen_formats(text: str) -> list[str]:
    chosen = [each.strip() for each in text.split(",") if each.strip()]
    unknown = sorted(set(chosen) - set(FORMATS))
    if unknown or not chosen:
        raise typer.BadParameter(f"formats are some of {', '.join(FORMATS)}")
    return chosen
