"""Start scoring: ``python -m services.scoring``, with settings from the environment."""

import gc
import sys
from typing import Final

from contracts.areas import AreasError
from contracts.catalogue import CatalogueError
from services.chassis import logs
from services.chassis.memory import give_back_large_blocks
from services.chassis.process import serve
from services.chassis.settings import load
from services.scoring.app import build
from services.scoring.settings import Configuration

#: Objects that come to stay before the collector of cycles looks, and how often it looks further.
_COLLECT_AFTER: Final = (100_000, 20, 20)


def main() -> None:
    """Read the settings, build the application and run it until a signal comes."""
    configuration = load(Configuration)
    logs.configure("scoring", configuration.log)
    try:
        app = build(configuration)
    except (AreasError, CatalogueError) as error:
        print(f"scoring: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    give_back_large_blocks()
    # Batches are tens of thousands of objects without cycles: the collector of cycles would look
    # through them again and again, for nothing.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    serve(app, configuration.http)


if __name__ == "__main__":
    main()
