"""Brokers that ask for TLS, a client certificate, or a user: every client of ours gets through."""

import asyncio
import datetime as dt
import ipaddress
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaConnectionError
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry

from deploy.embedded import jars
from deploy.embedded.java import find_java
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import LOOPBACK, free_port
from services.chassis.batches import Batch, broker_of, subscribe
from services.chassis.kafka import ensure_topics
from services.chassis.kafka_client import client_options
from services.chassis.settings import KafkaSettings, SecretFileError

USER, PASSWORD = "nhipso", "an invented password"
PATIENCE_SECONDS = 60


@dataclass
class Authority:
    """A certification authority that lives as long as the tests."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"CA of {self.folder.name}")]
        )
        self.file = self.folder / "ca.pem"
        certificate = self._certificate(self.name, self.key, is_authority=True)
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for a server or client on loopback, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._certificate(subject, key, is_authority=False)
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return files

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        loopback = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
            .sign(self.key, SHA256())
        )


@dataclass(frozen=True)
class Secured:
    """A broker with a listener for each way in, and what a client needs."""

    ports: dict[str, int]
    authority: Authority
    certificate: Path
    key: Path
    password: Path

    def settings(self, protocol: str, **more: object) -> KafkaSettings:
        address = f"{LOOPBACK}:{self.ports[protocol]}"
        return KafkaSettings.model_validate(
            {"bootstrap_servers": address, "partitions": 1, "security_protocol": protocol} | more
        )

    @property
    def user(self) -> dict[str, object]:
        return {"sasl_username": USER, "sasl_password_file": self.password}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("authority")
    authority = Authority(folder)
    chain, key = authority.issue("broker")
    store = folder / "broker.pem"
    store.write_bytes(key.read_bytes() + chain.read_bytes())
    inner, controller = free_port(), free_port()
    ports = {name: free_port() for name in ("SSL", "SASL_SSL", "SASL_PLAINTEXT")}
    listeners = {"BROKER": inner} | ports
    told = ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in listeners.items())
    login = "org.apache.kafka.common.security"
    plain = f'{login}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    settings = {
        "listeners": f"{told},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": told,
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,"
        "SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "listener.name.ssl.ssl.client.auth": "required",
        "listener.name.sasl_ssl.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "listener.name.sasl_plaintext.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": plain,
    }
    server = Kafka(
        tmp_path_factory.mktemp("secured"),
        port=inner,
        controller_port=controller,
        heap="512m",
        settings=settings,
    )
    server.start()
    try:
        server.wait_ready(60)
        for bits in (256, 512):
            _give_password(server.bootstrap, f"SCRAM-SHA-{bits}=[password={PASSWORD}]")
        password = folder / "password"
        password.write_text(f"{PASSWORD}\n")
        certificate, own_key = authority.issue("client")
        yield Secured(ports, authority, certificate, own_key, password)
    finally:
        server.stop()


def _give_password(bootstrap: str, credential: str) -> None:
    classpath = os.pathsep.join(map(str, jars.KAFKA.classpath()))
    tool = [str(find_java()), "-cp", classpath, "kafka.admin.ConfigCommand"]
    asked = ["--entity-type", "users", "--entity-name", USER, "--alter", "--add-config", credential]
    subprocess.run(
        [*tool, "--bootstrap-server", bootstrap, *asked], check=True, capture_output=True
    )


WAYS: dict[str, Callable[[Secured], KafkaSettings]] = {
    "a client certificate": lambda at: at.settings(
        "SSL",
        ssl_ca_file=at.authority.file,
        ssl_certificate_file=at.certificate,
        ssl_key_file=at.key,
    ),
    "SCRAM-SHA-512, the default": lambda at: at.settings(
        "SASL_SSL", ssl_ca_file=at.authority.file, **at.user
    ),
    "SCRAM-SHA-256": lambda at: at.settings(
        "SASL_SSL", ssl_ca_file=at.authority.file, sasl_mechanism="SCRAM-SHA-256", **at.user
    ),
    "PLAIN without TLS": lambda at: at.settings(
        "SASL_PLAINTEXT", sasl_mechanism="PLAIN", **at.user
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_topics_are_made_written_and_read(secured: Secured, way: str) -> None:
    settings = WAYS[way](secured)
    topic = f"secured.{sorted(WAYS).index(way)}"
    await ensure_topics(settings, {topic: {}})
    got: asyncio.Queue[ConsumerRecord] = asyncio.Queue()

    async def handle(batch: Batch) -> None:
        for record in batch:
            got.put_nowait(record)

    broker = broker_of(settings, client_id="test", registry=CollectorRegistry())
    subscribe(broker, topic, handle, group_id="of-the-test")
    await broker.start()
    try:
        async with AIOKafkaProducer(**client_options(settings)) as producer:
            await producer.send_and_wait(topic, b"one")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await got.get()).value == b"one"
    finally:
        await broker.stop()


async def test_a_broker_of_another_authority_is_not_believed(
    secured: Secured, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    settings = secured.settings("SASL_SSL", ssl_ca_file=stranger.file, **secured.user)
    producer = AIOKafkaProducer(**client_options(settings))
    with pytest.raises(KafkaConnectionError):
        await producer.start()
    await producer.stop()


async def test_who_does_not_know_the_password_is_not_let_in(
    secured: Secured, tmp_path: Path
) -> None:
    guess = tmp_path / "guess"
    guess.write_text("a guess")
    settings = secured.settings(
        "SASL_SSL",
        ssl_ca_file=secured.authority.file,
        sasl_username=USER,
        sasl_password_file=guess,
    )
    producer = AIOKafkaProducer(**client_options(settings))
    with pytest.raises(KafkaConnectionError):
        await producer.start()
    await producer.stop()


def test_files_that_cannot_be_used_are_named(secured: Secured, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(SecretFileError, match=r"empty\.pem.*PEM"):
        client_options(secured.settings("SSL", ssl_ca_file=empty))
    other = secured.authority.issue("other")[1]
    settings = secured.settings("SSL", ssl_certificate_file=secured.certificate, ssl_key_file=other)
    with pytest.raises(SecretFileError, match=r"client\.crt, .*other\.key"):
        client_options(settings)
