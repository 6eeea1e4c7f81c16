"""What a connector of the kind `rest` is told."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator
from yarl import URL

from services.ingest.core.declared import DeclaredMapping
from services.ingest.core.declared_values import TimeForm

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_Name = Annotated[str, Field(min_length=1, max_length=100)]
_Pointer = Annotated[str, Field(pattern=r"^(/.*)?$", max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Watermark(_Part):
    """How the API is asked for what has changed."""

    parameter: _Name
    """Of the query: what changed at or after this time."""
    field: _Name
    """Of a record: when it changed last; a name, or a JSON pointer."""
    form: TimeForm
    """How the time is written, in the record and in the parameter."""
    zone: ZoneInfo | None = None
    overlap_seconds: Annotated[float, Field(ge=0, le=30 * 86_400)] = 300
    """How long before the newest known change the next pass begins."""
    start: AwareDatetime | None = None
    """Where the first pass begins; without it the parameter is left out then."""


class OnePage(_Part):
    """The API answers with everything at once."""

    style: Literal["none"] = "none"


class NextLink(_Part):
    """The body says where the next page is; null, empty or missing ends the pass."""

    style: Literal["next-link"]
    pointer: _Pointer


class LinkHeader(_Part):
    """A header `Link` with rel="next" (RFC 8288) says where the next page is."""

    style: Literal["link-header"]


class PageNumber(_Part):
    """Pages are counted; one with fewer records than `size` is the last."""

    style: Literal["page"]
    parameter: _Name = "page"
    first: Annotated[int, Field(ge=0, le=1)] = 1
    size_parameter: _Name | None = None
    size: Annotated[int, Field(ge=1, le=10_000)]


class Offset(_Part):
    """Records are counted; a page with fewer than `size` is the last."""

    style: Literal["offset"]
    parameter: _Name = "offset"
    size_parameter: _Name = "limit"
    size: Annotated[int, Field(ge=1, le=10_000)]


class CursorToken(_Part):
    """The body holds a token for the next page; null, empty or missing ends the pass."""

    style: Literal["cursor"]
    parameter: _Name
    pointer: _Pointer


Paging = Annotated[
    OnePage | NextLink | LinkHeader | PageNumber | Offset | CursorToken,
    Field(discriminator="style"),
]


class NoAccess(_Part):
    """The API asks nobody who he is."""

    kind: Literal["none"] = "none"


class StaticBearer(_Part):
    """A token that the source has given once."""

    kind: Literal["bearer"]
    token_file: Path


class ClientCredentials(_Part):
    """OAuth2 client credentials (RFC 6749, 4.4)."""

    kind: Literal["oauth2"]
    token_url: str
    client_id: Annotated[str, Field(min_length=1)]
    client_secret_file: Path
    scope: str | None = None
    audience: str | None = None
    client_authentication: Literal["basic", "post"] = "basic"


Access = Annotated[NoAccess | StaticBearer | ClientCredentials, Field(discriminator="kind")]


class RestConfig(_Part):
    """A JSON API, how it pages, and what its records say."""

    url: str
    """Of the first page, without what `parameters`, `watermark` and `paging` add."""
    parameters: dict[_Name, str] = {}
    headers: dict[_Name, str] = {}
    """Nothing secret: secrets are named by files, in `access`."""
    records: _Pointer = ""
    """A JSON pointer to the array of records; empty if the body is the array."""
    watermark: Watermark
    paging: Paging = OnePage()
    access: Access = NoAccess()
    mapping: DeclaredMapping
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    max_body_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = 8 * 1024 * 1024
    most_pages: Annotated[int, Field(ge=1)] = 100_000
    """Of one pass; more is taken for an API that goes round in a circle."""
    ca_file: Path | None = None
    """Certificates that sign the API's, where the system's do not."""
    allow_http: bool = False
    """Whether the API may be asked without TLS; never over a network that others can read."""

    @field_validator("headers")
    @classmethod
    def _nothing_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        if any(name.lower() in ("authorization", "cookie") for name in headers):
            raise ValueError("secrets do not belong here; use access with a file")
        return headers

    @model_validator(mode="after")
    def _only_https(self) -> Self:
        urls = [self.url]
        if isinstance(self.access, ClientCredentials):
            urls.append(self.access.token_url)
        for text in urls:
            try:
                url = URL(text)
            except ValueError:
                url = URL()
            if url.scheme not in ("http", "https") or not url.host or url.user or url.password:
                raise ValueError("a URL must be https://host/path, without user and password")
            if url.scheme == "http" and not (self.allow_http or url.host in _LOOPBACK):
                raise ValueError("a URL must begin with https://, or set allow_http")
        return self
