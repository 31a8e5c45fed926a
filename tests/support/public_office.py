"""An office that publishes small releases in public, its topic in memory."""

from datetime import date
from pathlib import Path

from schemas.catalogue import load_catalogue
from schemas.release import Commentary, Release
from schemas.settings import Settings
from snapshots.disclosure.public import PublicRelease
from snapshots.disclosure.public_record import record_of
from snapshots.disclosure.record_folder import RecordFolder, record_problems
from snapshots.publish.writing import PublicationFormat
from snapshots.releases.chain import seal
from snapshots.releases.folder import ReleaseFolder
from streams.jobs.publishing import AskedRelease, PublicChoice, Publishing
from tests.support.disclosing import step_downs
from tests.support.record_topic import RecordTopic

TODAY = date(2015, 12, 1)


class Office:
    """Releases in a folder, and their publication."""

    def __init__(self, root: Path, topic: RecordTopic) -> None:
        self.root, self.topic = root, topic
        self.releases, self.site = root / "releases", root / "site"
        self.releases.mkdir()
        self.told: list[str] = []
        self.publishing = Publishing(
            Settings(releases=self.releases), load_catalogue(), TODAY, self.told.append
        )

    def release(self, release: Release) -> None:
        before = ReleaseFolder(self.releases).read(release.period)
        chained = {"previous_release": before[-1].sha256 if before else None}
        ReleaseFolder(self.releases).write(seal(release.model_copy(update=chained)))

    def asked(self, period: str = "2015-10", number: int | None = None) -> AskedRelease:
        return AskedRelease(period, number, self.site, [PublicationFormat.JSON])

    def publish(self, period: str = "2015-10", choice: PublicChoice | None = None) -> None:
        self.publishing.public(self.asked(period), choice or PublicChoice())

    @property
    def folder(self) -> RecordFolder:
        return RecordFolder(self.releases)

    def kept(self) -> dict[str, PublicRelease]:
        return record_of(self.folder.texts()).let_out

    def problems(self) -> list[str]:
        folder = ReleaseFolder(self.releases)
        names = [name for period in folder.periods() for name in folder.names(period)]
        hashes = {name: sealed.sha256 for name in names for sealed in folder.read(name[:7])}
        hashes = {it.name: it.sha256 for name in names for it in folder.read(name[:7])}
        return list(record_problems(self.folder, self.topic.entries, hashes))


def talkative(text: str, area: str = "Alder", code: str | None = "EH04") -> Release:
    """A release with a comment of one of its places."""
    note = Commentary(code=code, area=area, author_role="Manager", text=text)
    return step_downs(Alder_04=4).model_copy(update={"commentary": (note,)})
