"""Which version is at work, as a report of a fault says."""

from importlib.metadata import version

from typer.testing import CliRunner

from streams.cli import app


def test_the_command_says_its_version_and_does_nothing_else() -> None:
    told = CliRunner().invoke(app, ["--version", "worker"])
    assert (told.exit_code, told.stdout) == (0, f"caseline {version('caseline')}\n")
