"""Starts ingest: ``python -m services.ingest``, settings from the environment."""

import sys

from contracts.rejected import SealError
from services.chassis import logs, settings
from services.chassis.process import serve
from services.chassis.settings import SecretFileError
from services.chassis.tokens import JwksError
from services.ingest.app import build
from services.ingest.settings import IngestSettings


def main() -> None:
    """Run the service until a signal stops it."""
    configured = settings.load(IngestSettings)
    logs.configure("ingest", configured.log)
    try:
        app = build(configured)
    except (SecretFileError, SealError, JwksError, ValueError) as error:
        print(f"settings: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    serve(app, configured.http)


if __name__ == "__main__":
    main()
