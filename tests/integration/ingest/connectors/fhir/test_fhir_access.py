"""How the connector gets its tokens: with a secret, or with an assertion signed by its key."""

import base64
import json
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from services.ingest.connectors.connector import SourceError
from tests.integration.ingest.connectors.conformance import citizen
from tests.integration.ingest.connectors.fhir.invented import encounter, patient
from tests.integration.ingest.connectors.fhir.reading import Opener, pages, places
from tests.integration.ingest.connectors.fhir.spoken import Spoken

STAMP = "2026-03-01T00:00:00.000Z"


@pytest.fixture
def guarded(spoken: Spoken) -> Spoken:
    spoken.put(patient("p", citizen(1)), encounter("e", "p"), updated=STAMP)
    spoken.token = "first-token"
    return spoken


async def test_a_client_secret(guarded: Spoken, opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("bí mật\n", encoding="utf-8")
    authorization = {
        "token_url": f"{guarded.base}/token",
        "client_id": "nhipso",
        "client_secret_file": str(tmp_path / "secret"),
        "scope": "system/Encounter.rs system/Patient.rs",
    }
    connector = opener(guarded.base, authorization=authorization)
    found = await pages(connector)
    assert places(found) == ["Encounter/e"]
    [asked] = [one for one in guarded.asked if one.path == "/fhir/token"]
    said = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic "))
    assert unquote_plus(said.decode()) == "nhipso:bí mật"
    form = next(one for one in guarded.forms if "grant_type" in one)
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == "system/Encounter.rs system/Patient.rs"
    # A token that is no longer taken is replaced at the next try.
    guarded.token = "second-token"
    with pytest.raises(SourceError, match="check authorization"):
        await pages(connector, found[-1].cursor)
    assert places(await pages(connector, None)) == ["Encounter/e"]


async def test_a_signed_assertion(guarded: Spoken, opener: Opener, tmp_path: Path) -> None:
    key = ECKey.generate_key("P-384", {"kid": "nhipso-1", "alg": "ES384"})
    (tmp_path / "key.jwk").write_text(json.dumps(key.as_dict(private=True)))
    authorization = {
        "token_url": f"{guarded.base}/token",
        "client_id": "nhipso",
        "private_key_file": str(tmp_path / "key.jwk"),
    }
    assert places(await pages(opener(guarded.base, authorization=authorization))) == ["Encounter/e"]
    form = next(one for one in guarded.forms if "grant_type" in one)
    assert form["client_assertion_type"].endswith("jwt-bearer")
    token = jwt.decode(form["client_assertion"], key, algorithms=["ES384"])
    assert token.header["kid"] == "nhipso-1"
    assert token.claims["iss"] == token.claims["sub"] == "nhipso"
    assert token.claims["aud"] == f"{guarded.base}/token"
    assert token.claims["exp"] - token.claims["iat"] == 300
    assert token.claims["jti"]


@pytest.mark.parametrize(
    "text", ["", "not a key", '{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}']
)
async def test_a_key_that_is_none_is_told_without_its_text(
    guarded: Spoken, opener: Opener, tmp_path: Path, text: str
) -> None:
    (tmp_path / "key.jwk").write_text(text)
    authorization = {
        "token_url": f"{guarded.base}/token",
        "client_id": "nhipso",
        "private_key_file": str(tmp_path / "key.jwk"),
    }
    with pytest.raises(SourceError, match=r"key\.jwk") as caught:
        await pages(opener(guarded.base, authorization=authorization))
    assert "c2Vj" not in str(caught.value)
