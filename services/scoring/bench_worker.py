"""One process of the bench: scoring as it is in production, on other topics and another schema.

``python -m services.scoring.bench_worker FOLDER SCHEMA TOPIC`` is started by `bench.py`. All else
comes from the environment, as for the service. Nothing of the service is replaced: its topics are
named anew before its modules are read, its schema after. Beside that fetching is held where all
processes have to wait for each other (`bench_gate.py`).
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from contracts import topics
from services.scoring.bench_gate import Gate


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


def main() -> None:
    """Name things anew, then run the service until it is told to stop."""
    folder, schema, topic = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    _rename_topics(schema, topic)
    Gate(folder, topic).close()
    service: Any = importlib.import_module("services.scoring.__main__")
    app: Any = importlib.import_module("services.scoring.app")
    if not hasattr(app, "SCHEMA"):
        raise SystemExit("services.scoring.app has no SCHEMA any more; mend bench_worker")
    app.SCHEMA = schema
    service.main()


if __name__ == "__main__":
    main()
