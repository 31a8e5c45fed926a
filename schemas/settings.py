"""Settings: from the environment (CASELINE_...), then a TOML file, then the defaults here."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from schemas.sign_in_settings import SignInSettings

# Who may read releases and internal publications on disk.
Readers = Literal["owner", "group", "everyone"]

PREFIX = "CASELINE_"
CONFIG_VARIABLE = "CASELINE_CONFIG"
# Read by `scripts/services`, and no settings.
OTHER_VARIABLES = {CONFIG_VARIABLE, "CASELINE_SERVICES_DIR", "CASELINE_KAFKA_VERSION"}
DEFAULT_CONFIG = "caseline.toml"


class Settings(SignInSettings):
    """What differs between one installation and another; docs are the fields' descriptions."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    deployment: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = Field(
        "default", description="names this deployment's consumer group and Redis keys"
    )
    case_partitions: Annotated[int, Field(ge=1)] = Field(
        6,
        description="partitions of case-events, scs-events and activity-events, and of their dead "
        "letters, when they are created",
    )
    reference_partitions: Annotated[int, Field(ge=1)] = Field(
        1, description="partitions of reference-events and its dead letters, when they are created"
    )
    replication: Annotated[int, Field(ge=1)] = Field(
        1, description="replicas of a topic, when it is created"
    )
    areas_file: Path | None = Field(
        None, description="the tree of areas; the one for Kent if unset"
    )
    places_file: Path | None = Field(
        None, description="sites and providers; those for Kent if unset, with Kent's areas"
    )
    catalogue_file: Path | None = Field(None, description="the catalogue; the shipped one if unset")
    standards_file: Path | None = Field(
        None, description="the service standards; the shipped ones if unset"
    )
    alert_calm_seconds: Annotated[float, Field(ge=0)] = Field(
        60.0,
        description="how long events of more than a day ago must have stopped before alerts that "
        "rest on them are raised",
    )
    clock_from: AwareDatetime | None = Field(
        None,
        description="run as if it had been this time when the deployment's first process started, "
        "for training on old data",
    )
    receivers_file: Path | None = Field(
        None, description="who is told of alerts, and how; nobody if unset"
    )
    records_in_memory: Annotated[int, Field(ge=1000)] = Field(
        200_000, description="children's records a worker keeps in memory, all partitions together"
    )
    records_megabytes: Annotated[int, Field(ge=10)] = Field(
        2_000,
        description="megabytes that these records may take, by a rough count",
    )
    session_timeout: Annotated[float, Field(ge=1)] = Field(
        10.0, description="seconds after which Kafka gives a silent worker's partitions to others"
    )
    releases: Path = Field(Path("releases"), description="the folder that releases are kept in")
    releases_readers: Readers = Field(
        "owner",
        description="who may read releases and internal publications on disk: owner, group or "
        "everyone; they hold small numbers as they are",
    )
    public_folder: Path | None = Field(
        None,
        description="the folder that releases are published into in public, whose files `serve` "
        "offers to everyone who may see figures; none if unset",
    )
    internal_folder: Path | None = Field(
        None,
        description="the folder that releases are published into for the council itself, apart "
        "from the public one, whose files `serve` offers to analysts and publishers; none if unset",
    )
    erasure_key_file: Path | None = Field(
        None,
        description="a secret of at least 32 bytes, with which children that were erased are "
        "remembered without being named; `erase` takes one, and all processes the same",
    )
    snapshot_working_days: Annotated[int, Field(ge=1, le=60)] = Field(
        5, description="working days after a month's end on which its figures are frozen"
    )
    snapshot_hour: Annotated[int, Field(ge=0, le=23)] = Field(
        6, description="the hour of that day, in London, at which they are frozen"
    )
    snapshot_kind: Literal["provisional", "first"] = Field(
        "first", description="the kind of release that the scheduled job makes"
    )
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="the port that a process serves its metrics on, for Prometheus; 0 is none"
    )
    metrics_host: str = Field(
        "127.0.0.1", description="the address that metrics are served on; they are not suppressed"
    )
    host_names: str = Field(
        "",
        description="names that `serve` answers for beside those of this machine, separated by "
        "commas",
    )
    questions_a_minute: Annotated[int, Field(ge=0)] = Field(
        1_200,
        description="how often one who has signed in, or an address, may ask a process of `serve`; "
        "0 is without limit",
    )
    refused_sign_ins_a_minute: Annotated[int, Field(ge=0)] = Field(
        10,
        description="how many unknown tokens an address may send a process of `serve`, and of how "
        "many refused sign-ins by OpenID the audit log has it; 0 is without limit",
    )
    stale_hours: Annotated[float, Field(gt=0)] = Field(
        72.0,
        description="hours without an event after which pages say at the top that figures may be "
        "out of date",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least severe log lines shown"
    )

    @property
    def records_bytes(self) -> int:
        """About how many bytes of memory records may take."""
        return self.records_megabytes * 1_000_000

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file that CASELINE_CONFIG names."""
        del dotenv_settings, file_secret_settings
        path = Path(os.environ.get(CONFIG_VARIABLE, DEFAULT_CONFIG))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)


class UnknownVariable(ValueError):  # noqa: N818 - named for the condition
    """A CASELINE_ variable that is no setting: it would be passed over in silence."""


def load_settings() -> Settings:
    """The settings of this process.

    Raises UnknownVariable, pydantic.ValidationError for a value that does not fit,
    tomllib.TOMLDecodeError for a file that is not TOML, and FileNotFoundError when CASELINE_CONFIG
    names a file that does not exist.
    """
    _refuse_unknown(os.environ)
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise FileNotFoundError(f"{CONFIG_VARIABLE} names {named}, which is not a file")
    return Settings()


def _refuse_unknown(names: Iterable[str]) -> None:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | OTHER_VARIABLES
    ours = {name for name in names if name.upper().startswith(PREFIX)}
    texts = []
    for name in sorted(ours):
        if name.upper() not in known:
            near = get_close_matches(name.upper(), sorted(known), n=1)
            texts.append(f"{name} (did you mean {near[0]}?)" if near else name)
    if texts:
        raise UnknownVariable(f"no such setting: {', '.join(texts)}")
