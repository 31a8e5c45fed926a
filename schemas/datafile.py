"""Data in TOML: a file of the operator's, or the one that ships in its place."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class DataFile:
    """The bytes of a file of data."""

    content: bytes

    @property
    def version(self) -> str:
        """A hash of all of it, by which what was made with it can be told apart."""
        return hashlib.sha256(self.content).hexdigest()[:16]

    def into(self, model: type[M], **more: object) -> M:
        """The model that it states, with further fields.

        Raises ValueError, of which tomllib.TOMLDecodeError and pydantic.ValidationError are, when
        it is not TOML in UTF-8, or does not fit the model.
        """
        data = {**tomllib.loads(self.content.decode("utf-8")), **more}
        # Through JSON mode, in which strict validation takes lists for tuples.
        return model.model_validate_json(json.dumps(data, default=str))


def data_file(path: Path | None, shipped: str = "") -> DataFile:
    """The file at a path; without one, that of the name which ships. Raises OSError."""
    if path:
        return DataFile(path.read_bytes())
    return DataFile((files("schemas") / "data" / shipped).read_bytes())
