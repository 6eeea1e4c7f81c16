"""Subject events: every type of the wire contract as a frozen model, in one discriminated union.

A field that a type does not list is dropped (`unlisted_fields` names them so that they can be
counted); a listed field that is missing or of a wrong type is an error. Types are strict: ``"true"``
is not true and ``1.0`` is not 1. Source: wire contract, "Event types".
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)

from contracts.subjects import SubjectKind
from contracts.times import format_rfc3339, parse_rfc3339

TYPE_PREFIX: Final = "vn.nhipso."
MAX_ID_LENGTH: Final = 128


def _event_time(value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("must have an offset")
        return value
    if isinstance(value, str):
        return parse_rfc3339(value)
    raise ValueError("must be a text in RFC 3339 form")


def _iso_day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return date.fromisoformat(value)
    raise ValueError("must be a date in the form 1990-05-17")


def _number(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(str(value))
        if number.is_finite():
            return number
    raise ValueError("must be a number")


def _json_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


EventTime = Annotated[
    datetime,
    BeforeValidator(_event_time),
    PlainSerializer(format_rfc3339, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
IsoDay = Annotated[
    date, BeforeValidator(_iso_day), WithJsonSchema({"type": "string", "format": "date"})
]
Number = Annotated[
    Decimal,
    BeforeValidator(_number),
    PlainSerializer(_json_number, when_used="json"),
    WithJsonSchema({"type": "number"}),
]
AreaCode = Annotated[str, Field(pattern=r"^[0-9]{5}$", description="five-digit commune code")]
Count = Annotated[int, Field(ge=0, le=2**53)]
# What may be left out but not be null: the schema says so, and `FiguresSubmittedData` checks it.
_OptionalCount = Annotated[
    Count | None, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 2**53})
]
_OptionalNumber = Annotated[Number | None, WithJsonSchema({"type": "number"})]
Portal = Literal["national", "provincial"]
DepartureReason = Literal["died", "moved-away"]
AccountKind = Literal["bank", "e-wallet", "mobile-money"]
PaymentMethod = Literal["card", "transfer", "e-wallet", "mobile-money"]
PaymentPurpose = Literal["electricity", "water", "tuition", "fee", "shopping", "other"]
TrainingTopic = Literal["digital-skills", "code-of-conduct"]
OrganisationSize = Literal["micro", "small", "medium", "large", "public"]
InstitutionKind = Literal[
    "primary", "secondary", "high", "college", "vocational", "university", "health-facility"
]
Period = Annotated[
    str,
    Field(
        pattern=r"^(19|20)[0-9]{2}(-(0[1-9]|1[0-2])|-Q[1-4]|-H[12])?$",
        description="month 2026-10, quarter 2026-Q3, half 2026-H1 or year 2026",
    ),
]


class Data(BaseModel):
    """What an event says; subclasses list the fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class CitizenRegisteredData(Data):
    """A citizen is registered in a commune, and counts from then on."""

    birth_date: IsoDay
    area: AreaCode
    party_member: bool = False


class ResidenceChangedData(Data):
    """A citizen lives in another commune."""

    area: AreaCode


class CitizenDepartedData(Data):
    """A citizen leaves every population until registered again."""

    reason: DepartureReason


class PartyMembershipChangedData(Data):
    """A citizen is, or is no longer, a party member."""

    member: bool


class EidChangedData(Data):
    """State of the electronic identity (VNeID): level and activation."""

    level: Annotated[int, Field(ge=0, le=2)]  # a Literal would take true for 1
    activated: bool


class ActiveData(Data):
    """A state that holds until the next event."""

    active: bool


class PortalAccountChangedData(ActiveData):
    """An account on a public-service portal."""

    portal: Portal


class DossierSubmittedData(Data):
    """A citizen submitted a dossier online."""

    portal: Portal
    self_service: bool


class AppChangedData(ActiveData):
    """An app of the province is in use, or no longer."""

    app: Literal["yenbai-s"]


class DossierChangedData(Data):
    """Where a dossier stands and how it was handled."""

    area: AreaCode
    level: Annotated[int, Field(ge=1, le=4)]
    authenticated: bool
    satisfied: bool | None


class PaymentAccountChangedData(ActiveData):
    """An account for electronic payment, a kind."""

    kind: AccountKind


class PaymentTransactionCompletedData(Data):
    """A cashless payment was made."""

    method: PaymentMethod
    purpose: PaymentPurpose


class TeleconsultationCompletedData(Data):
    """Online health advice or care was given."""

    mode: Literal["advice", "care"]


class SubscriptionChangedData(Data):
    """A mobile subscription: SIM in own name, smartphone, internet."""

    own_name: bool
    smartphone: bool
    internet: bool


class FibreChangedData(Data):
    """A household's fibre broadband: covered, subscribed."""

    area: AreaCode
    covered: bool
    subscribed: bool


class TrainingCompletedData(Data):
    """A citizen was taught or told of a topic."""

    topic: TrainingTopic


class ConductAssessedData(Data):
    """A citizen was found to follow the code of conduct, or not."""

    compliant: bool


class OrganisationChangedData(Data):
    """An organisation and what it uses."""

    area: AreaCode
    size: OrganisationSize
    cashless: bool
    platform: bool
    e_invoice: bool
    e_contract: bool


class InstitutionChangedData(Data):
    """A school, college or health facility and what it offers."""

    area: AreaCode
    kind: InstitutionKind
    urban: bool
    cashless_fees: bool
    digital_model: bool
    stem: bool


class SubjectClosedData(Data):
    """A household, organisation, institution or dossier is closed."""

    reason: Annotated[str, Field(max_length=500)]


class FiguresSubmittedData(Data):
    """A unit's own figures of an indicator for a period: a ratio or a value, not both."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["numerator", "denominator"],
                    "properties": {"denominator": {"minimum": 1}, "value": False},
                },
                {
                    "required": ["value"],
                    "properties": {"numerator": False, "denominator": False},
                },
            ]
        }
    )

    indicator: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,64}$")]
    period: Period
    numerator: _OptionalCount = None
    denominator: _OptionalCount = None
    value: _OptionalNumber = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        for name in self.model_fields_set:
            if getattr(self, name) is None:
                raise ValueError(f"{name} must not be null; leave it out instead")
        ratio = (self.numerator is not None, self.denominator is not None)
        if self.value is not None:
            if any(ratio):
                raise ValueError("give either numerator and denominator, or value, not both")
            return self
        if not all(ratio):
            raise ValueError("give numerator and denominator, or value")
        if self.denominator == 0:
            raise ValueError("denominator must be greater than 0")
        if (self.numerator or 0) > (self.denominator or 0):
            raise ValueError("numerator must not be greater than denominator")
        return self


class Envelope(BaseModel):
    """CloudEvents 1.0 attributes; what is not listed here is an extension attribute."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")
    subject_kinds: ClassVar[tuple[SubjectKind, ...]]

    specversion: Literal["1.0"]
    id: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
    source: Annotated[
        str, Field(min_length=1, max_length=256, json_schema_extra={"format": "uri-reference"})
    ]
    type: str
    subject: Annotated[str, Field(max_length=128)]
    time: EventTime
    datacontenttype: Literal["application/json"] = "application/json"
    data: Data


class _CitizenEvent(Envelope):
    subject_kinds = (SubjectKind.CITIZEN,)


class CitizenRegistered(_CitizenEvent):
    """A citizen is registered in a commune."""

    type: Literal["vn.nhipso.identity.citizen-registered.v1"]
    data: CitizenRegisteredData


class ResidenceChanged(_CitizenEvent):
    """A citizen lives in another commune."""

    type: Literal["vn.nhipso.identity.residence-changed.v1"]
    data: ResidenceChangedData


class CitizenDeparted(_CitizenEvent):
    """A citizen has died or moved away."""

    type: Literal["vn.nhipso.identity.citizen-departed.v1"]
    data: CitizenDepartedData


class PartyMembershipChanged(_CitizenEvent):
    """A citizen is, or is no longer, a party member."""

    type: Literal["vn.nhipso.identity.party-membership-changed.v1"]
    data: PartyMembershipChangedData


class EidChanged(_CitizenEvent):
    """A citizen's electronic identity (VNeID) has another level or activation."""

    type: Literal["vn.nhipso.identity.eid-changed.v1"]
    data: EidChangedData


class ESignatureChanged(_CitizenEvent):
    """A citizen's personal electronic signature is active, or no longer."""

    type: Literal["vn.nhipso.identity.e-signature-changed.v1"]
    data: ActiveData


class PortalAccountChanged(_CitizenEvent):
    """A citizen's account on a public-service portal is active, or no longer."""

    type: Literal["vn.nhipso.public-service.account-changed.v1"]
    data: PortalAccountChangedData


class DossierSubmitted(_CitizenEvent):
    """A citizen submitted a dossier online."""

    type: Literal["vn.nhipso.public-service.dossier-submitted.v1"]
    data: DossierSubmittedData


class AppChanged(_CitizenEvent):
    """A citizen uses an app of the province, or no longer."""

    type: Literal["vn.nhipso.public-service.app-changed.v1"]
    data: AppChangedData


class DossierChanged(Envelope):
    """A dossier's handling has changed."""

    subject_kinds = (SubjectKind.DOSSIER,)
    type: Literal["vn.nhipso.public-service.dossier-changed.v1"]
    data: DossierChangedData


class PaymentAccountChanged(_CitizenEvent):
    """A citizen's account for electronic payment is active, or no longer."""

    type: Literal["vn.nhipso.payment.account-changed.v1"]
    data: PaymentAccountChangedData


class PaymentTransactionCompleted(_CitizenEvent):
    """A citizen paid without cash."""

    type: Literal["vn.nhipso.payment.transaction-completed.v1"]
    data: PaymentTransactionCompletedData


class HealthRecordChanged(_CitizenEvent):
    """A citizen's electronic health record is active, or no longer."""

    type: Literal["vn.nhipso.health.record-changed.v1"]
    data: ActiveData


class TeleconsultationCompleted(_CitizenEvent):
    """A citizen was given health advice or care online."""

    type: Literal["vn.nhipso.health.teleconsultation-completed.v1"]
    data: TeleconsultationCompletedData


class SubscriptionChanged(_CitizenEvent):
    """A citizen's mobile subscription has changed."""

    type: Literal["vn.nhipso.telecom.subscription-changed.v1"]
    data: SubscriptionChangedData


class FibreChanged(Envelope):
    """A household's fibre broadband has changed."""

    subject_kinds = (SubjectKind.HOUSEHOLD,)
    type: Literal["vn.nhipso.telecom.fibre-changed.v1"]
    data: FibreChangedData


class TrainingCompleted(_CitizenEvent):
    """A citizen was taught digital skills or told of the code of conduct."""

    type: Literal["vn.nhipso.community.training-completed.v1"]
    data: TrainingCompletedData


class ConductAssessed(_CitizenEvent):
    """A citizen was found to follow the code of conduct, or not."""

    type: Literal["vn.nhipso.community.conduct-assessed.v1"]
    data: ConductAssessedData


class HandbookChanged(_CitizenEvent):
    """A citizen uses the electronic party-member handbook, or no longer."""

    type: Literal["vn.nhipso.community.handbook-changed.v1"]
    data: ActiveData


class OrganisationChanged(Envelope):
    """An organisation, or what it uses, has changed."""

    subject_kinds = (SubjectKind.ORGANISATION,)
    type: Literal["vn.nhipso.registry.organisation-changed.v1"]
    data: OrganisationChangedData


class InstitutionChanged(Envelope):
    """A school, college or health facility, or what it offers, has changed."""

    subject_kinds = (SubjectKind.INSTITUTION,)
    type: Literal["vn.nhipso.registry.institution-changed.v1"]
    data: InstitutionChangedData


class SubjectClosed(Envelope):
    """A household, organisation, institution or dossier is closed."""

    subject_kinds = (
        SubjectKind.HOUSEHOLD,
        SubjectKind.ORGANISATION,
        SubjectKind.INSTITUTION,
        SubjectKind.DOSSIER,
    )
    type: Literal["vn.nhipso.registry.subject-closed.v1"]
    data: SubjectClosedData


class FiguresSubmitted(Envelope):
    """A unit reports its own figures of an indicator for a period."""

    subject_kinds = (SubjectKind.AREA, SubjectKind.AGENCY)
    type: Literal["vn.nhipso.report.figures-submitted.v1"]
    data: FiguresSubmittedData


SubjectEvent = Annotated[
    CitizenRegistered
    | ResidenceChanged
    | CitizenDeparted
    | PartyMembershipChanged
    | EidChanged
    | ESignatureChanged
    | PortalAccountChanged
    | DossierSubmitted
    | AppChanged
    | DossierChanged
    | PaymentAccountChanged
    | PaymentTransactionCompleted
    | HealthRecordChanged
    | TeleconsultationCompleted
    | SubscriptionChanged
    | FibreChanged
    | TrainingCompleted
    | ConductAssessed
    | HandbookChanged
    | OrganisationChanged
    | InstitutionChanged
    | SubjectClosed
    | FiguresSubmitted,
    Field(discriminator="type"),
]

#: Validates any subject event: ``SUBJECT_EVENT.validate_python(decoded)`` or ``validate_json(raw)``.
SUBJECT_EVENT: Final[TypeAdapter[SubjectEvent]] = TypeAdapter(SubjectEvent)


def _models() -> dict[str, type[Envelope]]:
    union, _ = get_args(SubjectEvent)
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(union)}


#: Event type (with its prefix and version) → model.
EVENT_MODELS: Final[dict[str, type[Envelope]]] = _models()


def domain_of(event_type: str) -> str:
    """The domain of an event type: ``identity`` for ``vn.nhipso.identity.eid-changed.v1``."""
    return event_type.removeprefix(TYPE_PREFIX).partition(".")[0]


def unlisted_fields(event_type: str, data: dict[str, Any]) -> set[str]:
    """Names of fields in `data` that the contract does not list for this type."""
    model = EVENT_MODELS[event_type].model_fields["data"].annotation
    if not (isinstance(model, type) and issubclass(model, Data)):
        raise TypeError(f"the data of {event_type} is not a Data model")
    return data.keys() - model.model_fields.keys()
