"""Runs the fault suite: ``python -m tests.fault`` (``make test-fault``).

Prints what struck and the verdict. When something is wrong the folder with the logs is kept.
"""

import argparse
import asyncio
import logging
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.fault.plan import plan, read
from tests.fault.suite import run


def main() -> int:
    """Read the arguments, run, print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="of events and faults; else any")
    parser.add_argument("--events", type=int, default=100_000, help="at least so many are sent")
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument(
        "--plan", help="faults by commas, volleys by semicolons: 'kill shard.before-commit; …'"
    )
    asked = parser.parse_args()
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    say(f"seed {seed}")
    try:
        volleys = plan(seed, asked.faults) if asked.plan is None else read(asked.plan)
    except ValueError as error:
        parser.error(str(error))
    # What Kafka's client says of a broker that is away is no news here.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="nhipso-fault-"))
    try:
        report = asyncio.run(run(folder, seed, asked.events, volleys, say))
    except BaseException:
        say(f"seed {seed}; the logs are in {folder / 'logs'}")
        raise
    print(f"\n{report.table()}")
    if not report.is_right:
        say(f"the logs are in {folder / 'logs'}")
        return 1
    shutil.rmtree(folder)
    return 0


def say(text: str) -> None:
    """Tell how far it is; the verdict alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
