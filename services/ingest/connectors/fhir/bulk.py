"""The first fill from NDJSON files: those of a folder, or those of an export of the server.

The export is that of FHIR Bulk Data Access: kick-off, status until it is done, files, deletion.
A reading yields resources, how far it is (JSON, for the cursor) and, at its very end, the moment as
of which the files stand, from which on searches take over.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from contracts.times import parse_rfc3339
from services.chassis.clock import Clock
from services.ingest.connectors.body import limited
from services.ingest.connectors.connector import SourceError
from services.ingest.connectors.fhir.config import FhirConfig
from services.ingest.connectors.fhir.position import is_stamp
from services.ingest.connectors.fhir.queries import ELEMENTS, filters
from services.ingest.connectors.fhir.reduction import UNREADABLE
from services.ingest.connectors.fhir.server import FHIR_JSON, FhirServer, as_object

_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 16 * 1024 * 1024
_POLL_SECONDS: Final = 10.0
_MOST_MANIFEST_BYTES: Final = 8 * 1024 * 1024
_TOO_LONG: Final = "look at what the server says of its export"

Reading = tuple[list[dict[str, Any]], dict[str, Any], datetime | None]
"""Resources, how far the reading is, and at its end the moment of the files."""


class Folder:
    """NDJSON files that somebody has put into a folder, in the order of their names."""

    def __init__(self, folder: Path, as_of: datetime | None) -> None:
        self._folder = folder
        self._as_of = as_of

    async def read(self, progress: Any) -> AsyncGenerator[Reading]:
        """Read on from where `progress` says; from the first file when it is that of an export.

        Raises:
            SourceError: the folder or a file cannot be read.
        """
        known = progress or {}
        done, offset = (known["file"], known["offset"]) if "offset" in known else ("", 0)
        for path in await asyncio.to_thread(self._files):
            if path.name < done:
                continue
            place = offset if path.name == done else 0
            while True:
                where = f"{path.name} from byte {place}"
                lines, place = await asyncio.to_thread(_lines, path, place)
                if not lines:
                    break
                yield _resources(lines, where, 1), {"file": path.name, "offset": place}, None
        yield [], {}, self._as_of

    def _files(self) -> list[Path]:
        files = sorted(self._folder.glob("*.ndjson"), key=lambda path: path.name)
        if not files:
            raise SourceError(f"{self._folder}: has no files *.ndjson; put the export there")
        return files


class Export:
    """An export that is asked of the server."""

    def __init__(self, server: FhirServer, config: FhirConfig, clock: Clock) -> None:
        self._server = server
        self._config = config
        self._clock = clock
        self._ask_again_at = 0.0

    async def read(self, progress: Any) -> AsyncGenerator[Reading]:
        """Go on with the export; a reading without resources means that it is not done yet.

        Raises:
            SourceError: the server refuses, or has given up.
        """
        progress = dict(progress or {})
        if self._clock.now().timestamp() < self._ask_again_at:
            yield [], progress, None
            return
        if "status" not in progress:
            yield [], {"status": await self._kick_off()}, None
            return
        manifest = await self._manifest(progress["status"])
        if manifest is HTTPStatus.ACCEPTED:
            yield [], progress, None
            return
        if isinstance(manifest, int):
            # Failed, or forgotten by the server: asked for anew, from the first file on.
            self._wait(_POLL_SECONDS)
            yield [], {"failed": manifest}, None
            return
        with_token = manifest.get("requiresAccessToken") is not False
        kinds = self._config.resource_types
        files = [one["url"] for one in manifest["output"] if one["type"] in kinds]
        first, skip = int(progress.get("file", 0)), int(progress.get("line", 0))
        for number, url in enumerate(files[first:], start=first):
            batch: list[bytes] = []
            count = 0
            where = f"file {number} of the export"
            async with aclosing(self._server.lines(url, with_token=with_token)) as found:
                async for line in found:
                    count += 1
                    if count <= skip:
                        continue
                    batch.append(line)
                    if _is_full(batch):
                        done = progress | {"file": number, "line": count}
                        yield _resources(batch, where, count - len(batch) + 1), done, None
                        batch = []
            if batch:
                done = progress | {"file": number, "line": count}
                yield _resources(batch, where, count - len(batch) + 1), done, None
            skip = 0
        await self._delete(progress["status"])
        yield [], {}, parse_rfc3339(manifest["transactionTime"])

    async def _kick_off(self) -> str:
        kinds = self._config.resource_types
        # Both are hints, which a lenient server may leave aside.
        wanted = {
            "_type": ",".join(kinds),
            "_elements": ",".join(
                f"{kind}.{one}" for kind in kinds for one in ELEMENTS[kind].split(",")
            ),
            "_typeFilter": ",".join(
                f"{kind}?{urlencode(filters(kind, self._config))}"
                for kind in kinds
                if filters(kind, self._config)
            ),
        }
        path = self._config.bulk.export if self._config.bulk else ""
        headers = {"Accept": FHIR_JSON, "Prefer": "respond-async, handling=lenient"}
        url = f"{self._server.base}/{path}?{urlencode(wanted)}"
        async with self._server.ask("GET", url, headers) as answer:
            status = answer.headers.get("Content-Location")
            if answer.status != HTTPStatus.ACCEPTED or status is None:
                raise SourceError(
                    f"the server answers {answer.status} to {path}; check bulk.export and the scope"
                )
            self._wait(self._server.retry_after(answer))
            return self._server.link(status)

    async def _manifest(self, url: str) -> dict[str, Any] | int:
        """What the export has made, or the status when it has not."""
        async with self._server.ask("GET", url, {"Accept": "application/json"}) as answer:
            if answer.status == HTTPStatus.ACCEPTED:
                self._wait(self._server.retry_after(answer))
                return HTTPStatus.ACCEPTED
            if answer.status != HTTPStatus.OK:
                return answer.status
            manifest = as_object(await limited(answer, _MOST_MANIFEST_BYTES, _TOO_LONG))
        if not is_stamp(manifest.get("transactionTime")):
            raise SourceError("the export's manifest has no transactionTime; look at the server")
        files = manifest.setdefault("output", [])
        if not isinstance(files, list) or not all(_is_file(one) for one in files):
            raise SourceError(
                "the export's manifest names files without type and url; look at the server"
            )
        return manifest

    def _wait(self, seconds: float | None) -> None:
        self._ask_again_at = self._clock.now().timestamp() + (
            _POLL_SECONDS if seconds is None else seconds
        )

    async def _delete(self, url: str) -> None:
        """Let the server forget the files. It may have done so already."""
        async with self._server.ask("DELETE", url) as answer:
            await answer.read()


def _is_file(output: Any) -> bool:
    return isinstance(output, dict) and all(
        isinstance(output.get(name), str) for name in ("type", "url")
    )


def _lines(path: Path, offset: int) -> tuple[list[bytes], int]:
    """The next lines of a file from a byte on, and the byte behind them."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            lines: list[bytes] = []
            while not _is_full(lines) and (line := file.readline()):
                lines.append(line)
            return lines, file.tell()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({type(error).__name__})") from None


def _is_full(lines: list[bytes]) -> bool:
    return len(lines) >= _AT_ONCE or sum(map(len, lines)) >= _BYTES_AT_ONCE


def _resources(lines: list[bytes], where: str, first: int) -> list[dict[str, Any]]:
    """The resources of lines; one that is none is refused later, without its text."""
    found = []
    for number, line in enumerate(lines, start=first):
        if not line.strip():
            continue
        try:
            found.append(as_object(line))
        except SourceError:
            found.append({"resourceType": UNREADABLE, "id": f"{where}, line {number}"})
    return found
