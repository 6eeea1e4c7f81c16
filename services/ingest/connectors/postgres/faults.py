"""What a source's database may answer instead of rows, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from services.ingest.connectors.connector import SourceError

#: The first that fits speaks. What PostgreSQL itself says may hold values, so it is not repeated.
_ADVICE: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "refuses the role or its password; look at dsn_file",
    ),
    (asyncpg.InvalidCatalogNameError, "has no database of this name; look at dsn_file"),
    (asyncpg.InsufficientPrivilegeError, "lets the role not read that; see the README's grants"),
    (asyncpg.LockNotAvailableError, "keeps the table locked; it is tried again"),
    (
        asyncpg.QueryCanceledError,
        "took too long; give the watermark an index, set late, or raise statement_timeout_seconds",
    ),
    (asyncpg.TooManyConnectionsError, "has no connection left"),
    (asyncpg.UndefinedFunctionError, "is older than PostgreSQL 13"),
    (asyncpg.UndefinedTableError, "has changed: the table is gone"),
    (asyncpg.UndefinedColumnError, "has changed: a column is gone"),
    (asyncpg.PostgresError, "answers with an error"),
    (asyncpg.InterfaceError, "has gone away"),
    (asyncpg.InternalClientError, "has gone away"),
    (TimeoutError, "does not answer in time"),
    (OSError, "cannot be reached"),
)

LEAVING: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a connection may answer to being closed; it is gone in any case."""


@contextmanager
def told() -> Iterator[None]:
    """Turn what a database answers into what to look at.

    Raises:
        SourceError: instead of asyncpg's errors and those of the network.
    """
    try:
        yield
    except tuple(kind for kind, _ in _ADVICE) as error:
        if isinstance(error, ValueError) and not isinstance(error, OSError):
            # The URL itself is wrong; the message would repeat parts of it.
            raise SourceError("dsn_file holds no URL postgresql://… that can be used") from None
        advice = next(text for kind, text in _ADVICE if isinstance(error, kind))
        state = getattr(error, "sqlstate", None)
        code = f" (SQLSTATE {state})" if state else f" ({type(error).__name__})"
        raise SourceError(f"the source's database {advice}{code}") from None
