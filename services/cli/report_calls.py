"""Fetches forms of reports from ingest and sends them back filled in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from services.cli.endpoints import Endpoints
from services.cli.exits import UNREACHABLE, USAGE, CommandError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60.0, connect=2.0)
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
    status, body = await _ask(
        "GET",
        url,
        token,
        parameters={"area": area, "period": period},
        headers={"Accept-Language": language},
    )
    if status == HTTPStatus.OK:
        return body
    raise _refusal(url, status, body)


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
    status, body = await _ask(
        "POST", url, token, parameters=parameters, headers=headers, body=content
    )
    answer = _decoded(body)
    if status in _TAKEN and answer:
        return Sent(answer, is_taken=True, is_new=status == HTTPStatus.CREATED)
    if status in _JUDGED and "errors" in answer:
        return Sent(answer, is_taken=False, is_new=False)
    raise _refusal(url, status, body)


async def _ask(
    method: str,
    url: str,
    token: str,
    *,
    parameters: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> tuple[int, bytes]:
    sent = {"Authorization": f"Bearer {token}", **headers}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.request(method, url, params=parameters, headers=sent, data=body) as response,
        ):
            return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise CommandError(f"{url} cannot be reached: {why}", UNREACHABLE) from None


def _refusal(url: str, status: int, body: bytes) -> CommandError:
    answer = _decoded(body)
    said = answer.get("detail") or answer.get("title") or "nothing more"
    is_ours = status < HTTPStatus.INTERNAL_SERVER_ERROR
    return CommandError(f"{url} answered {status}: {said}", USAGE if is_ours else UNREACHABLE)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        decoded = json.loads(body)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}
