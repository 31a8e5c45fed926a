"""Receivers as data: what the file may say, and how a mistake in it is told."""

import re
from pathlib import Path

import pytest

from schemas.receivers import Alertmanager, Smtp, Webhook, load_receivers
from schemas.settings import Settings
from streams.terminal.commands.alerts import receivers_of
from tests.support.alerting import KEY, change, receivers_file

ALERTS = Path(__file__).resolve().parents[2] / "docs/alerts.md"
HOOK = """
[[receiver]]
name = "hook"
kind = "webhook"
url = "https://cases.example/hook"
secret = { variable = "HOOK_SECRET" }
"""
MAIL = """
[[receiver]]
name = "mail"
kind = "smtp"
host = "mail.example"
sender = "caseline@kent.example"
"""


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", KEY)
    monkeypatch.setenv("SMTP_PASSWORD", "hush")


def test_the_example_in_the_docs_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", ALERTS.read_text("utf-8"), re.DOTALL | re.M)
    key = tmp_path / "hook"
    key.write_text(KEY + "\n")
    path = receivers_file(tmp_path, example.replace("/run/secrets/hook", str(key)))
    on_call, hook, mail = load_receivers(path)
    assert isinstance(on_call, Alertmanager)
    assert isinstance(hook, Webhook)
    assert len(hook.keys()) == 1
    assert isinstance(mail, Smtp)
    assert mail.addresses("team", "Thanet Unit 1") == ("thanet.unit1@example.org",)
    assert mail.addresses("team", "Dover Unit 2") == ("early.help@example.org",)


def test_without_a_file_nobody_is_told() -> None:
    assert load_receivers(None) == ()


def test_several_secrets_may_be_known_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", f"{KEY} {KEY}")
    (hook,) = load_receivers(receivers_file(tmp_path, HOOK))
    assert isinstance(hook, Webhook)
    assert len(hook.keys()) == 2


def test_severities_standards_and_owners_narrow_what_a_receiver_gets(tmp_path: Path) -> None:
    only = 'severities = ["critical"]\nstandards = ["unit-plan"]\nowners = ["Unit A"]'
    (hook,) = load_receivers(receivers_file(tmp_path, HOOK + only))
    assert hook.may_get(change(severity="critical", standard="unit-plan"))
    assert not hook.may_get(change(severity="warning", standard="unit-plan"))
    assert not hook.may_get(change(severity="critical"))
    assert not hook.may_get(change(severity="critical", standard="unit-plan", owner="Unit B"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HOOK + HOOK, "receiver named twice: hook"),
        (HOOK.replace("webhook", "pigeon"), "pigeon"),
        (HOOK.replace("https:", "ftp:"), "must begin with http:// or https://"),
        (HOOK.replace("cases.", "me:hush@cases."), "must not hold a user or password"),
        (
            HOOK.replace("HOOK_SECRET", "NO_SECRET"),
            "hook: there is no secret in NO_SECRET",
        ),
        (HOOK.replace("HOOK_SECRET", "SMTP_PASSWORD"), "whsec_ and the base64 of 24 to 64 bytes"),
        (HOOK.replace("variable", "file"), "the secret's file HOOK_SECRET cannot be read"),
        (HOOK.replace('{ variable = "HOOK_SECRET" }', '"whsec_abc"'), "secret"),
        (HOOK.replace("{ variable", '{ file = "x", variable'), "`file` or `variable`"),
        (HOOK + "most_changes = 0", "most_changes"),
        (HOOK + 'states = ["late"]', "states"),
        (HOOK + "colour = 1", "colour"),
        (MAIL + 'user = "me"', "user and password go together"),
        (
            MAIL + 'tls = "none"\nuser = "me"\npassword = { variable = "SMTP_PASSWORD" }',
            "a password is not sent without tls",
        ),
        (MAIL + "hour = 24", "hour"),
        (MAIL + 'default_addresses = ["nobody"]', "default_addresses"),
        (
            '[[receiver]]\nname = "a"\nkind = "alertmanager"\nurl = "http://a"\nlease = 60',
            "lease must be at least twice resend",
        ),
        ("receiver = ", "Invalid value"),
    ],
)
def test_a_mistake_is_told_by_name_and_shows_no_secret(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = receivers_file(tmp_path, text)
    with pytest.raises(SystemExit) as ended:
        receivers_of(Settings(receivers_file=path))
    told = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 1
    assert said in told
    assert "hush" not in told
