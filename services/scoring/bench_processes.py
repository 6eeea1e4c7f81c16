"""The processes of the bench: started together, watched, stopped."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from joserfc.jwk import ECKey

from contracts.topics import INDICATOR_EVENTS, REJECTED_EVENTS
from services.scoring.bench_gate import ASSIGNED, BEGUN, CROSS, GO, LINE
from services.scoring.settings import TopicSettings

_LOOK_SECONDS: Final = 0.05
_STOP_SECONDS: Final = 30.0
_LOG_END: Final = 2_000
#: Of a service's settings: its knobs, and whose units and rules the topic speaks of.
_KEPT: Final = ("NHIPSO_SCORING__", "NHIPSO_AREAS__", "NHIPSO_CATALOGUE__")


class BenchError(Exception):
    """The bench cannot be run or did not come to its end; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the processes are told, all the same; they read `topic` and tell nobody."""

    bootstrap: str
    topic: str
    dsn: str
    schema: str

    @property
    def topics(self) -> TopicSettings:
        """The topics of a run: nobody else shall hear of its figures and refusals."""
        return TopicSettings(
            subject_events=self.topic,
            indicator_events=f"{self.schema}.{INDICATOR_EVENTS}",
            rejected_events=f"{self.schema}.{REJECTED_EVENTS}",
        )


class Processes:
    """Scoring processes of one group, from their start to their end.

    Use it as `with Processes(folder, service, count, line) as processes:`. The folder is private
    and empty: it holds secrets, logs, and what the processes tell. The line says at which offset
    of each partition they wait until `cross_line`; an empty one is none.
    """

    def __init__(self, folder: Path, service: Service, count: int, line: Mapping[int, int]) -> None:
        self._folder = folder
        self._service = service
        self._count = count
        self._line = line
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start all processes."""
        if self._line:
            (self._folder / LINE).write_text(json.dumps(dict(self._line)), encoding="ascii")
        arguments = (str(self._folder), self._service.topic)
        environment = self._environment()
        for number in range(self._count):
            with self._log(number).open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-m", "services.scoring.bench_worker", *arguments],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            self._running.append(process)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all processes: as a service is stopped, by force after 30 seconds."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            process.kill()
            process.wait()

    async def settle(self, partitions: int) -> None:
        """Wait until each process has partitions and all are given out.

        Raises:
            BenchError: a process has ended.
        """
        while True:
            self.check()
            told = await asyncio.to_thread(self._told, ASSIGNED)
            assigned = [int(text) for text in told]
            if len(assigned) == self._count and all(assigned) and sum(assigned) == partitions:
                break
            await asyncio.sleep(_LOOK_SECONDS)

    def set_off(self) -> None:
        """Let all processes fetch, up to the line if there is one."""
        (self._folder / GO).touch()

    def cross_line(self) -> None:
        """Let all processes go on from where they wait."""
        (self._folder / CROSS).touch()

    def begun_at(self) -> float:
        """When the first record behind the line reached a process, by the monotonic clock.

        Raises:
            BenchError: no process has told of one.
        """
        told = self._told(BEGUN)
        if not told:
            raise BenchError("no process has told when its first record came; mend bench_gate")
        return min(float(text) for text in told)

    def check(self) -> None:
        """Raises BenchError, with the end of its log, when a process has ended."""
        for number, process in enumerate(self._running):
            if process.poll() is not None:
                end = self._log(number).read_text("utf-8", "replace")[-_LOG_END:]
                raise BenchError(
                    f"scoring process {number} ended with code {process.returncode}; "
                    f"its log ends:\n{end}"
                )

    def cpu_seconds(self) -> Sequence[float | None]:
        """CPU time of each process so far, None where the system has no /proc."""
        return [_cpu_seconds(process.pid) for process in self._running]

    def peak_memory_bytes(self) -> Sequence[int | None]:
        """The most memory each process has had resident, None where the system has no /proc."""
        return [_peak_memory_bytes(process.pid) for process in self._running]

    def _told(self, what: str) -> list[str]:
        return [path.read_text("ascii") for path in self._folder.glob(f"{what}*")]

    def _log(self, number: int) -> Path:
        return self._folder / f"process-{number}.log"

    def _environment(self) -> Mapping[str, str]:
        """The environment of a service, with keys that are made for this run alone."""
        private = ECKey.generate_key("P-256", auto_kid=False)
        public = private.as_dict(private=False)
        # PYTHONPATH and the like stay; settings of a service that runs here must not get in.
        kept = {
            name: text
            for name, text in os.environ.items()
            if name.startswith(_KEPT) or not name.startswith("NHIPSO_")
        }
        return {
            **kept,
            "NHIPSO_HTTP__PORT": "0",
            "NHIPSO_LOG__LEVEL": "warning",
            "NHIPSO_KAFKA__BOOTSTRAP_SERVERS": self._service.bootstrap,
            "NHIPSO_POSTGRES__DSN_FILE": self._secret("dsn", self._service.dsn),
            "NHIPSO_TOKENS__JWKS_FILE": self._secret("jwks.json", json.dumps({"keys": [public]})),
            "NHIPSO_REJECTIONS__PUBLIC_KEY_FILE": self._secret("key.json", json.dumps(public)),
            "NHIPSO_SCORING__GROUP_ID": self._service.schema,
            "NHIPSO_SCORING__DATABASE_SCHEMA": self._service.schema,
            **{
                f"NHIPSO_SCORING__TOPICS__{name.upper()}": topic
                for name, topic in self._service.topics
            },
        }

    def _secret(self, name: str, text: str) -> str:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return str(path)


def _cpu_seconds(pid: int) -> float | None:
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return None
    # After the name, which may hold blanks and brackets: state is the first, utime the twelfth.
    fields = told.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_memory_bytes(pid: int) -> int | None:
    try:
        told = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return None
    for line in told.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
