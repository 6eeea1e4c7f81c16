"""Runs the peer once and reads its figure."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.java import find_java
from tests.bench.peer.build import PeerError

_FIGURE = re.compile(r"events_per_second=(\d+)")

#: What the figure leaves out, for each event; the peer's README says it in full.
DOES_LESS = (
    "citizens only, 12 of the 23 event types; the others are read and passed over",
    "11 criteria as one bit and one time each; scoring keeps 22 facts with their values",
    "no validation against the contract, no refusals",
    "no departures, no ages, no windows of time, no denominators",
    "area codes as sent: no units by date, no successors, no roll-up up the tree",
    "its figures are records of a topic; scoring's are rows with history and an outbox",
)


@dataclass(frozen=True, slots=True)
class Way:
    """A guarantee (`eos`: exactly-once v2, `alos`: at-least-once) and a number of threads."""

    guarantee: str
    threads: int

    @property
    def name(self) -> str:
        """For the table."""
        long = {"eos": "exactly-once v2", "alos": "at-least-once"}[self.guarantee]
        return f"Kafka Streams, {long}, {self.threads} thread{'s' if self.threads > 1 else ''}"


WAYS = (Way("eos", 1), Way("eos", 2), Way("alos", 1), Way("alos", 2))


def run_peer(
    classpath: str, bootstrap: str, topic: str, events: int, way: Way, *, timeout: float
) -> int:
    """Events a second of one run.

    Raises:
        PeerError: it failed or was not done within `timeout` seconds.
    """
    with tempfile.TemporaryDirectory(prefix="nhipso-peer-") as folder:
        argv = [
            str(find_java()),
            "-Xmx2g",
            # Its stores lie in the temporary directory of Java, and go with it.
            f"-Djava.io.tmpdir={folder}",
            "-cp",
            classpath,
            "Peer",
            *(bootstrap, topic, way.guarantee, str(way.threads), str(events)),
        ]
        try:
            done = subprocess.run(
                argv, capture_output=True, text=True, timeout=timeout, check=False, cwd=Path(folder)
            )
        except subprocess.TimeoutExpired:
            raise PeerError(f"{way.name}: not done within {timeout:g} s") from None
    figure = _FIGURE.search(done.stdout)
    if done.returncode != 0 or figure is None:
        raise PeerError(f"{way.name} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return int(figure[1])
