"""Who connects, how, and that no secret is shown, whatever client is built and whatever fails."""

import os
import re
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from schemas.connection_settings import (
    URL_NAMES,
    URL_NUMBERS,
    URL_OF_TLS,
    KafkaConnection,
    RedisConnection,
    WrongUrl,
)
from schemas.settings import Settings, UnknownVariable, load_settings
from snapshots.releases.log_clients import for_confluent, for_kafka_python
from streams.connections import SentinelRedis, plain_redis_client, redis_client
from streams.kafka.clients import faust_credentials, for_aiokafka
from streams.terminal.console import Exit
from tests.support.patience import SECONDS

SECRET = "hunter2-of-nobody"
ROOT = Path(__file__).parents[2]
SCRAM: dict[str, Any] = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_mechanism": "SCRAM-SHA-512",
    "kafka_sasl_username": "worker",
    "kafka_sasl_password": SECRET,
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_unknown_variable_is_an_error_that_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CASELINE_KAFKA_SECURTY_PROTOCOL", "SASL_SSL")
    nearest = "CASELINE_KAFKA_SECURITY_PROTOCOL"
    with pytest.raises(UnknownVariable, match=f"SECURTY_PROTOCOL .did you mean {nearest}"):
        load_settings()


def test_variables_of_the_scripts_are_no_settings_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CASELINE_SERVICES_DIR", "/nowhere")
    monkeypatch.setenv("CASELINE_KAFKA_VERSION", "4.0.0")
    load_settings()


def test_scripts_and_compose_use_no_variable_that_would_be_refused() -> None:
    names = {f"CASELINE_{name.upper()}" for name in Settings.model_fields}
    names |= {"CASELINE_CONFIG", "CASELINE_SERVICES_DIR", "CASELINE_KAFKA_VERSION"}
    files = [
        *(ROOT / "scripts").rglob("*"),
        ROOT / "docker-compose.yml",
        *(ROOT / "docs").glob("*.md"),
    ]
    for path in files:
        if path.is_file() and path.suffix != ".png":
            used = set(re.findall(r"CASELINE_[A-Z_]*[A-Z]", path.read_text("utf-8", "replace")))
            assert used - names == set(), path


def test_a_secret_comes_from_a_variable_or_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv("CASELINE_REDIS_PASSWORD_FILE", str(file))
    password = load_settings().redis.password
    assert password
    assert password.get_secret_value() == SECRET
    monkeypatch.setenv("CASELINE_REDIS_PASSWORD", SECRET)
    with pytest.raises(ValidationError, match="redis_password and redis_password_file are both"):
        load_settings()


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}@redis:6379/0",
        f"redis://redis:6379/0?password={SECRET}&username=kate",
        f"rediss+sentinel://kate:{SECRET}@a:26379,b:26379/mymaster/0",
        f"rediss+cluster://kate:{SECRET}@a:7000,b:7001",
    ],
)
def test_a_password_in_a_url_is_never_shown(url: str) -> None:
    settings = Settings(redis_url=url, **SCRAM)
    shown = [settings.redis, settings.kafka, settings]
    assert not any(SECRET in text for it in shown for text in (str(it), repr(it)))
    assert "redis" in settings.redis.shown


def test_doctor_shows_no_secret_of_services_that_do_not_answer(tmp_path: Path) -> None:
    # Both refuse to connect at once.
    settings = {
        **SCRAM,
        "kafka_security_protocol": "SASL_PLAINTEXT",
        "kafka_bootstrap": "127.0.0.1:1",
        "redis_url": f"redis://127.0.0.1:1/0?password={SECRET}",
    }
    outside = {name: it for name, it in os.environ.items() if not name.startswith("CASELINE_")}
    done = subprocess.run(
        [Path(sys.executable).with_name("caseline"), "doctor"],
        env=outside | {f"CASELINE_{name.upper()}": str(it) for name, it in settings.items()},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=SECONDS,
    )
    assert done.returncode == Exit.UNWELL, done.stderr
    assert "redis://127.0.0.1:1/0 does not answer (ConnectionError" in " ".join(done.stdout.split())
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kafka_security_protocol": "SASL_SSL"}, "needs sasl_mechanism"),
        ({"kafka_sasl_mechanism": "PLAIN"}, "takes no sasl_mechanism"),
        (SCRAM | {"kafka_sasl_password": None}, "needs kafka_sasl_username and a password"),
        ({**SCRAM, "kafka_sasl_mechanism": "OAUTHBEARER"}, "needs kafka_sasl_token_file"),
        ({"kafka_ssl_ca_file": "ca.pem"}, "kafka_ssl settings need"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_ca_file": "ca.pem"}, "which is no file"),
        ({"redis_ssl_ca_file": "ca.pem"}, "redis_ssl settings need rediss"),
        ({"redis_url": "http://redis"}, "must begin with one of redis://"),
        ({"redis_url": "redis+sentinel://a"}, "name of the service"),
        ({"redis_url": "redis+cluster://a/3"}, "no database but 0"),
        ({"redis_url": f"redis://:{SECRET}@a", "redis_password": SECRET}, "and so do other"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused_without_a_secret(
    given: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValidationError, match=named) as caught:
        Settings(**given)
    assert SECRET not in str(caught.value)


def test_every_client_of_kafka_is_told_the_same() -> None:
    connection = Settings(**SCRAM, kafka_bootstrap="a:1, b:2").kafka
    plain, asyncio = for_kafka_python(connection), for_aiokafka(connection)
    confluent = for_confluent(connection)
    assert plain["bootstrap_servers"] == asyncio["bootstrap_servers"] == ["a:1", "b:2"]
    for options in (plain, asyncio):
        assert isinstance(options.pop("ssl_context"), ssl.SSLContext)
        assert options["security_protocol"] == "SASL_SSL"
        assert options["sasl_mechanism"] == "SCRAM-SHA-512"
        assert (options["sasl_plain_username"], options["sasl_plain_password"]) == (
            "worker",
            SECRET,
        )
    assert confluent["security.protocol"] == "SASL_SSL"
    assert (confluent["sasl.username"], confluent["sasl.password"]) == ("worker", SECRET)
    faust = faust_credentials(connection)
    assert (faust.username, faust.password) == ("worker", SECRET)
    assert (faust.protocol.value, faust.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")


def test_a_token_is_read_anew_for_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("e30.eyJleHAiOiA0MTAyNDQ0ODAwfQ.\n")
    connection = KafkaConnection("a:1", "SASL_SSL", "OAUTHBEARER", token_file=file)
    confluent, plain = for_confluent(connection), for_kafka_python(connection)
    token = "e30.eyJleHAiOiA0MTAyNDQ0ODAwfQ."
    assert confluent["oauth_cb"]("") == (token, 4102444800.0)
    file.write_text("another")
    assert plain["sasl_oauth_token_provider"].token() == "another"
    assert confluent["oauth_cb"]("")[0] == "another"


def test_a_connection_of_addresses_alone_is_in_the_clear() -> None:
    assert for_confluent("a:1") == {"bootstrap.servers": "a:1", "security.protocol": "PLAINTEXT"}
    assert faust_credentials("a:1") is None


def test_the_kind_of_redis_is_in_its_url() -> None:
    cluster = redis_client(RedisConnection.parsed("redis+cluster://a:7000,[::1]:7001"))
    assert isinstance(cluster, RedisCluster)
    assert [it.port for it in cluster.get_nodes()] or cluster.startup_nodes
    said = RedisConnection.parsed("rediss+sentinel://u:p%40@a,b:1/mymaster/2")
    assert said.password == SecretStr("p@")
    assert [(it.host, it.port) for it in said.nodes] == [("a", 26379), ("b", 1)]
    assert isinstance(redis_client(said), SentinelRedis)
    assert type(redis_client(RedisConnection.parsed("redis://a/3"))) is Redis
    with pytest.raises(WrongUrl):
        RedisConnection.parsed("redis+sentinel://a:b:c/mymaster")


@pytest.mark.parametrize("url", ["redis://[::1:6379/0", "redis://a:port/0", "redis://a:6379/one"])
def test_a_url_of_no_server_or_database_is_an_error(url: str) -> None:
    with pytest.raises(WrongUrl, match=r"address of a server|is a number"):
        RedisConnection.parsed(url)


def test_servers_of_a_cluster_may_be_numbers_in_any_order() -> None:
    said = RedisConnection.parsed("rediss+cluster://[::1]:7000,a,[fe80::2]/0#")
    assert [(it.host, it.port) for it in said.nodes] == [
        ("::1", 7000),
        ("a", 6379),
        ("fe80::2", 6379),
    ]
    assert not said.has_password
    assert RedisConnection.parsed("redis+cluster://u:p@a,[::1]").has_password


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"redis://redis:6379/0?pasword={SECRET}", "after `.` redis:// takes .*password"),
        (f"redis://redis:6379/0?password={SECRET}&socket_timeout=soon", "socket_timeout is a num"),
        (f"redis://redis:6379/0?password={SECRET}&db=1.5", "db is a whole number"),
        (f"redis://redis:6379/0?password={SECRET}&ssl_ca_certs=ca.pem", "and nothing else"),
    ],
)
def test_an_option_in_a_url_that_is_none_is_an_error_without_a_secret(url: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        Settings(redis_url=url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_every_option_that_a_url_may_have_is_one_that_its_client_takes(scheme: str) -> None:
    options = dict.fromkeys(URL_NAMES | URL_NUMBERS, "7")
    options |= {"protocol": "3", "socket_keepalive": "yes", "retry_on_timeout": "yes"}
    if scheme == "rediss":
        options |= dict.fromkeys(URL_OF_TLS, "x")
        options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": "yes"}
    url = f"{scheme}://h:1/0?{urlencode(options)}"
    for client in (redis_client, plain_redis_client):
        pool: Any = client(RedisConnection.parsed(url)).connection_pool
        pool.connection_class(**pool.connection_kwargs)  # as the pool makes one, once it is asked


ONE_PLACE = {
    "schemas/services.py",
    "schemas/connection_settings.py",
    "snapshots/releases/log_clients.py",
    "streams/connections.py",
    # They say where, and build nothing of it.
    "streams/terminal/commands/demo.py",
    "streams/kafka/embedded.py",
    "streams/kafka/topics.py",
}


def test_no_other_place_makes_a_client_of_an_address() -> None:
    makes = re.compile(r"kafka_bootstrap|bootstrap.servers|redis_url|\.from_url\(|RedisCluster\(")
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("schemas", "processors", "snapshots", "streams")
        for path in (ROOT / package).rglob("*.py")
        if makes.search(path.read_text("utf-8"))
    }
    assert found - ONE_PLACE == set()
