"""Which comments differ between two releases of a period."""

from dataclasses import dataclass

from schemas.release import Release


@dataclass(frozen=True)
class ChangedComment:
    """What people wrote of a figure or an area, where it is not what it was before."""

    area: str
    code: str | None
    before: str
    after: str

    @property
    def about(self) -> str:
        """What it is about."""
        return f"{self.area}, {self.code}" if self.code else self.area


def changed_comments(before: Release, after: Release) -> list[ChangedComment]:
    """The comments that are others, new, or gone, in the order in which they stand."""
    was, now = (_said(one) for one in (before, after))
    return [
        ChangedComment(area, code, was.get((area, code), ""), now.get((area, code), ""))
        for area, code in dict.fromkeys([*now, *was])
        if was.get((area, code)) != now.get((area, code))
    ]


def _said(release: Release) -> dict[tuple[str, str | None], str]:
    found: dict[tuple[str, str | None], str] = {}
    for note in release.commentary:
        said = f"{note.text} ({note.author_role})"
        about = note.area, note.code
        found[about] = f"{found[about]}\n{said}" if about in found else said
    return found
