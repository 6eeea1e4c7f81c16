"""Errors over HTTP as problem details (RFC 9457), `application/problem+json`."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

MEDIA_TYPE: Final = "application/problem+json"

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    # "default" also keeps FastAPI from describing its own form of a 422.
    "default": {
        "description": "Problem details (RFC 9457)",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status"],
                    "properties": {
                        "type": {"type": "string", "format": "uri-reference"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                    },
                }
            }
        },
    }
}
"""What OpenAPI says of every route's errors."""


class Problem(Exception):  # noqa: N818 - RFC 9457's word, and what handlers raise
    """An error to answer a request with.

    Extensions become members of the answer beside type, title, status and detail. The detail is
    read by strangers: say what is wrong with the request and what to do, nothing of the inside.
    """

    def __init__(
        self,
        status: int,
        title: str | None = None,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        type: str = "about:blank",  # noqa: A002 - RFC 9457's word
        **extensions: Any,
    ) -> None:
        self.status = status
        self.title = title or _phrase(status)
        self.detail = detail
        self.headers = dict(headers or {})
        self.type = type
        self.extensions = extensions
        super().__init__(f"{status} {self.title}" + (f": {detail}" if detail else ""))

    def body(self) -> dict[str, Any]:
        """Return the members of the answer."""
        members = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail is not None:
            members["detail"] = self.detail
        return self.extensions | members

    def response(self) -> Response:
        """Return the HTTP answer."""
        return Response(
            json.dumps(self.body(), ensure_ascii=False, default=str),
            status_code=self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def install(app: FastAPI) -> None:
    """Make every error an app answers with a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it
    return error.response()


async def _http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    phrase = _phrase(error.status_code)
    if not _has_body(error.status_code):
        return Response(status_code=error.status_code, headers=error.headers)
    detail = None if error.detail in ("", phrase) else str(error.detail)
    return Problem(error.status_code, phrase, detail, headers=error.headers).response()


async def _invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    # Where and what, never the value: a request may hold what must not be repeated or logged.
    errors = [
        {"where": ".".join(str(part) for part in item["loc"]), "detail": item["msg"]}
        for item in error.errors()
    ]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Invalid request",
        "The request does not fit the interface; see errors, and /openapi.json.",
        errors=errors,
    ).response()


async def _unexpected(_: Request, __: Exception) -> Response:
    # Starlette raises it again after the answer, so the server logs it, once.
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        detail="The service failed to answer; its log has the reason.",
    ).response()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _has_body(status: int) -> bool:
    return status >= 200 and status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
