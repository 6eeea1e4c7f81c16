"""`python -m deploy.secrets` makes every secret that docker-compose.yml mounts, once."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts import areas, rejected
from contracts.tokens import Role, principal
from deploy import secrets
from services.chassis.settings import PostgresSettings, read_secret
from services.chassis.tokens import TokenVerifier
from services.notifier.receivers import reading as receivers
from tests.contract.compose import reading

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("secrets") / "new"
    secrets.write(made, NOW)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_mounted_file_is_made(folder: Path) -> None:
    mounted = reading.resolved(reading.env_file())["secrets"]
    own = {"tokens_private.jwk", "tokens"}
    assert {path.name for path in folder.iterdir()} == set(mounted) | own


def test_containers_may_read_what_is_mounted_in_a_folder_closed_to_others(folder: Path) -> None:
    assert mode(folder) == mode(folder / "tokens") == 0o700
    for name in reading.resolved(reading.env_file())["secrets"]:
        assert mode(folder / name) == 0o644, name
    assert mode(folder / "tokens_private.jwk") == 0o600
    assert {mode(token) for token in (folder / "tokens").iterdir()} == {0o600}


def test_a_second_run_changes_nothing(folder: Path) -> None:
    before = contents(folder)
    assert secrets.main([str(folder)]) == 0
    assert contents(folder) == before


def test_what_was_removed_is_made_anew(tmp_path: Path) -> None:
    secrets.write(tmp_path, NOW)
    before = contents(tmp_path)
    (tmp_path / "tokens/vneid.jwt").unlink()
    secrets.write(tmp_path, NOW.replace(year=NOW.year + 1, day=1))
    after = contents(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"tokens/vneid.jwt"}


def test_the_keys_of_an_identity_provider_stay(tmp_path: Path) -> None:
    secrets.write(tmp_path, NOW)
    jwks = tmp_path / "jwks.json"
    (own,) = json.loads(jwks.read_text(encoding="utf-8"))["keys"]
    other = {**own, "kid": "of-the-provider"}
    jwks.write_text(json.dumps({"keys": [other]}), encoding="utf-8")
    secrets.write(tmp_path, NOW)
    assert json.loads(jwks.read_text(encoding="utf-8"))["keys"] == [own, other]


def test_the_tokens_are_believed_and_say_who_may_do_what(folder: Path) -> None:
    verifier = TokenVerifier(folder / "jwks.json", issuer="nhipso", audience="nhipso")

    def caller(path: Path) -> tuple[Role, frozenset[str], frozenset[str]]:
        token = path.read_text(encoding="utf-8").strip()
        found = principal(verifier.verify(f"Bearer {token}"))
        return found.role, found.domains, found.areas

    tokens = folder / "tokens"
    nothing: frozenset[str] = frozenset()
    assert caller(tokens / "vneid.jwt") == (Role.SOURCE, frozenset({"identity"}), nothing)
    assert caller(tokens / "operator.jwt") == (Role.OPERATOR, nothing, nothing)
    unit = caller(tokens / "unit-2025-04252.jwt")
    assert unit == (Role.UNIT, nothing, frozenset({"2025:04252"}))
    assert caller(folder / "dashboard_token") == (Role.LEADER, nothing, nothing)


def test_the_services_can_read_their_secrets(folder: Path) -> None:
    assert len(read_secret(folder / "pseudonym_key")) >= 32
    private = rejected.read_key(folder / "rejections_private.jwk")
    public = rejected.read_key(folder / "rejections_public.jwk")
    assert rejected.unseal(private, rejected.seal(public, b"original")) == b"original"
    dsn = PostgresSettings(dsn_file=folder / "postgres_dsn").resolve()
    assert dsn.startswith("postgresql://nhipso:")
    assert dsn.endswith("@postgres:5432/nhipso")
    assert (folder / "postgres_password").read_text(encoding="utf-8").strip() not in dsn
    assert receivers.read(folder / "receivers.yaml", areas.load()).audiences == []


def test_the_example_of_receivers_can_be_used_as_it_is(folder: Path, tmp_path: Path) -> None:
    text = (folder / "receivers.yaml").read_text(encoding="utf-8")
    example = "\n".join(line.removeprefix("#") for line in text.splitlines() if "#   " in line)
    (tmp_path / "receivers.yaml").write_text(f"receivers:\n{example}\n", encoding="utf-8")
    found = receivers.read(tmp_path / "receivers.yaml", areas.load())
    assert found.audiences == ["unit:2025:15", "group:chuyen-doi-so"]
    assert found.title("group:chuyen-doi-so") is not None


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert secrets.main([str(tmp_path / "file" / "secrets")]) == 1
    assert str(tmp_path / "file" / "secrets") in capsys.readouterr().err
