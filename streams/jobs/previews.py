"""What a publication would let out, as data: for a person who is to decide, before it does."""

from schemas.release import Frozen
from snapshots.disclosure.public import Left, PublicChange
from snapshots.disclosure.suppression import Reason, Rule


class StoppedWords(Frozen):
    """A text that nobody has accepted: of which release, which one, what it is, and for what.

    `found` names each figure that it is stopped for; of many only the first.
    """

    release: str
    number: int
    where: str
    found: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """It in words, a line for each figure."""
        return [f"  text {self.number} ({self.where}): {it}" for it in self.found]


class Withheld(Frozen):
    """A cell that would be suppressed, and why; None where that was decided before and not kept."""

    code: str
    area: str
    age_band: str
    level: str = ""
    reason: Reason | None


class Preview(Frozen):
    """What a publication would let out, for who is to decide whether it goes out.

    `sha256` is of all that goes out: `Publishing.public` is given it back, and refuses where
    anything has moved since. `since` is the release of the month that went out last before, and
    `changes` what the publication lists as changed since; so many more are `unlisted`. Of a
    withdrawal there are no figures.
    """

    period: str
    number: int
    kind: str
    release_sha256: str
    sha256: str
    is_out: bool
    rule: Rule
    cells: int = 0
    withheld: tuple[Withheld, ...] = ()
    narrow: tuple[Left, ...] = ()
    exposed: tuple[Left, ...] = ()
    texts: tuple[StoppedWords, ...] = ()
    since: str | None = None
    changes: tuple[PublicChange, ...] = ()
    unlisted: int = 0
