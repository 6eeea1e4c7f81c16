import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts import areas
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.tokens import Role, principal
from deploy.embedded.tokens import SigningKey, issue_all
from services.chassis.problems import Problem
from services.chassis.settings import TokenSettings
from services.chassis.tokens import TokenVerifier

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture
def verifier(tmp_path: Path, key: SigningKey) -> TokenVerifier:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(key.jwks()))
    return TokenVerifier.from_settings(TokenSettings(jwks_file=file))


def test_every_token_is_believed_by_a_service(key: SigningKey, verifier: TokenVerifier) -> None:
    for name, token in issue_all(key, ["2025:15", "2025:04252"], NOW).items():
        caller = principal(verifier.verify(f"Bearer {token}"))
        assert caller.sub == name


def test_each_source_may_send_its_own_domain_only(key: SigningKey, verifier: TokenVerifier) -> None:
    tokens = issue_all(key, [], NOW)
    for domain, urn in SOURCE_OF_DOMAIN.items():
        caller = principal(verifier.verify(f"Bearer {tokens[urn]}"))
        assert caller.role == Role.SOURCE
        assert caller.sources == {urn}
        assert caller.domains == {domain}


def test_a_unit_reads_as_itself(key: SigningKey, verifier: TokenVerifier) -> None:
    token = issue_all(key, ["2025:04252"], NOW)["unit:2025:04252"]
    caller = principal(verifier.verify(f"Bearer {token}"))
    assert caller.role == Role.UNIT
    assert caller.areas == {"2025:04252"}


def test_the_present_province_and_its_99_communes_get_tokens(key: SigningKey) -> None:
    units = [area.area_id for area in areas.load().on(NOW.date())]
    named = [name for name in issue_all(key, units, NOW) if name.startswith("unit:2025:")]
    assert len(named) == len(units) == 100
    assert "unit:2025:04252" in named


def test_a_token_ends(key: SigningKey, verifier: TokenVerifier) -> None:
    claims = {"sub": "operator", "role": "operator"}
    token = key.issue(claims, NOW - timedelta(days=366))
    with pytest.raises(Problem, match="expired"):
        verifier.verify(f"Bearer {token}")


def test_the_public_keys_hold_nothing_secret(key: SigningKey) -> None:
    assert "d" in key.private_jwk()
    assert all("d" not in public for public in key.jwks()["keys"])
