"""One process of the bench: scoring as it is in production, held where all have to wait.

``python -m services.scoring.bench_worker FOLDER TOPIC`` is started by `bench.py`. All else comes
from the environment, as for the service; nothing of the service is replaced. Only fetching is held
where all processes have to wait for each other (`bench_gate.py`).
"""

import sys
from pathlib import Path

from services.scoring.__main__ import main as serve
from services.scoring.bench_gate import Gate


def main() -> None:
    """Run the service until it is told to stop."""
    folder, topic = Path(sys.argv[1]), sys.argv[2]
    Gate(folder, topic).close()
    serve()


if __name__ == "__main__":
    main()
