"""Start scoring: ``python -m services.scoring``, with settings from the environment."""

import sys

from contracts.areas import AreasError
from contracts.catalogue import CatalogueError
from services.chassis import logs
from services.chassis.process import serve
from services.chassis.settings import load
from services.scoring.app import build
from services.scoring.settings import Configuration


def main() -> None:
    """Read the settings, build the application and run it until a signal comes."""
    configuration = load(Configuration)
    logs.configure("scoring", configuration.log)
    try:
        app = build(configuration)
    except (AreasError, CatalogueError) as error:
        print(f"scoring: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    serve(app, configuration.http)


if __name__ == "__main__":
    main()
