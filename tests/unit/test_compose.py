"""The services of docker-compose.yml, as far as text can show it: found, pinned, and kept in."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.settings import Settings
from tests.support.monitoring import MONITORING, ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - OURS))
def test_images_are_pinned(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert tag[:1] in tuple("v0123456789")
    assert "." in tag


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).exists(), volume
            assert source in COMPOSE["volumes"] or volume.endswith(":ro"), volume


def test_services_wait_for_services_that_there_are() -> None:
    for service in SERVICES.values():
        assert service.get("depends_on", {}).keys() <= SERVICES.keys()


def given_passwords(text: str) -> str:
    """A value as Compose fills it in; fails for a password that may be empty."""
    assert "${" not in re.sub(r"\$\{[A-Z]+_PASSWORD:\?[^}]+\}", "", text), text
    return re.sub(r"\$\{[A-Z]+_PASSWORD:\?[^}]+\}", "fallow", text)


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_say_who_they_are(name: str) -> None:
    environment = SERVICES[name]["environment"]
    named = {it.removeprefix("CASELINE_").lower(): str(value) for it, value in environment.items()}
    given: dict[str, Any] = {
        it: given_passwords(value) for it, value in named.items() if not it.endswith("_file")
    }
    settings = Settings(**given)
    assert settings.kafka.has_sasl
    assert settings.kafka.password
    assert settings.redis.password
    assert "fallow" not in repr(settings)


def test_services_ask_for_a_password_that_must_be_set() -> None:
    kafka = SERVICES["kafka"]["environment"]
    listeners = dict(
        it.split(":") for it in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    )
    at = dict(it.split("://") for it in kafka["KAFKA_LISTENERS"].split(","))
    clear = [name for name, protocol in listeners.items() if protocol == "PLAINTEXT"]
    assert all(at[name].startswith("localhost:") for name in clear)
    for name in listeners.keys() - set(clear):
        said = kafka[f"KAFKA_LISTENER_NAME_{name}_PLAIN_SASL_JAAS_CONFIG"]
        assert 'user_caseline="fallow"' in given_passwords(said)
    assert given_passwords(SERVICES["redis"]["environment"]["REDIS_PASSWORD"]) == "fallow"
    assert "requirepass" in SERVICES["redis"]["command"][-1]
    assert given_passwords(SERVICES["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"])
    example = (ROOT / ".env.example").read_text("utf-8")
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    for name in set(re.findall(r"\$\{([A-Z_]+)", text)):
        assert f"\n{name}=\n" in example, name


def test_settings_of_our_services_are_settings() -> None:
    for name in OURS:
        settings = {
            variable.removeprefix("CASELINE_").lower() for variable in SERVICES[name]["environment"]
        }
        assert settings <= Settings.model_fields.keys(), name


def test_signing_in_by_openid_is_set_as_a_whole_and_its_secret_lies_in_a_file(
    tmp_path: Path,
) -> None:
    text = (ROOT / "docker-compose.openid.yml").read_text("utf-8")
    added = yaml.safe_load(text)
    (serve,) = added["services"].values()
    variables = re.findall(r"\$\{([A-Z_]+):\?[^}]+\}", text)
    assert len(variables) == text.count("${")
    example = (ROOT / ".env.example").read_text("utf-8")
    assert all(f"\n{name}=\n" in example for name in variables)
    (tmp_path / "secret").write_text("fallow")
    given = {
        name.removeprefix("CASELINE_").lower(): re.sub(r"\$\{[^}]+\}", "https://a.example", value)
        for name, value in serve["environment"].items()
    }
    given["oidc_client_secret_file"] = str(tmp_path / "secret")
    assert Settings.model_validate(given).openid
    secret = serve["environment"]["CASELINE_OIDC_CLIENT_SECRET_FILE"]
    assert serve["secrets"] == [Path(secret).name] == [*added["secrets"]]


def test_prometheus_scrapes_every_service_that_has_metrics_at_its_port() -> None:
    scraped = {
        (name, lookup["port"])
        for job in yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
        for lookup in job["dns_sd_configs"]
        for name in lookup["names"]
    }
    expected = {
        (name, int(SERVICES[name]["environment"]["CASELINE_METRICS_PORT"]))
        for name in OURS - {"topics"}  # which ends at once
    }
    assert scraped == expected


def test_prometheus_tells_the_alertmanager_that_there_is() -> None:
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    (group,) = config["alerting"]["alertmanagers"]
    ((target,),) = (it["targets"] for it in group["static_configs"])
    host, port = target.split(":")
    assert SERVICES[host]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_grafana_finds_its_dashboards_and_prometheus() -> None:
    folder = MONITORING / "grafana" / "provisioning"
    (provider,) = yaml.safe_load((folder / "dashboards/caseline.yml").read_text())["providers"]
    mounted = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    sources = {target: source for source, target in mounted.items()}
    assert list((ROOT / Path(sources[provider["options"]["path"]])).glob("*.json"))
    assert ROOT / sources["/etc/grafana/provisioning"] == folder
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_gain_no_rights_and_write_nowhere_but_in_their_volumes(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    targets = [volume.split(":")[1] for volume in service.get("volumes", ())]
    assert service["working_dir"] in [*targets, *service.get("tmpfs", ())]
    image = (ROOT / "scripts/Dockerfile").read_text("utf-8")
    run_by = re.findall(r"^USER (.+)$", image, re.MULTILINE)
    assert run_by == ["caseline"]
    written = {it.split(":")[1] for it in service.get("volumes", ()) if not it.endswith(":ro")}
    (made,) = re.findall(r"^RUN mkdir (.+) && chown caseline (.+)$", image, re.MULTILINE)
    assert made[0] == made[1]
    assert written - {"/tmp"} <= {*made[0].split()}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_container_may_take_is_bounded(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])


def test_redis_refuses_writes_before_its_container_is_full() -> None:
    (most,) = re.findall(r"--maxmemory (\d+)gb", SERVICES["redis"]["command"][-1])
    assert 2 * int(most) <= int(SERVICES["redis"]["mem_limit"].removesuffix("g"))
    assert "noeviction" in SERVICES["redis"]["command"][-1]


@pytest.mark.parametrize("name", sorted(OURS - {"topics"}))
def test_what_runs_says_whether_it_is_well(name: str) -> None:
    service = SERVICES[name]
    command = service["healthcheck"]["test"][-1]
    compile(command, name, "exec")
    (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)/", command)
    assert port in {"8080", str(service["environment"]["CASELINE_METRICS_PORT"])}


def test_the_pages_and_the_schedule_have_the_same_releases() -> None:
    for name in ("serve", "snapshots"):
        folder = SERVICES[name]["environment"]["CASELINE_RELEASES"]
        assert f"releases:{folder}" in SERVICES[name]["volumes"]
    serve = SERVICES["serve"]
    for name in ("public", "internal"):
        folder = serve["environment"][f"CASELINE_{name.upper()}_FOLDER"]
        assert f"{name}:{folder}" in serve["volumes"]
