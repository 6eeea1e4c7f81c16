"""Asks a process whether it is ready: `python -m services.chassis.probe URL`; for health checks.

Exit code 0 after an answer of 200, 1 after any other or none, 2 without a URL. It imports nothing
but the standard library, because it is started every few seconds.
"""

import http.client
import sys
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 4.0


def objection(url: str, *, timeout: float = TIMEOUT_SECONDS) -> str | None:
    """Return None if `GET url` (plain HTTP) is answered by 200 within seconds, else the reason.

    The reason holds at most the first 500 characters of the answer.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        return f"{url} is no http:// URL; give one such as http://127.0.0.1:8080/readyz"
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        if answer.status == http.client.OK:
            return None
        body = answer.read(500).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error or type(error).__name__}"
    finally:
        connection.close()
    return f"{url} answers {answer.status}: {body}"


def main(arguments: Sequence[str]) -> int:
    """Probe the one URL given; say the reason on standard error if it is not ready."""
    if len(arguments) != 1:
        print("usage: python -m services.chassis.probe URL", file=sys.stderr)  # noqa: T201
        return 2
    reason = objection(arguments[0])
    if reason is None:
        return 0
    print(reason, file=sys.stderr)  # noqa: T201 - the container engine keeps it with the check
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
