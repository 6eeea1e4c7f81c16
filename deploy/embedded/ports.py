"""Ports on loopback."""

import errno
import socket
from collections.abc import Mapping

from deploy.embedded.errors import StackError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: an address that only lingers after its last connection is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
        return True


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(ports: Mapping[str, int]) -> None:
    """Check that every port is free, given what each is for.

    Raises:
        StackError: naming each port that is taken and what it was meant for.
    """
    taken = [f"{port} ({purpose})" for purpose, port in ports.items() if not is_free(port)]
    if taken:
        what = f"port {taken[0]} is" if len(taken) == 1 else f"ports {', '.join(taken)} are"
        raise StackError(
            f"{what} taken on {LOOPBACK}; stop the program that listens there "
            "or choose other ports with --port-base"
        )
