"""A real HAPI FHIR server for the tests: fetched and compiled when first asked for, then kept."""

import asyncio
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from deploy.embedded import program
from deploy.embedded.child import Child
from deploy.embedded.fetch import fetch, trust_the_machine
from deploy.embedded.jars import sha256
from deploy.embedded.java import find_java
from deploy.embedded.ports import LOOPBACK
from tests.integration.ingest.connectors.fhir.hapi_jars import HAPI

_SOURCE: Final = Path(__file__).with_name("HapiServer.java")
_COMPILER: Final = "org.eclipse.jdt.internal.compiler.batch.Main"
_AT_ONCE: Final = 8


class Hapi:
    """HAPI's plain server, its resources in memory; started like the embedded programs."""

    name = "hapi-fhir"

    def __init__(self, directory: Path, *, port: int) -> None:
        self.root = f"http://{LOOPBACK}:{port}"
        self.release = "r4b"
        self._port = port
        self.child = Child(
            name=self.name,
            argv=(),
            log=directory / "hapi.log",
            cwd=directory,
            env=os.environ.copy(),
            stop_signal=signal.SIGTERM,
        )

    @property
    def base(self) -> str:
        """Where the resources of the present release are."""
        return f"{self.root}/{self.release}"

    def start(self) -> None:
        classes = compiled()
        self.child.argv = [
            str(find_java()),
            "-XX:+UseSerialGC",
            "-Xmx256m",
            "-cp",
            os.pathsep.join(map(str, [*HAPI.classpath(), classes])),
            "HapiServer",
            str(self._port),
        ]
        self.child.start()

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base}/metadata", timeout=1):  # noqa: S310 - ours
                return True
        except OSError:
            return False

    def prepare(self) -> None:
        """Nothing: it keeps its resources in memory."""

    def before_start(self) -> None:
        """Nothing is in its way."""

    def wait_ready(self, timeout: float) -> None:
        program.wait_ready(self, timeout)

    def stop(self) -> None:
        self.child.stop(10)

    async def reset(self) -> None:
        """Remove all resources."""
        async with aiohttp.ClientSession() as http, http.post(f"{self.root}/reset") as answer:
            answer.raise_for_status()

    async def put(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Store resources under their ids, in any order."""
        waiting = iter(resources)

        async def work(http: aiohttp.ClientSession) -> None:
            for one in waiting:
                url = f"{self.base}/{one['resourceType']}/{one['id']}"
                headers = {"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}
                async with http.put(url, json=one, headers=headers) as answer:
                    answer.raise_for_status()

        async with aiohttp.ClientSession() as http:
            await asyncio.gather(*(work(http) for _ in range(_AT_ONCE)))


def compiled() -> Path:
    """The folder with the server's classes, made from its source when that is new."""
    trust_the_machine()
    fetch(HAPI)
    classes = HAPI.share / f"classes-{sha256(_SOURCE)[:16]}"
    if not (classes / "HapiServer.class").exists():
        made = classes.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [
                str(find_java()),
                "-cp",
                os.pathsep.join(map(str, HAPI.classpath())),
                _COMPILER,
                *("-source", "17", "-target", "17", "-proc:none", "-nowarn"),
                *("-cp", os.pathsep.join(map(str, HAPI.classpath()))),
                *("-d", str(made), str(_SOURCE)),
            ],
            check=True,
        )
        if not classes.exists():
            made.rename(classes)
    return classes
