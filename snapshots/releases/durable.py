"""Files and names that last through a crash of the machine once a call returns."""

import os
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file to the disk; its name lasts once `sync_folder` has been called."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
