import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey

from services.chassis.problems import Problem
from services.chassis.settings import TokenSettings
from services.chassis.tokens import JwksError, TokenVerifier

NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "iss": "nhipso",
    "aud": "nhipso",
    "sub": "urn:source:residents",
    "iat": NOW,
    "exp": NOW + 86_400,
    "role": "source",
}


class Moment:
    """A clock in seconds that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = float(NOW)

    def __call__(self) -> float:
        return self.seconds


def key(kid: str = "k1") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


def write_keys(file: Path, *keys: Key, private: bool = False) -> None:
    file.write_text(json.dumps({"keys": [k.as_dict(private=private) for k in keys]}))


def header(signer: Key, alg: str = "ES256", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return "Bearer " + jwt.encode({"alg": alg, "kid": signer.kid}, claims, signer, algorithms=[alg])


@pytest.fixture
def signer() -> ECKey:
    return key()


@pytest.fixture
def jwks(tmp_path: Path, signer: ECKey) -> Path:
    file = tmp_path / "jwks.json"
    write_keys(file, signer)
    return file


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def verifier(jwks: Path, moment: Moment) -> TokenVerifier:
    return TokenVerifier(jwks, issuer="nhipso", audience="nhipso", now=moment)


def refusal(verifier: TokenVerifier, authorization: str | None) -> Problem:
    with pytest.raises(Problem) as refused:
        verifier.verify(authorization)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")
    return refused.value


def test_a_good_token_gives_its_claims(verifier: TokenVerifier, signer: ECKey) -> None:
    assert verifier.verify(header(signer)) == CLAIMS


def test_settings_make_a_verifier(jwks: Path, signer: ECKey) -> None:
    verifier = TokenVerifier.from_settings(TokenSettings(jwks_file=jwks))
    assert verifier.verify(header(signer))["role"] == "source"


def test_claims_cannot_be_changed_by_a_reader(verifier: TokenVerifier, signer: ECKey) -> None:
    claims = verifier.verify(header(signer))
    with pytest.raises(TypeError):
        claims["role"] = "operator"  # type: ignore[index]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize(
    ("alg", "signer"),
    [
        ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "ed"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "ed"})),
        ("RS256", RSAKey.generate_key(2048, {"kid": "rsa"})),
    ],
)
def test_other_signatures_by_private_keys_are_accepted(alg: str, signer: Key, jwks: Path) -> None:
    write_keys(jwks, signer)
    verifier = TokenVerifier(jwks, issuer="nhipso", audience="nhipso")
    assert verifier.verify(header(signer, alg)) == CLAIMS


@pytest.mark.parametrize("authorization", [None, ""])
def test_without_a_token_the_challenge_names_no_error(
    authorization: str | None, verifier: TokenVerifier
) -> None:
    problem = refusal(verifier, authorization)
    assert problem.headers == {"WWW-Authenticate": "Bearer"}
    assert "missing" in str(problem.detail)


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer abc",
        "Bearer a.b.c",
        "Bearer é.é.é",
        "Bearer " + "a" * 9000,
    ],
)
def test_a_malformed_header_is_refused(authorization: str, verifier: TokenVerifier) -> None:
    assert "malformed" in str(refusal(verifier, authorization).detail)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"exp": NOW - 60}, "expired"),
        ({"iss": "somebody"}, "another issuer"),
        ({"aud": "something"}, "another audience"),
        ({"aud": ["something"]}, "another audience"),
        ({"nbf": NOW + 60}, "not valid yet"),
        ({"iat": NOW + 60}, "in the future"),
        ({"exp": "soon"}, "not a time"),
        ({"exp": None}, "lacks the claim exp"),
        ({"iss": None}, "lacks the claim iss"),
        ({"aud": None}, "lacks the claim aud"),
        ({"sub": None}, "lacks the claim sub"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused_and_told_which(
    changes: Mapping[str, Any], said: str, verifier: TokenVerifier, signer: ECKey
) -> None:
    problem = refusal(verifier, header(signer, **changes))
    assert said in str(problem.detail)
    assert 'error="invalid_token"' in problem.headers["WWW-Authenticate"]
    assert "somebody" not in str(problem.detail)


def test_a_signature_by_another_key_of_the_same_name_is_refused(verifier: TokenVerifier) -> None:
    assert "signature" in str(refusal(verifier, header(key("k1"))).detail)


def test_a_changed_payload_is_refused(verifier: TokenVerifier, signer: ECKey) -> None:
    head, _, signature = header(signer).split(".")
    payload = header(signer, role="operator").split(".")[1]
    assert "signature" in str(refusal(verifier, f"{head}.{payload}.{signature}").detail)


def test_an_unsigned_token_is_refused(verifier: TokenVerifier, signer: ECKey) -> None:
    body = header(signer).split(".")[1]
    none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ"  # {"alg":"none","kid":"k1"}
    assert "not accepted" in str(refusal(verifier, f"Bearer {none}.{body}.").detail)


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(
    verifier: TokenVerifier, signer: ECKey
) -> None:
    shared = OctKey.import_key(json.dumps(signer.as_dict(private=False)).encode(), {"kid": "k1"})
    assert "not accepted" in str(refusal(verifier, header(shared, "HS256")).detail)


def test_an_algorithm_that_does_not_fit_its_key_is_refused(verifier: TokenVerifier) -> None:
    other = RSAKey.generate_key(2048, {"kid": "k1"})
    refusal(verifier, header(other, "RS256"))


def test_a_remembered_token_still_expires(
    verifier: TokenVerifier, signer: ECKey, moment: Moment
) -> None:
    authorization = header(signer, exp=NOW + 60)
    verifier.verify(authorization)
    moment.seconds += 30
    verifier.verify(authorization)
    moment.seconds += 60
    assert "expired" in str(refusal(verifier, authorization).detail)


def test_a_new_key_is_believed_and_a_withdrawn_one_no_longer_without_a_restart(
    verifier: TokenVerifier, signer: ECKey, jwks: Path
) -> None:
    old = header(signer)
    verifier.verify(old)
    successor = key("k2")
    write_keys(jwks, successor)
    os.utime(jwks, ns=(1, 1))
    verifier.verify(header(successor))
    assert "not known" in str(refusal(verifier, old).detail)


def test_an_unknown_key_is_looked_up_even_if_the_file_looks_unchanged(
    verifier: TokenVerifier, jwks: Path, moment: Moment
) -> None:
    status = jwks.stat()
    successor = key("k2")
    write_keys(jwks, successor)
    os.utime(jwks, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert jwks.stat().st_size == status.st_size
    refusal(verifier, header(successor))
    moment.seconds += 2
    verifier.verify(header(successor))


def test_a_file_that_breaks_while_running_leaves_the_former_keys_in_use(
    verifier: TokenVerifier, signer: ECKey, jwks: Path
) -> None:
    jwks.write_text("{")
    assert verifier.verify(header(signer)) == CLAIMS
    jwks.unlink()
    assert verifier.verify(header(signer)) == CLAIMS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a JWK Set"),
        ("[]", "not a JWK Set"),
        ('{"keys": []}', "not a JWK Set"),
        (json.dumps(KeySet([key()]).as_dict(private=True)), "private key"),
        (
            json.dumps(
                {"keys": [{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kid": "k1"}]}
            ),
            "oct key",
        ),
        (json.dumps(KeySet([key(), key()]).as_dict()), "two keys"),
    ],
)
def test_a_key_file_that_cannot_be_used_stops_the_start(
    content: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(content)
    with pytest.raises(JwksError, match=said):
        TokenVerifier(file, issuer="nhipso", audience="nhipso")


def test_an_absent_key_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(JwksError, match="cannot read the JWKS file"):
        TokenVerifier(tmp_path / "absent", issuer="nhipso", audience="nhipso")
