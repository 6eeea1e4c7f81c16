"""The local mail server: takes every message and keeps it as a file. Nothing leaves the machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.embedded.errors import StackError
from deploy.embedded.ports import LOOPBACK


class _Keeper:
    """Writes each message to its own `.eml` file, whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = count(1)

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one message; called by position."""
        content = envelope.original_content or b""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        name = f"{moment}-{os.getpid()}-{next(self._numbers)}.eml"
        partial = self._directory / f".{name}"
        partial.write_bytes(content)
        partial.rename(self._directory / name)
        return "250 kept"


@contextmanager
def mail_server(directory: Path, port: int) -> Iterator[None]:
    """Take mail on this port of loopback, in a thread of this process, as long as the block lasts.

    Raises:
        StackError: the server cannot listen there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    controller = Controller(_Keeper(directory), hostname=LOOPBACK, port=port, ready_timeout=2)
    try:
        controller.start()
    except OSError as error:
        if not controller.loop.is_running():  # its thread has ended and left it open
            controller.loop.close()
        raise StackError(
            f"the local mail server cannot listen on port {port}: {error}; "
            "choose other ports with --port-base"
        ) from error
    try:
        yield
    finally:
        controller.stop()
