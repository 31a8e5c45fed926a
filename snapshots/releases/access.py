"""Who may read what lies on disk unsuppressed: its owner alone, unless told otherwise."""

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path

from schemas.settings import Readers


class Access(Enum):
    """Permissions of folders and of files."""

    OWNER = (0o700, 0o600)
    GROUP = (0o750, 0o640)
    EVERYONE = (0o755, 0o644)

    @classmethod
    def of(cls, readers: Readers) -> "Access":
        """The permissions that let in whom the setting names."""
        return cls[readers.upper()]

    @property
    def folder(self) -> int:
        """Permissions of a folder."""
        return self.value[0]

    @property
    def file(self) -> int:
        """Permissions of a file that its owner may write."""
        return self.value[1]

    @property
    def fixed_file(self) -> int:
        """Permissions of a file that nobody may write."""
        return self.file & 0o444

    def set_folder(self, folder: Path) -> None:
        """Give a folder its permissions, whatever it had; one of another owner is left as it is."""
        with suppress(PermissionError):
            folder.chmod(self.folder)

    def set_all(self, folder: Path) -> None:
        """Give a folder and all that is in it their permissions, the folder itself last."""
        for path in folder.rglob("*"):
            path.chmod(self.folder if path.is_dir() else self.file)
        folder.chmod(self.folder)


def write_privately(path: Path, text: bytes) -> None:
    """Write a file that only its owner may read, whatever it was before."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, Access.OWNER.file)
    with os.fdopen(descriptor, "wb") as file:
        if path.is_file():
            os.fchmod(descriptor, Access.OWNER.file)
        file.write(text)
