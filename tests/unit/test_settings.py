"""Settings come from the environment, then a file, then the defaults."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.settings import CONFIG_VARIABLE, DEFAULT_CONFIG, load_settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment and a working directory without settings."""
    for name in ("KAFKA_BOOTSTRAP", "REDIS_URL", "DEPLOYMENT", "CONFIG", "CASE_PARTITIONS"):
        monkeypatch.delenv(f"CASELINE_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_any_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.deployment == "default"
    assert settings.redis_url == "redis://localhost:6379/0"


def test_the_environment_comes_before_the_file_and_the_file_before_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / DEFAULT_CONFIG).write_text('deployment = "kent"\ncase_partitions = 7\n')
    monkeypatch.setenv("CASELINE_DEPLOYMENT", "medway")
    settings = load_settings()
    assert (settings.deployment, settings.case_partitions) == ("medway", 7)
    assert settings.kafka_bootstrap == "localhost:9092"


def test_the_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / DEFAULT_CONFIG).write_text('deployment = "other"\n')
    (tmp_path / "named.toml").write_text('deployment = "kent"\n')
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "named.toml"))
    assert load_settings().deployment == "kent"


def test_a_named_file_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG_VARIABLE, "nowhere.toml")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml"):
        load_settings()


@pytest.mark.parametrize(
    "line",
    ['colour = "red"', "case_partitions = 0", 'deployment = "a b"', 'log_level = "loud"'],
)
def test_a_setting_that_does_not_fit_is_refused_by_name(line: str, tmp_path: Path) -> None:
    (tmp_path / DEFAULT_CONFIG).write_text(line)
    with pytest.raises(ValidationError, match=line.split(" ")[0]):
        load_settings()


def test_a_value_in_the_environment_that_does_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CASELINE_CASE_PARTITIONS", "many")
    with pytest.raises(ValidationError, match="case_partitions"):
        load_settings()


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / DEFAULT_CONFIG).write_text("deployment = ")
    with pytest.raises(tomllib.TOMLDecodeError):
        load_settings()
