"""What a token says about its bearer. Source: wire contract, "HTTP, notifier" (last paragraph)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Role(StrEnum):
    """In which role a caller comes."""

    SOURCE = "source"
    UNIT = "unit"
    OPERATOR = "operator"
    LEADER = "leader"


class ClaimsError(ValueError):
    """A verified token whose claims do not fit the contract."""


class Principal(BaseModel):
    """Who calls, and what a source may send or a unit may see.

    `sources` are the CloudEvents sources a source may use, `domains` the event domains
    (``identity``), `areas` the area ids of a unit.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sub: Annotated[str, Field(min_length=1)]
    role: Role
    sources: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()


def principal(claims: Mapping[str, Any]) -> Principal:
    """Read the caller out of the claims of a verified token.

    Raises:
        ClaimsError: naming the claim that is missing or wrong.
    """
    try:
        return Principal.model_validate(dict(claims))
    except ValidationError as error:
        first = error.errors()[0]
        claim = ".".join(str(part) for part in first["loc"])
        raise ClaimsError(f"claim {claim!r} of the token: {first['msg']}") from None
