"""Who may report for whom, and read what was reported; and how files are given out."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Query, Response

from contracts.areas import Areas
from contracts.tokens import Principal, Role
from services.chassis.problems import Problem
from services.ingest.reports.core.events import DOMAIN, SOURCE

SECURITY: Final[dict[str, Any]] = {"security": [{"bearer": []}]}

Area = Annotated[str | None, Query(description="area id such as 2025:04252, or agency:<code>")]
Period = Annotated[str | None, Query(description="2026-10, 2026-Q3, 2026-H1 or 2026")]


def check_area(caller: Principal, area: str | None) -> None:
    """See that a caller may report for a unit; None is not known yet.

    Raises:
        Problem: 403 when it may not.
    """
    if caller.role is Role.SOURCE:
        if DOMAIN not in caller.domains or SOURCE not in caller.sources:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                detail=f"This source's token may not send reports: it needs the source {SOURCE} "
                f"and the domain {DOMAIN}.",
            )
    elif caller.role is Role.UNIT and area is not None and area not in caller.areas:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            detail="This token may report for its own units alone: "
            f"{', '.join(sorted(caller.areas)) or 'none'}.",
        )


def readable(caller: Principal, area: str | None, areas: Areas) -> list[str] | None:
    """The names of the reporters that a caller may read of; None: of all.

    A unit reads its own reports and those of all units below it.

    Raises:
        Problem: 403 when the one that is asked for is not among them.
    """
    seen: list[str] | None = None
    if caller.role is Role.UNIT:
        seen = sorted(
            {
                below
                for own in caller.areas
                for below in (areas.below(own) if areas.get(own) is not None else [own])
            }
        )
    else:
        check_area(caller, area)
    if area is None or seen is None:
        return seen if area is None else [area]
    if area not in seen:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            detail="This token may read the reports of its own units and of those below them.",
        )
    return [area]


def file_name(reporter: str, period: str, suffix: str = "") -> str:
    """The name under which a file is saved, without its extension."""
    return f"bao-cao-{reporter.replace(':', '-')}-{period}{suffix}"


def attachment(content: bytes, media_type: str, name: str) -> Response:
    """A file to be saved."""
    # Strangers have made it: it is for saving, never for showing.
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)
