"""What a connector of the kind `fhir` is told."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

ResourceType = Literal["Encounter", "Composition", "DocumentReference", "Patient"]
Mode = Literal["advice", "care"]

_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https URL")
    if parts.username or parts.password:
        raise ValueError("holds a name or password; give credentials under authorization")
    return url.rstrip("/")


class Code(_Part):
    """A code of a code system, as a FHIR Coding has it."""

    system: Annotated[str, Field(min_length=1)]
    code: Annotated[str, Field(min_length=1)]


class Teleconsultations(_Part):
    """Which encounters are online advice or care, and which of the two."""

    classes: Annotated[tuple[Code, ...], Field(min_length=1)] = (Code(system=_ACT_CODE, code="VR"),)
    """Codes of Encounter.class that say that it was virtual."""
    advice: tuple[Code, ...] = ()
    """Codes of Encounter.type or serviceType that mean advice."""
    care: tuple[Code, ...] = ()
    """Codes of Encounter.type or serviceType that mean care; they go before those of advice."""
    otherwise: Mode | None = None
    """What an encounter with none of these codes is; without it, one is refused."""

    @model_validator(mode="after")
    def _declares_a_rule(self) -> Self:
        if not (self.advice or self.care or self.otherwise):
            raise ValueError("declare codes of advice or care, or say what is meant otherwise")
        return self


class Records(_Part):
    """What counts as a sign that a citizen has an electronic health record.

    A list of types of documents: one of them is a sign. An empty list: any document is.
    """

    compositions: tuple[Code, ...] | None = None
    document_references: tuple[Code, ...] | None = None
    patients: bool = False
    """Whether a Patient resource is the record itself: active says whether the record is."""


class Authorization(_Part):
    """OAuth2 client credentials: with a secret, or with an assertion signed by a private key.

    The latter is SMART Backend Services (RFC 7523); the key is a JWK with `kid` and `alg`.
    """

    token_url: str
    client_id: Annotated[str, Field(min_length=1)]
    client_secret_file: Path | None = None
    private_key_file: Path | None = None
    scope: str = "system/*.rs"

    _url = field_validator("token_url")(_http_url)

    @model_validator(mode="after")
    def _has_one_secret(self) -> Self:
        if (self.client_secret_file is None) == (self.private_key_file is None):
            raise ValueError("give either client_secret_file or private_key_file")
        return self


class Bulk(_Part):
    """The first fill from files instead of searches."""

    export: str | None = None
    """`$export`, `Patient/$export` or `Group/<id>/$export`: what is asked for, below the base URL."""
    file_origins: tuple[str, ...] = ()
    """Other origins (`https://host`) from which the server may have its files fetched."""
    folder: Path | None = None
    """Holds NDJSON files of an export that was made by hand, `<anything>.ndjson`."""
    as_of: datetime | None = None
    """The moment of that export, with an offset: searches go on from there."""

    @field_validator("export")
    @classmethod
    def _is_an_export(cls, path: str | None) -> str | None:
        if path is not None and not path.endswith("$export"):
            raise ValueError("must end with $export, for example Group/all/$export")
        return path

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if (self.export is None) == (self.folder is None):
            raise ValueError("give either export or folder")
        if self.folder is not None and (self.as_of is None or self.as_of.tzinfo is None):
            raise ValueError("as_of must say when the files were made, with an offset")
        return self


class Notifications(_Part):
    """What the server's notifications are known by: `POST /v1/fhir/<connector>/notifications`."""

    secret_file: Path
    """Holds what stands in the header, or behind `Bearer ` in it."""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "Authorization"


class FhirConfig(_Part):
    """A FHIR server and what is read of it."""

    base_url: str
    citizen_systems: Annotated[tuple[str, ...], Field(min_length=1)]
    """Systems of Patient.identifier whose value is the 12-digit citizen number."""
    without_number: Literal["refuse", "skip"] = "refuse"
    """What becomes of a record whose patient has no such identifier."""
    teleconsultations: Teleconsultations | None = None
    records: Records = Records()
    since: datetime | None = None
    """From when on resources are read the first time; all of them without it."""
    authorization: Authorization | None = None
    bulk: Bulk | None = None
    notifications: Notifications | None = None
    page_size: Annotated[int, Field(ge=1, le=1000)] = 200
    overlap_seconds: Annotated[float, Field(ge=0, le=86_400)] = 120
    """How far behind the last resource each round starts: for what was stored late."""
    catch_up_overlap_seconds: Annotated[float, Field(ge=0, le=30 * 86_400)] = 86_400
    """The same after a notification was missed."""
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60

    _url = field_validator("base_url")(_http_url)

    @field_validator("since")
    @classmethod
    def _has_an_offset(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("must have an offset, for example 2026-01-01T00:00:00+07:00")
        return moment

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if not self.resource_types:
            raise ValueError("declare teleconsultations, or records, or both")
        return self

    @property
    def resource_types(self) -> tuple[ResourceType, ...]:
        """Which resources are read, in the order of a round."""
        wanted: dict[ResourceType, bool] = {
            "Encounter": self.teleconsultations is not None,
            "Composition": self.records.compositions is not None,
            "DocumentReference": self.records.document_references is not None,
            "Patient": self.records.patients,
        }
        return tuple(kind for kind, is_wanted in wanted.items() if is_wanted)
