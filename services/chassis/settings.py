"""Settings from the environment: read once, typed, nested; a mistake names its variable.

Variables start with `NHIPSO_` and nest by `__`: `NHIPSO_KAFKA__BOOTSTRAP_SERVERS`. A value that is
secret is given by file.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

PREFIX: Final = "NHIPSO_"
NESTING: Final = "__"

_HOST_PORT: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s,:\[\]]+):\d{1,5}")


class SecretFileError(Exception):
    """A file that holds a secret cannot be used; the message says which and what to do."""


class Settings(BaseModel):
    """A group of settings under one name; frozen, so it may be passed around."""

    model_config = ConfigDict(frozen=True)


class HttpSettings(Settings):
    """Where the process listens for HTTP."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class KafkaSettings(Settings):
    """The broker, how it is reached, and the shape of topics the process creates when absent.

    Names as in Kafka's own configuration; certificates and the key (without a passphrase) are PEM.
    """

    bootstrap_servers: str
    partitions: int = Field(default=12, ge=1)
    replication_factor: int = Field(default=1, ge=1)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_ca_file: FilePath | None = None
    ssl_certificate_file: FilePath | None = None
    ssl_key_file: FilePath | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password_file: FilePath | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.security_protocol.endswith("SSL")

    @field_validator("bootstrap_servers")
    @classmethod
    def _hosts_and_ports(cls, value: str) -> str:
        for server in value.split(","):
            if not _HOST_PORT.fullmatch(server):
                raise PydanticCustomError("host_port", "want host:port[,host:port…]")
        return value

    @model_validator(mode="after")
    def _fits_the_protocol(self) -> Self:
        """What a protocol does not use must not be set: it would promise what does not happen."""
        user = ("sasl_username", "sasl_password_file")
        if self.security_protocol.startswith("SASL"):
            self._want(user, all_of=True, why="both must be set for SASL")
        else:
            self._want(user, all_of=False, why="they are for SASL_SSL and SASL_PLAINTEXT alone")
        files = ("ssl_ca_file", "ssl_certificate_file", "ssl_key_file")
        if not self.is_encrypted:
            self._want(files, all_of=False, why="they are for SSL and SASL_SSL alone")
        elif (self.ssl_certificate_file is None) != (self.ssl_key_file is None):
            self._want(files[1:], all_of=True, why="a certificate and its key go together")
        return self

    def _want(self, fields: Sequence[str], *, all_of: bool, why: str) -> None:
        wrong = [one for one in fields if (getattr(self, one) is not None) is not all_of]
        if wrong:
            raise PydanticCustomError("protocol", "{why}", {"why": why, "fields": wrong})


class PostgresSettings(Settings):
    """The database, by a URL or by a file that holds the URL, and the size of the pool."""

    dsn: SecretStr | None = None
    dsn_file: Path | None = None
    pool_min: int = Field(default=2, ge=0)
    pool_max: int = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.dsn is None) == (self.dsn_file is None):
            raise PydanticCustomError(
                "exactly_one", "exactly one of these must be set", {"fields": ["dsn", "dsn_file"]}
            )
        if self.pool_min > self.pool_max:
            raise PydanticCustomError(
                "pool", "the smaller bound exceeds the larger", {"fields": ["pool_min", "pool_max"]}
            )
        return self

    def resolve(self) -> str:
        """Return the URL itself; read from the file, without surrounding blanks, if one is named.

        Raises:
            SecretFileError: the file cannot be read or is empty.
        """
        if self.dsn is not None:
            return self.dsn.get_secret_value()
        assert self.dsn_file is not None  # noqa: S101 - the validator above holds it
        return read_secret_text(self.dsn_file)


class TokenSettings(Settings):
    """Whose bearer tokens are believed."""

    jwks_file: Path
    issuer: str = "nhipso"
    audience: str = "nhipso"


class LogSettings(Settings):
    """What is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error", "critical"] = "info"
    format: Literal["json", "console"] = "json"

    @field_validator("level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


class ServiceSettings(BaseSettings):
    """What every process reads; a service adds its own groups in a subclass."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTING, frozen=True, extra="ignore"
    )

    http: HttpSettings
    log: LogSettings = LogSettings()


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S], **given: Any) -> S:
    """Read settings from the environment; what is given by hand comes first.

    Raises:
        SystemExit: with code 2, after one line a mistake on standard error: the variable, what is
            wrong, what to do. Values are never printed, they may be secret.
    """
    try:
        return cls(**given)
    except ValidationError as error:
        problems = list(_problems(error, cls))
    except SettingsError as error:
        # A whole group was given as one variable that is not JSON: the message names the field.
        problems = [f"{error}; set its parts by {PREFIX}<GROUP>{NESTING}<NAME> instead"]
    for problem in problems:
        print(f"settings: {problem}", file=sys.stderr)  # noqa: T201 - logs are not configured yet
    raise SystemExit(2)


def read_secret(path: Path) -> bytes:
    """Return the bytes a file holds as hexadecimal digits; blanks and line ends do not matter.

    Raises:
        SecretFileError: the file cannot be read, is empty or is not hexadecimal.
    """
    text = "".join(read_secret_text(path).split())
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise SecretFileError(
            f"{path} does not hold hexadecimal digits in pairs; "
            "write a key with `openssl rand -hex 32`"
        ) from None


def read_secret_text(path: Path) -> str:
    """Return the text a file holds, without surrounding blanks.

    Raises:
        SecretFileError: the file cannot be read or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SecretFileError(
            f"cannot read the secret file {path}: {reason}; "
            "check the path and that this process may read it"
        ) from None
    if not text:
        raise SecretFileError(f"the secret file {path} is empty; write the secret into it")
    return text


def _problems(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    for details in error.errors(include_url=False, include_input=False):
        yield from _describe(details, model)


def _describe(details: Mapping[str, Any], model: type[BaseModel]) -> Iterator[str]:
    loc: tuple[int | str, ...] = details["loc"]
    variable = _variable(loc)
    group = _model_at(model, loc)
    if details["type"] == "missing" and group is not None:
        yield from _missing_group(loc, group, model)
    elif details["type"] == "missing":
        yield f"{variable} is not set; set it"
    elif "fields" in details.get("ctx", {}):
        names = " and ".join(_variable((*loc, name)) for name in details["ctx"]["fields"])
        yield f"{names}: {details['msg']}; correct them"
    else:
        yield f"{variable} is wrong: {details['msg']}; correct it"


def _missing_group(
    loc: Sequence[int | str], group: type[BaseModel], model: type[BaseModel]
) -> Iterator[str]:
    """Say which variables of an absent group must be set, by reading the group from nothing."""
    try:
        group.model_validate({})
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            yield from _describe({**details, "loc": (*loc, *details["loc"])}, model)
    else:
        yield f"{_variable((*loc, '*'))}: none is set; set at least one"


def _variable(loc: Sequence[int | str]) -> str:
    return PREFIX + NESTING.join(str(part) for part in loc).upper()


def _model_at(model: type[BaseModel], loc: Sequence[int | str]) -> type[BaseModel] | None:
    """Return the group of settings that stands at `loc`, or None if a plain value does."""
    found: type[BaseModel] | None = model
    for part in loc:
        field = found.model_fields.get(str(part)) if found is not None else None
        found = _group_of(field.annotation) if field is not None else None
    return found


def _group_of(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
