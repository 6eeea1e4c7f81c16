from pathlib import Path

import pytest
from pydantic import SecretStr

from services.chassis.settings import (
    KafkaSettings,
    PostgresSettings,
    SecretFileError,
    ServiceSettings,
    TokenSettings,
    load,
    read_secret,
)


class Everything(ServiceSettings):
    kafka: KafkaSettings
    postgres: PostgresSettings
    tokens: TokenSettings


GOOD = {
    "NHIPSO_HTTP__PORT": "8080",
    "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": "broker-1:9092,[::1]:9092",
    "NHIPSO_POSTGRES__DSN": "postgresql://u:very-secret@db/x",
    "NHIPSO_TOKENS__JWKS_FILE": "/run/jwks.json",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def complaints(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as stopped:
        load(Everything)
    assert stopped.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_good_settings_are_read_with_their_defaults(environment: pytest.MonkeyPatch) -> None:
    settings = load(Everything)
    assert settings.http.host == "127.0.0.1"
    assert settings.http.port == 8080
    assert settings.kafka.partitions == 12
    assert settings.log.format == "json"
    assert settings.tokens.issuer == "nhipso"


def test_a_level_may_be_written_in_capitals(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("NHIPSO_LOG__LEVEL", "WARNING")
    assert load(Everything).log.level == "warning"


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"NHIPSO_POSTGRES__DSN"}))
def test_an_absent_variable_is_named_even_when_its_whole_group_is_absent(
    name: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv(name)
    assert complaints(capsys) == [f"settings: {name} is not set; set it"]


def test_every_mistake_has_its_own_line(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("NHIPSO_HTTP__PORT", "eighty")
    environment.setenv("NHIPSO_KAFKA__BOOTSTRAP_SERVERS", "broker")
    lines = complaints(capsys)
    assert [line.split()[1] for line in lines] == [
        "NHIPSO_HTTP__PORT",
        "NHIPSO_KAFKA__BOOTSTRAP_SERVERS",
    ]
    assert "host:port" in lines[1]


@pytest.mark.parametrize("file", [None, "/run/dsn"], ids=["neither", "both"])
def test_the_database_wants_exactly_one_of_url_and_file(
    file: str | None, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if file is None:
        environment.delenv("NHIPSO_POSTGRES__DSN")
    else:
        environment.setenv("NHIPSO_POSTGRES__DSN_FILE", file)
    (line,) = complaints(capsys)
    assert "NHIPSO_POSTGRES__DSN and NHIPSO_POSTGRES__DSN_FILE: exactly one" in line


def test_a_complaint_never_shows_a_value(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("NHIPSO_POSTGRES__POOL_MIN", "very-secret-too")
    environment.setenv("NHIPSO_POSTGRES__DSN_FILE", "/run/dsn")
    environment.setenv("NHIPSO_HTTP", "very-secret-three")
    assert "very-secret" not in "\n".join(complaints(capsys))


def test_a_group_written_as_one_variable_is_refused_with_advice(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("NHIPSO_HTTP", "8080")
    assert "NHIPSO_HTTP" in complaints(capsys)[0]


def test_the_url_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "dsn"
    file.write_text("postgresql://db/x\n")
    assert PostgresSettings(dsn_file=file).resolve() == "postgresql://db/x"
    assert PostgresSettings(dsn=SecretStr("postgresql://db/y")).resolve() == "postgresql://db/y"


def test_an_absent_url_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretFileError, match=r"absent: No such file.*check the path"):
        PostgresSettings(dsn_file=tmp_path / "absent").resolve()


def test_a_secret_is_read_as_hexadecimal_with_blanks_stripped(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(" 00ff\n 10 \n")
    assert read_secret(file) == b"\x00\xff\x10"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"xyz", "hexadecimal"),
        (b"abc", "hexadecimal"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_a_secret_that_is_no_secret_is_refused_without_showing_it(
    content: bytes, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(SecretFileError, match=complaint) as refusal:
        read_secret(file)
    assert "xyz" not in str(refusal.value)


@pytest.mark.parametrize(
    ("set_to", "named", "why"),
    [
        (
            {"SECURITY_PROTOCOL": "SASL_SSL"},
            "NHIPSO_KAFKA__SASL_USERNAME and NHIPSO_KAFKA__SASL_PASSWORD_FILE",
            "both must be set for SASL",
        ),
        (
            {"SASL_USERNAME": "nhipso", "SASL_PASSWORD_FILE": __file__},
            "NHIPSO_KAFKA__SASL_USERNAME and NHIPSO_KAFKA__SASL_PASSWORD_FILE",
            "they are for SASL_SSL and SASL_PLAINTEXT alone",
        ),
        (
            {"SSL_CA_FILE": __file__},
            "NHIPSO_KAFKA__SSL_CA_FILE",
            "they are for SSL and SASL_SSL alone",
        ),
        (
            {"SECURITY_PROTOCOL": "SSL", "SSL_CERTIFICATE_FILE": __file__},
            "NHIPSO_KAFKA__SSL_KEY_FILE",
            "a certificate and its key go together",
        ),
        (
            {"SECURITY_PROTOCOL": "SSL", "SSL_CA_FILE": "/run/there-is-none.pem"},
            "NHIPSO_KAFKA__SSL_CA_FILE is wrong",
            "Path does not point to a file",
        ),
    ],
)
def test_what_the_protocol_to_kafka_does_not_use_is_refused(
    set_to: dict[str, str],
    named: str,
    why: str,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in set_to.items():
        environment.setenv(f"NHIPSO_KAFKA__{name}", value)
    (line,) = complaints(capsys)
    assert line.startswith(f"settings: {named}: {why}; correct ")
