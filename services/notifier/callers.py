"""Who calls: what a token lets its bearer see, and what it lets them do."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from contracts.areas import Areas
from contracts.tokens import ClaimsError, Principal, Role, principal
from services.chassis.problems import Problem
from services.chassis.tokens import TokenVerifier


class Sight:
    """What a caller may see: the areas of a unit and all below, or None for everything."""

    def __init__(self, verifier: TokenVerifier, areas: Areas) -> None:
        self._verifier = verifier
        self._areas = areas

    def __call__(self, request: Request) -> Sequence[str] | None:
        """Read it out of the request's token.

        Raises:
            Problem: 401 for a token that is not valid, 403 for one that may not read alerts.
        """
        return self.areas_of(self.principal(request))

    def principal(self, request: Request) -> Principal:
        """Who calls.

        Raises:
            Problem: 401 for a token that is not valid, 403 for a source or wrong claims.
        """
        try:
            who = principal(self._verifier.verify(request.headers.get("authorization")))
        except ClaimsError as error:
            raise Problem(403, detail=f"{error}; get a token with the right claims") from None
        if who.role is Role.SOURCE:
            raise Problem(
                403, detail="A source may send events but not read alerts; use another token."
            )
        return who

    def areas_of(self, who: Principal) -> Sequence[str] | None:
        """The areas that somebody may see; None for all."""
        if who.role is not Role.UNIT:
            return None
        known = (area for area in who.areas if self._areas.get(area) is not None)
        return sorted({below for area in known for below in self._areas.below(area)})


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who works with alerts: the name that is kept, and the areas; None for all."""

    name: str
    areas: Sequence[str] | None

    def reaches(self, area: str | None) -> bool:
        """Whether they may act on a unit; None means all units."""
        return self.areas is None or (area is not None and area in self.areas)


class Acting:
    """Who may change something: a unit among its own units, an operator everywhere."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    def __call__(self, request: Request) -> Caller:
        """Read it out of the request's token.

        Raises:
            Problem: 401 for a token that is not valid, 403 for one that may only read.
        """
        who = self._sight.principal(request)
        if who.role is Role.LEADER:
            raise Problem(
                403, detail="A leader's token reads alerts; use a unit's or an operator's to act."
            )
        return Caller(who.sub, self._sight.areas_of(who))
