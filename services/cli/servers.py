"""Where Kafka and PostgreSQL are, for the commands that look after the state of scoring.

By option, else by the variables that the services themselves read, else by the running stack.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.chassis.settings import (
    NESTING,
    PREFIX,
    KafkaSettings,
    SecretFileError,
    load,
    read_secret_text,
)
from services.cli.endpoints import read_endpoints
from services.cli.exits import USAGE, CommandError

BootstrapOption = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        envvar="NHIPSO_KAFKA__BOOTSTRAP_SERVERS",
        metavar="HOST:PORT",
        help="The Kafka broker; that of the running stack without it.",
    ),
]
PostgresOption = Annotated[
    str | None,
    typer.Option(
        "--postgres",
        envvar="NHIPSO_POSTGRES__DSN",
        metavar="DSN",
        help="The database of scoring; that of the running stack without it.",
        show_envvar=False,
    ),
]
PostgresFileOption = Annotated[
    Path | None,
    typer.Option(
        "--postgres-file",
        envvar="NHIPSO_POSTGRES__DSN_FILE",
        metavar="FILE",
        help="Holds the DSN, which is secret.",
    ),
]


class _Broker(BaseSettings):
    """What the services' variables say of the broker."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=NESTING)

    kafka: KafkaSettings


@dataclass(frozen=True, slots=True)
class Servers:
    """The broker and how it is reached, and the database (with its password)."""

    kafka: KafkaSettings
    dsn: str


def servers(
    endpoints: Path, bootstrap: str | None, postgres: str | None, postgres_file: Path | None
) -> Servers:
    """Both servers.

    Raises:
        CommandError: one is not known; the message says how to name it.
    """
    return Servers(
        broker(bootstrap or read_endpoints(endpoints).server("kafka")),
        database(endpoints, postgres, postgres_file),
    )


def broker(bootstrap: str) -> KafkaSettings:
    """The broker at an address, reached as the services' variables say: TLS, user and password.

    Raises:
        SystemExit: as `load`, when one of them is wrong.
    """
    return load(_Broker, kafka={"bootstrap_servers": bootstrap}).kafka


def database(endpoints: Path, postgres: str | None, postgres_file: Path | None) -> str:
    """The DSN of the database. Raises as `servers`."""
    if postgres is not None:
        return postgres
    if postgres_file is not None:
        try:
            return read_secret_text(postgres_file)
        except SecretFileError as error:
            raise CommandError(str(error), USAGE) from None
    return read_endpoints(endpoints).server("postgres")
