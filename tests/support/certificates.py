"""Certificates that a test makes with openssl: an authority of its own, and who it vouches for."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@dataclass(frozen=True)
class Authority:
    """An authority whose certificate and key lie in a folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """What clients and servers believe each other by."""
        return self.folder / "ca.pem"

    @classmethod
    def made(cls, folder: Path) -> "Authority":
        """A new one."""
        it = cls(folder)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        extensions = ("-addext", "keyUsage=critical,keyCertSign", "-days", "2")
        name = ("-subj", "/CN=authority", "-keyout", folder / "ca.key", "-out", it.certificate)
        _openssl("req", "-x509", *key, *extensions, *name)
        return it

    def vouch_for(self, name: str) -> tuple[Path, Path]:
        """A certificate for a name at this machine, and its key (PKCS 8)."""
        certificate, key, asked = (self.folder / f"{name}.{it}" for it in ("pem", "key", "csr"))
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        _openssl("req", *curve, "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
        extensions = self.folder / "names"
        extensions.write_text(NAMES + "\n")
        signed = ("-CA", self.certificate, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        made = ("-in", asked, "-out", certificate, "-days", "2", "-extfile", extensions)
        _openssl("x509", "-req", *signed, *made)
        return certificate, key
