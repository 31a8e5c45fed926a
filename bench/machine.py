"""What the figures were measured on."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.bed import ROOT, Bed

POM = ROOT / "scripts" / "kafka" / "pom.xml"
STREAMS_POM = ROOT / "scripts" / "kafka-streams" / "pom.xml"
PEERS = ROOT / "requirements" / "peers.lock"
LIBRARIES = {
    "aiokafka": "aiokafka",
    "bytewax": "bytewax",
    "confluent-kafka": "confluent-kafka",
    "faust": "faust-streaming",
    "hiredis": "hiredis",
    "msgspec": "msgspec",
    "numpy": "numpy",
    "pydantic": "pydantic",
    "redis-py": "redis",
}
GIGABYTE = 1 << 30


def machine(bed: Bed) -> dict[str, Any]:
    """Cores, processor, memory, how busy it was already, and versions."""
    with bed.redis() as redis:
        redis_version = redis.info("server")["redis_version"]
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIGABYTE),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {
            "python": platform.python_version(),
            "kafka": os.environ.get("CASELINE_KAFKA_VERSION") or _pinned(POM),
            "kafka streams": _pinned(STREAMS_POM),
            "quix streams": _locked("quixstreams"),
            "redis": redis_version,
            **{name: version(package) for name, package in LIBRARIES.items()},
        },
    }


def _processor() -> str:
    """Its model, as far as the system tells."""
    told = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", told.read_text(), re.M) if told.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _pinned(pom: Path) -> str:
    """The version of Kafka that a list of jars asks for."""
    found = re.search(r"<kafka\.version>(.*)</kafka\.version>", pom.read_text())
    return found[1] if found else "unknown"


def _locked(package: str) -> str:
    """The version of a package that scripts/peers installs."""
    found = re.search(rf"^{package}==(\S+)", PEERS.read_text(), re.M)
    return found[1] if found else "unknown"
