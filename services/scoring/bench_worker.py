"""One process of the bench: scoring as it is in production, on other topics and another schema.

``python -m services.scoring.bench_worker FOLDER SCHEMA TOPIC`` is started by `bench.py`. All else
comes from the environment, as for the service. Nothing of the service is replaced: its topics are
named anew before its modules are read, its schema after. Beside that the first fetch is held until
all processes of the group have their partitions, so that no rebalance falls into the measurement.
"""

import asyncio
import importlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

from contracts import topics

#: The parent makes this file in the folder when all processes have their partitions.
GO: Final = "go"
#: Written by each process (its id follows): how many partitions it has; when its first record came.
ASSIGNED: Final = "assigned-"
BEGUN: Final = "begun-"

_LOOK_SECONDS: Final = 0.01


def own_topics(schema: str) -> tuple[str, str]:
    """The topics for figures and for refusals of a run: nobody else shall hear of them."""
    return f"{schema}.{topics.INDICATOR_EVENTS}", f"{schema}.{topics.REJECTED_EVENTS}"


def _rename_topics(schema: str, subject_events: str) -> None:
    figures, refusals = own_topics(schema)
    configs = {
        subject_events: topics.TOPIC_CONFIGS[topics.SUBJECT_EVENTS],
        figures: topics.TOPIC_CONFIGS[topics.INDICATOR_EVENTS],
        refusals: topics.TOPIC_CONFIGS[topics.REJECTED_EVENTS],
    }
    # Others read these names when they are imported, which is yet to come.
    vars(topics).update(
        SUBJECT_EVENTS=subject_events,
        INDICATOR_EVENTS=figures,
        REJECTED_EVENTS=refusals,
        TOPIC_CONFIGS=configs,
    )


def _hold_first_fetch(folder: Path, topic: str) -> None:
    """Let the consumer of `topic` wait for the others, and note when its first record comes.

    From the first record on, fetching is aiokafka's own again.
    """
    fetch = AIOKafkaConsumer.getmany
    begun = folder / f"{BEGUN}{os.getpid()}"

    async def held(self: AIOKafkaConsumer, *args: Any, **kwargs: Any) -> Mapping[Any, Any]:
        if topic in self.subscription():
            await _together(folder, self)
        fetched: Mapping[Any, Any] = await fetch(self, *args, **kwargs)
        if topic in self.subscription() and any(fetched.values()):
            _write(begun, repr(time.monotonic()))
            AIOKafkaConsumer.getmany = fetch
        return fetched

    AIOKafkaConsumer.getmany = held


async def _together(folder: Path, consumer: AIOKafkaConsumer) -> None:
    told = -1
    while not (folder / GO).exists():
        assigned = len(consumer.assignment())
        if assigned != told:
            told = assigned
            _write(folder / f"{ASSIGNED}{os.getpid()}", str(assigned))
        await asyncio.sleep(_LOOK_SECONDS)


def _write(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    half = path.with_name(f".{path.name}")
    half.write_text(text, encoding="ascii")
    half.replace(path)


def main() -> None:
    """Name things anew, then run the service until it is told to stop."""
    folder, schema, topic = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    _rename_topics(schema, topic)
    _hold_first_fetch(folder, topic)
    service: Any = importlib.import_module("services.scoring.__main__")
    app: Any = importlib.import_module("services.scoring.app")
    if not hasattr(app, "SCHEMA"):
        raise SystemExit("services.scoring.app has no SCHEMA any more; mend bench_worker")
    app.SCHEMA = schema
    service.main()


if __name__ == "__main__":
    main()
