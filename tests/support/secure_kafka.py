"""A real Kafka that lets in only who says who he is, and only to what he may do."""

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)

from schemas.settings import Settings
from snapshots.releases.log_clients import for_kafka_python
from tests.support.certificates import Authority
from tests.support.ports import free_ports
from tests.support.programs import program
from tests.support.servers import SCRIPT

SECRET = "not-for-any-log"
ADMIN = "admin"
PLAIN, TOKEN, CERTIFIED = "password", "by-token", "CN=by-certificate"
JAVA = ("java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
SASL = "org.apache.kafka.common.security"
# What a token says, in the form that Kafka calls unsecured: no signature.
CLAIMS = '{"alg":"none"}', '{"sub":"by-token","iat":1,"exp":4102444800}'


@dataclass(frozen=True)
class Grant:
    """Something that a user may do to what has a name, or to all whose names begin with it."""

    what: str
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


@dataclass(frozen=True)
class SecureKafka:
    """The broker: a listener for SASL over TLS, and one for mutual TLS."""

    authority: Authority
    sasl_port: int
    tls_port: int
    certificate: Path
    key: Path
    token: Path

    def settings(self, user: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, Any]:
        """The settings of a process that is a user; by its certificate without a mechanism."""
        common = {"kafka_ssl_ca_file": self.authority.certificate}
        if not mechanism:
            return {
                **common,
                "kafka_bootstrap": f"localhost:{self.tls_port}",
                "kafka_security_protocol": "SSL",
                "kafka_ssl_cert_file": self.certificate,
                "kafka_ssl_key_file": self.key,
            }
        sasl = {
            **common,
            "kafka_bootstrap": f"localhost:{self.sasl_port}",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": mechanism,
        }
        if mechanism == "OAUTHBEARER":
            return {**sasl, "kafka_sasl_token_file": self.token}
        return {**sasl, "kafka_sasl_username": user, "kafka_sasl_password": SECRET}

    def grant(self, grants: dict[str, list[Grant]]) -> None:
        """Allow users what is theirs, and no more."""
        admin = KafkaAdminClient(**for_kafka_python(Settings(**self.settings(ADMIN)).kafka))
        try:
            created = admin.create_acls(
                [
                    ACL(
                        f"User:{user}",
                        "*",
                        ACLOperation[operation],
                        ACLPermissionType.ALLOW,
                        ResourcePattern(
                            ResourceType[grant.what],
                            grant.name,
                            ACLResourcePatternType.PREFIXED
                            if grant.prefixed
                            else ACLResourcePatternType.LITERAL,
                        ),
                    )
                    for user, granted in grants.items()
                    for grant in granted
                    for operation in grant.operations
                ]
            )
            assert not created["failed"], created
        finally:
            admin.close()


@contextmanager
def secure_kafka(folder: Path, users: list[str]) -> Iterator[SecureKafka]:
    """A broker that knows the users by SCRAM, for as long as the context lasts."""
    authority = Authority.made(folder)
    certificate, key = authority.vouch_for("broker")
    store = folder / "broker.store.pem"
    store.write_text(key.read_text() + certificate.read_text())
    sasl_port, tls_port, controller_port = free_ports(3)
    conf = folder / "kafka.conf"
    conf.write_text(_conf(folder, authority, store, sasl_port, tls_port, controller_port))
    token = folder / "token"
    token.write_text(".".join([*map(_base64, CLAIMS), ""]))
    jars = f"{_jars()}/*"
    scram = [part for it in (ADMIN, *users) for part in ("--add-scram", _scram(it))]
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
    tool = ["kafka.tools.StorageTool", "format", "--cluster-id", "caselinecaselinecaseli"]
    subprocess.run(
        [*JAVA, quiet, "-cp", jars, *tool, "--config", str(conf), *scram],
        check=True,
        capture_output=True,
    )
    log = folder / "kafka.log"
    levels = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",)
    started = "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info"
    command: list[str | Path] = [*JAVA, *levels, started, "-cp", jars, "kafka.Kafka", conf]
    with program(command, log, lambda: "Kafka Server started" in log.read_text()):
        yield SecureKafka(
            authority, sasl_port, tls_port, *authority.vouch_for("by-certificate"), token
        )


def _scram(user: str) -> str:
    return f"SCRAM-SHA-512=[name={user},password={SECRET},iterations=4096]"


def _jars() -> Path:
    """The broker's jars, which `scripts/services` has fetched."""
    cache = os.environ.get("CASELINE_SERVICES_DIR", SCRIPT.parents[1] / ".services")
    (found, *_) = sorted(Path(cache).glob("kafka-*"))
    return found


def _base64(text: str) -> str:

    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _conf(
    folder: Path, authority: Authority, store: Path, sasl: int, tls: int, controller: int
) -> str:
    return f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=SASL://127.0.0.1:{sasl},TLS://127.0.0.1:{tls},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL://localhost:{sasl},TLS://localhost:{tls}
listener.security.protocol.map=SASL:SASL_SSL,TLS:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=TLS
controller.listener.names=CONTROLLER
ssl.keystore.type=PEM
ssl.keystore.location={store}
ssl.truststore.type=PEM
ssl.truststore.location={authority.certificate}
listener.name.tls.ssl.client.auth=required
listener.name.sasl.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN,OAUTHBEARER
listener.name.sasl.scram-sha-512.sasl.jaas.config={SASL}.scram.ScramLoginModule required;
listener.name.sasl.plain.sasl.jaas.config={SASL}.plain.PlainLoginModule required \\
  user_{PLAIN}="{SECRET}";
listener.name.sasl.oauthbearer.sasl.jaas.config=\\
  {SASL}.oauthbearer.OAuthBearerLoginModule required \\
  unsecuredLoginStringClaim_sub="broker";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:CN=broker;User:ANONYMOUS;User:{ADMIN}
log.dirs={folder}/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
"""
