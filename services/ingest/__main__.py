"""Starts ingest: ``python -m services.ingest``, settings from the environment."""

import gc
import sys
from typing import Final

from contracts.rejected import SealError
from services.chassis import logs, settings
from services.chassis.process import serve
from services.chassis.settings import SecretFileError
from services.chassis.tokens import JwksError
from services.ingest.app import build
from services.ingest.settings import IngestSettings

#: Objects that come to stay before the collector of cycles looks, and how often it looks further.
_COLLECT_AFTER: Final = (100_000, 20, 20)


def main() -> None:
    """Run the service until a signal stops it."""
    configured = settings.load(IngestSettings)
    logs.configure("ingest", configured.log)
    try:
        app = build(configured)
    except (SecretFileError, SealError, JwksError, ValueError) as error:
        print(f"settings: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    # A batch is thousands of objects without cycles: the collector of cycles would look through
    # them and all units again and again, for nothing; it took a third of the time.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    serve(app, configured.http)


if __name__ == "__main__":
    main()
