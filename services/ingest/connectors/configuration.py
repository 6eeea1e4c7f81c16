"""Reads which connectors there are, from one YAML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts import yaml_file
from services.ingest.connectors.connector import Configured, Kind
from services.ingest.core.check import DOMAINS


class ConfigurationError(ValueError):
    """The file of connectors cannot be used; the message says where and what it should hold."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    kind: str
    source: Annotated[str, Field(min_length=1, max_length=256)]
    domains: Annotated[frozenset[str], Field(min_length=1)]
    interval_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    config: dict[str, Any] = {}


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    connectors: list[_Entry]


_EXAMPLE: Final = "see docs/howto/connect-a-source.md for an example"


def read(path: Path | None, kinds: Mapping[str, Kind[Any]]) -> list[Configured[Any]]:
    """Read the connectors of a file; none without one. Names are unique.

    Relative paths in a config are for its connector to read; secrets are named by files, never
    written into this one.

    Raises:
        ConfigurationError: with the file, the connector and the field.
    """
    if path is None:
        return []
    try:
        entries = yaml_file.read(path, _File, ConfigurationError).connectors
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}; {_EXAMPLE}") from None
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{path}: two connectors are called {name}; rename one")
    return [_configured(path, entry, kinds) for entry in entries]


def _configured(path: Path, entry: _Entry, kinds: Mapping[str, Kind[Any]]) -> Configured[Any]:
    where = f"{path}: connector {entry.name}"
    kind = kinds.get(entry.kind)
    if kind is None:
        raise ConfigurationError(
            f"{where}: there is no kind {entry.kind!r}; use one of {', '.join(sorted(kinds))}"
        )
    unknown = entry.domains - DOMAINS
    if unknown:
        raise ConfigurationError(
            f"{where}: no event has the domain {', '.join(sorted(unknown))}; "
            f"the domains are {', '.join(sorted(DOMAINS))}"
        )
    try:
        config = kind.config.model_validate(entry.config)
    except ValidationError as error:
        raise ConfigurationError(f"{where}: {yaml_file.faults(error, 'config')}") from None
    return Configured(
        name=entry.name,
        kind=entry.kind,
        source=entry.source,
        domains=entry.domains,
        interval_seconds=entry.interval_seconds,
        config=config,
    )
