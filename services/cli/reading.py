"""Asks the services over HTTP, with errors that say what to do."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from services.cli.exits import UNREACHABLE, USAGE, CommandError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0, connect=2.0)
_DONE: Final = {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}
_OURS_TO_MEND: Final = {
    HTTPStatus.CONFLICT,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


async def get_text(
    url: str, *, token: str | None = None, parameters: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Status and body of a GET.

    Raises:
        CommandError: when nobody answers there.
    """
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(url, headers=headers, params=parameters) as response,
        ):
            return response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise CommandError(f"{url} cannot be reached: {why}", UNREACHABLE) from None


async def get_json(
    url: str, *, token: str | None = None, parameters: Mapping[str, str] | None = None
) -> Any:
    """The decoded body of a GET that succeeds.

    Raises:
        CommandError: when nobody answers, the service refuses, or the body is not JSON.
    """
    status, text = await get_text(url, token=token, parameters=parameters)
    return _decoded(url, status, text)


async def get_bytes(url: str, *, token: str | None = None) -> bytes:
    """The body of a GET that succeeds, as it is: a file.

    Raises:
        CommandError: when nobody answers, or the service refuses.
    """
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(url, headers=headers) as response,
        ):
            status, body = response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise CommandError(f"{url} cannot be reached: {why}", UNREACHABLE) from None
    if status in _DONE:
        return body
    raise _refusal(url, status, body.decode(errors="replace"))


async def post_json(
    url: str,
    body: Any,
    *,
    token: str | None = None,
    parameters: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> Any:
    """The decoded answer to a POST that succeeds; `seconds` is how long it may take.

    Raises:
        CommandError: when nobody answers, the service refuses, or the answer is not JSON.
    """
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    timeout = _TIMEOUT if seconds is None else aiohttp.ClientTimeout(total=seconds, connect=2.0)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=body, headers=headers, params=parameters) as response,
        ):
            status, text = response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise CommandError(f"{url} cannot be reached: {why}", UNREACHABLE) from None
    return _decoded(url, status, text)


async def delete(url: str, *, token: str | None = None) -> None:
    """A DELETE that succeeds.

    Raises:
        CommandError: when nobody answers, or the service refuses.
    """
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.delete(url, headers=headers) as response,
        ):
            status, text = response.status, await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        raise CommandError(f"{url} cannot be reached: {why}", UNREACHABLE) from None
    if status not in _DONE:
        raise _refusal(url, status, text)


def _decoded(url: str, status: int, text: str) -> Any:
    if status in _DONE:
        try:
            return json.loads(text)
        except ValueError as error:
            raise CommandError(f"{url} did not answer with JSON: {error}", UNREACHABLE) from None
    raise _refusal(url, status, text)


def _refusal(url: str, status: int, text: str) -> CommandError:
    code = USAGE if status in _OURS_TO_MEND else UNREACHABLE
    return CommandError(f"{url} answered {status}: {_problem(text)}", code)


def _problem(text: str) -> str:
    """What a problem-details body says, or the beginning of any other."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if isinstance(content, dict) and (said := content.get("detail") or content.get("title")):
        return str(said)
    return " ".join(text.split())[:300] or "nothing more"
