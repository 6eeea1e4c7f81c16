"""Fetches forms of reports from ingest and sends them back filled in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from services.cli.endpoints import Endpoints
from services.cli.reading import ask, refusal

_SECONDS: Final = 60.0
_JUDGED: Final = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
_TAKEN: Final = {HTTPStatus.OK, HTTPStatus.CREATED}


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a report: the answer, and whether it was taken."""

    answer: dict[str, Any]
    is_taken: bool
    is_new: bool

    @property
    def faults(self) -> list[dict[str, Any]]:
        """What is wrong with it, cell by cell."""
        return [one for one in self.answer.get("errors", []) if isinstance(one, dict)]


def token_for(stack: Endpoints, area: str | None, token: str | None) -> str:
    """The token to report for a unit with: the one that was given, the unit's or the operator's.

    Raises:
        CommandError: there is none.
    """
    if token is not None:
        return token
    own = stack.tokens.get(f"unit:{area}")
    return own if own is not None else stack.token("operator")


async def fetch_form(stack: Endpoints, token: str, area: str, period: str, language: str) -> bytes:
    """The form of a unit and period.

    Raises:
        CommandError: when nobody answers, or there is no such form.
    """
    url = f"{stack.url('ingest')}/v1/reports/template"
    status, body = await ask(
        "GET",
        url,
        token=token,
        parameters={"area": area, "period": period},
        headers={"Accept-Language": language},
        seconds=_SECONDS,
    )
    if status == HTTPStatus.OK:
        return body
    raise refusal(url, status, body)


async def send_file(
    stack: Endpoints,
    token: str,
    *,
    content: bytes,
    media_type: str,
    parameters: Mapping[str, str],
    language: str,
) -> Sent:
    """Send a filled form.

    Raises:
        CommandError: when nobody answers, or the service cannot judge it now.
    """
    url = f"{stack.url('ingest')}/v1/reports"
    headers = {"Content-Type": media_type, "Accept-Language": language}
    status, body = await ask(
        "POST",
        url,
        token=token,
        parameters=parameters,
        headers=headers,
        content=content,
        seconds=_SECONDS,
    )
    answer = _decoded(body)
    if status in _TAKEN and answer:
        return Sent(answer, is_taken=True, is_new=status == HTTPStatus.CREATED)
    if status in _JUDGED and "errors" in answer:
        return Sent(answer, is_taken=False, is_new=False)
    raise refusal(url, status, body)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
