"""Who may read: units, operators and leaders with a valid token; sources only send."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Header

from contracts.tokens import ClaimsError, Principal, Role, principal
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier

_READERS = frozenset({Role.UNIT, Role.OPERATOR, Role.LEADER})


def reader(verifier: TokenVerifier) -> Callable[[str | None], Principal]:
    """A dependency that lets readers in and answers 401 or 403 to all others."""

    def check(authorization: Annotated[str | None, Header()] = None) -> Principal:
        try:
            caller = principal(verifier.verify(authorization))
        except ClaimsError as error:
            raise Problem(403, detail=str(error)) from None
        if caller.role not in _READERS:
            detail = f"a token of role {caller.role} may not read figures"
            raise Problem(403, detail=detail)
        return caller

    return check
