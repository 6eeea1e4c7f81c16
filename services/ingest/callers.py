"""Who may call the routes beside ``POST /v1/events``, by role."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Header

from contracts.tokens import ClaimsError, Principal, Role, principal
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier


def callers(tokens: TokenVerifier, *roles: Role) -> Callable[[str | None], Principal]:
    """A dependency that lets these roles in and answers 401 or 403 to all others."""

    def check(authorization: Annotated[str | None, Header()] = None) -> Principal:
        try:
            caller = principal(tokens.verify(authorization))
        except ClaimsError as error:
            raise Problem(HTTPStatus.FORBIDDEN, detail=str(error)) from None
        if caller.role not in roles:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                detail=f"A token of the role {caller.role} may not do this; "
                f"use one of the role {' or '.join(roles)}.",
            )
        return caller

    return check
