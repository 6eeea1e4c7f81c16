from typing import Any

import pytest

from contracts.tokens import ClaimsError, Principal, Role, principal

SOURCE = {
    "iss": "nhipso",
    "aud": "nhipso",
    "exp": 4102444800,
    "iat": 1,
    "sub": "vneid",
    "role": "source",
    "sources": ["urn:nhipso:source:vneid"],
    "domains": ["identity"],
}


def test_a_source_may_use_its_sources_and_domains() -> None:
    assert principal(SOURCE) == Principal(
        sub="vneid",
        role=Role.SOURCE,
        sources=frozenset({"urn:nhipso:source:vneid"}),
        domains=frozenset({"identity"}),
    )


def test_a_unit_has_areas_and_an_operator_nothing_but_its_role() -> None:
    unit = principal({"sub": "u", "role": "unit", "areas": ["2025:04252", "2025:04252"]})
    assert unit.areas == {"2025:04252"}
    operator = principal({"sub": "o", "role": "operator"})
    assert (operator.sources, operator.domains, operator.areas) == (frozenset(),) * 3


@pytest.mark.parametrize("role", ["source", "unit", "operator", "leader"])
def test_the_roles_are_those_of_the_contract(role: str) -> None:
    assert principal({"sub": "x", "role": role}).role == role


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({"role": "leader"}, "sub"),
        ({"sub": "", "role": "leader"}, "sub"),
        ({"sub": 7, "role": "leader"}, "sub"),
        ({"sub": "x"}, "role"),
        ({"sub": "x", "role": "admin"}, "role"),
        ({"sub": "x", "role": None}, "role"),
        ({**SOURCE, "sources": "urn:nhipso:source:vneid"}, "sources"),
        ({**SOURCE, "sources": [1]}, "sources.0"),
        ({**SOURCE, "domains": None}, "domains"),
        ({"sub": "x", "role": "unit", "areas": {"2025:04252": True}}, "areas"),
    ],
)
def test_a_wrong_claim_is_named(claims: dict[str, Any], claim: str) -> None:
    with pytest.raises(ClaimsError, match=f"claim '{claim}"):
        principal(claims)


def test_who_calls_cannot_be_changed() -> None:
    caller = principal(SOURCE)
    with pytest.raises(ValueError, match="frozen"):
        caller.role = Role.OPERATOR  # type: ignore[misc]
