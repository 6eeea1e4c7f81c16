"""Asks the services over HTTP, with errors that say what to do."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from services.cli.exits import UNREACHABLE, USAGE, CommandError

_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 2.0
_DONE: Final = {
    HTTPStatus.OK,
    HTTPStatus.CREATED,
    HTTPStatus.ACCEPTED,
    HTTPStatus.NO_CONTENT,
}
_OURS_TO_MEND: Final = {
    HTTPStatus.CONFLICT,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


async def ask(
    method: str,
    url: str,
    *,
    token: str | None = None,
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    content: bytes | None = None,
    seconds: float = _SECONDS,
) -> tuple[int, bytes]:
    """Status and body of an answer, whatever the status.

    Args:
        method: GET, POST or DELETE.
        url: where.
        token: goes along as the bearer's.
        parameters: of the query.
        headers: beside the token's.
        body: sent as JSON.
        content: sent as it is; not beside `body`.
        seconds: how long it may take.

    Raises:
        CommandError: when nobody answers there.
    """
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    timeout = aiohttp.ClientTimeout(total=seconds, connect=_CONNECT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                method, url, params=parameters, headers=sent, json=body, data=content
            ) as response,
        ):
            return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise CommandError(f"{url} cannot be reached: {why}", UNREACHABLE) from None


async def get_text(url: str) -> tuple[int, str]:
    """Status and body of a GET without a token, whatever the status.

    Raises:
        CommandError: when nobody answers there.
    """
    status, body = await ask("GET", url)
    return status, _text(body)


async def get_json(
    url: str, *, token: str | None = None, parameters: Mapping[str, str] | None = None
) -> Any:
    """The decoded body of a GET that succeeds.

    Raises:
        CommandError: when nobody answers, the service refuses, or the body is not JSON.
    """
    return _decoded(url, *await ask("GET", url, token=token, parameters=parameters))


async def get_bytes(url: str, *, token: str | None = None) -> bytes:
    """The body of a GET that succeeds, as it is: a file.

    Raises:
        CommandError: when nobody answers, or the service refuses.
    """
    return _done(url, *await ask("GET", url, token=token))


async def post_json(
    url: str,
    body: Any,
    *,
    token: str | None = None,
    parameters: Mapping[str, str] | None = None,
    seconds: float = _SECONDS,
) -> Any:
    """The decoded answer to a POST that succeeds, None for an empty one.

    `seconds` is how long it may take.

    Raises:
        CommandError: when nobody answers, the service refuses, or the answer is not JSON.
    """
    answer = await ask("POST", url, token=token, parameters=parameters, body=body, seconds=seconds)
    return _decoded(url, *answer)


async def delete(url: str, *, token: str | None = None) -> None:
    """A DELETE that succeeds.

    Raises:
        CommandError: when nobody answers, or the service refuses.
    """
    _done(url, *await ask("DELETE", url, token=token))


def refusal(url: str, status: int, body: bytes) -> CommandError:
    """The error that says what a service answered in place of doing it."""
    code = USAGE if status in _OURS_TO_MEND else UNREACHABLE
    return CommandError(f"{url} answered {status}: {_problem(_text(body))}", code)


def _done(url: str, status: int, body: bytes) -> bytes:
    if status not in _DONE:
        raise refusal(url, status, body)
    return body


def _decoded(url: str, status: int, body: bytes) -> Any:
    text = _text(_done(url, status, body))
    if status == HTTPStatus.NO_CONTENT:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"{url} did not answer with JSON: {error}", UNREACHABLE) from None


def _text(body: bytes) -> str:
    return body.decode(errors="replace")


def _problem(text: str) -> str:
    """What a problem-details body says, or the beginning of any other."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if isinstance(content, dict) and (said := content.get("detail") or content.get("title")):
        return "; ".join([str(said), *_faults(content.get("errors"))])
    return " ".join(text.split())[:300] or "nothing more"


def _faults(errors: Any) -> list[str]:
    """What is wrong and where, as a problem's `errors` say it."""
    faults = errors if isinstance(errors, list) else []
    return [f"{one.get('where')}: {one.get('detail')}" for one in faults if isinstance(one, dict)]
