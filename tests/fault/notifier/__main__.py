"""Runs the notifier's fault suite: ``python -m tests.fault.notifier`` (``make test-fault-notifier``).

Prints the verdict. When something is wrong the folder with the logs is kept.
"""

import argparse
import asyncio
import logging
import secrets
import shutil
import tempfile
from pathlib import Path

from tests.fault.__main__ import say
from tests.fault.notifier.striking import POINTS
from tests.fault.notifier.suite import Asked, run


def main() -> int:
    """Read the arguments, run, print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="of the faults; else any")
    parser.add_argument("--alerts", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5, help="each strikes every point once")
    parser.add_argument(
        "--points", default=",".join(POINTS), help="by commas; with some of them these alone"
    )
    parser.add_argument("--patience", type=float, default=180.0, help="seconds")
    given = parser.parse_args()
    points = tuple(given.points.split(","))
    if unknown := set(points) - set(POINTS):
        parser.error(f"no point {min(unknown)!r}; there are: {', '.join(POINTS)}")
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    say(f"seed {seed}")
    # What Kafka's client says of a broker that is away is no news here.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="nhipso-fault-"))
    # PostgreSQL may run under another account, which must be able to enter.
    folder.chmod(0o755)
    try:
        asked = Asked(seed, given.alerts, given.rounds, points, given.patience)
        report = asyncio.run(run(folder, asked, say))
    except BaseException:
        say(f"seed {seed}; the logs are in {folder / 'logs'}")
        raise
    print(f"\n{report.table()}")
    if report.wrong:
        say(f"the logs are in {folder / 'logs'}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
