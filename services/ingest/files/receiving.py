"""Brings the file of a request to disk, whether it is the body itself or the file of a form."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import PurePath
from typing import IO, Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.chassis.problems import Problem
from services.ingest.body import bounded
from services.ingest.files.reading import MEDIA_TYPES, Form

MULTIPART: Final = "multipart/form-data"

_LONGEST_NAME: Final = 200


@asynccontextmanager
async def received_file(
    request: Request, form: Form | None, name: str | None, limit: int
) -> AsyncIterator[tuple[IO[bytes], str]]:
    """The file of a request, on disk, and its name, whose ending says what it is.

    Args:
        request: the request.
        form: what it says that the file is; else its media type or the name tells.
        name: what the sender calls the file; else the form's part tells.
        limit: most bytes of the body, after decompression.

    Raises:
        Problem: 400, 413 or 415; the file cannot be received.
    """
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == MULTIPART:
        async with _of_form(request, limit) as (upload, sent_as):
            yield upload, _named(name or sent_as, form)
        return
    declared = form or MEDIA_TYPES.get(media_type)
    if declared is None or not _is_unicode(content_type):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            detail=f"Send {', '.join(MEDIA_TYPES)} or a form ({MULTIPART}); texts are UTF-8.",
        )
    with tempfile.TemporaryFile() as stream:
        async for chunk in bounded(request, limit):
            stream.write(chunk)
        stream.flush()
        yield stream, _named(name, declared)


@asynccontextmanager
async def _of_form(request: Request, limit: int) -> AsyncIterator[tuple[IO[bytes], str | None]]:
    parser = MultiPartParser(request.headers, bounded(request, limit), max_files=1, max_fields=8)
    try:
        sent = await parser.parse()
    except MultiPartException as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST, detail=f"The form cannot be read: {error.message}"
        ) from None
    try:
        uploads = [part for part in sent.values() if isinstance(part, UploadFile)]
        if not uploads:
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                detail="The form holds no file; send one, for example as the field `file`.",
            )
        upload = uploads[0]
        upload.file.fileno()  # puts it on disk, where another process can read it
        yield upload.file, upload.filename
    finally:
        await sent.close()


def _named(name: str | None, form: Form | None) -> str:
    base = PurePath((name or "").replace("\\", "/")).name[-_LONGEST_NAME:] or "file"
    return base if form is None else f"{PurePath(base).stem}.{form}"


def _is_unicode(content_type: str) -> bool:
    _, found, charset = content_type.lower().partition("charset=")
    return not found or charset.partition(";")[0].strip(' "') in ("utf-8", "utf8", "us-ascii")
