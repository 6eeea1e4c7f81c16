"""The verdict on one event: every rule of the wire contract, in one order.

Form of the envelope, then whether the subject's identifier is repeated anywhere, then what the
caller may send, then subject, time, data and area. The first objection is the reason. A repeated
identifier comes early, since it is an objection wherever it stands: in a source that the caller may
not use, or in a field of data that cannot hold it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from contracts.areas import Areas
from contracts.events import EVENT_MODELS, Data, domain_of
from contracts.reasons import Reason
from contracts.subjects import PERSONAL_KINDS, SubjectKind
from contracts.times import EARLIEST_DAY, format_rfc3339, local_day, time_objection
from contracts.tokens import Principal
from services.ingest.core.envelope import JSON, Attributes, read_attributes
from services.ingest.core.identifiers import Identifier, claimed_identifier, redact
from services.ingest.core.pseudonyms import Pseudonymiser
from services.ingest.core.verdicts import Accepted, ObjectionError, Refused, Verdict


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the verdict rests on beside the event and its caller."""

    areas: Areas
    indicators: frozenset[str]
    """Ids of the catalogue's indicators."""
    pseudonymiser: Pseudonymiser


@dataclass(frozen=True, slots=True)
class _TypeRule:
    domain: str
    subject_kinds: tuple[SubjectKind, ...]
    data: type[Data]
    fields: frozenset[str]


def _rule(event_type: str) -> _TypeRule:
    model = EVENT_MODELS[event_type]
    data = model.model_fields["data"].annotation
    if not (isinstance(data, type) and issubclass(data, Data)):
        raise TypeError(f"the data of {event_type} is not a Data model")
    return _TypeRule(domain_of(event_type), model.subject_kinds, data, frozenset(data.model_fields))


_RULES: Final = {event_type: _rule(event_type) for event_type in EVENT_MODELS}

_LARGEST_WHOLE_NUMBER: Final = 2**53

_COMMUNE_CODE: Final = re.compile(r"[0-9]{5}")

#: Characters of a sender's text that an answer or a record repeats; a fit one is never longer.
_LONGEST_KEPT: Final = 512

_EARLIEST: Final = EARLIEST_DAY.isoformat()

#: Listed fields that hold free text, in which somebody may write anybody's number.
_FREE_TEXTS: Final = frozenset({"reason"})

#: The domains that events come from.
DOMAINS: Final = frozenset(rule.domain for rule in _RULES.values())


def check(
    raw: Mapping[str, Any], principal: Principal, now: datetime, knowledge: Knowledge
) -> Verdict:
    """Decide about one decoded event in edge form.

    `now` is the moment of receipt.
    """
    try:
        attributes = read_attributes(raw)
        rule = _RULES[attributes.type]
        sent = raw.get("data")
        _check_personal_data(attributes, raw, rule)
        _check_permission(attributes, rule, principal)
        _check_subject(attributes, rule)
        _check_time(attributes, raw["time"], now)
        data = _listed_data(sent, rule)
        _check_references(attributes, data, knowledge)
    except ObjectionError as objection:
        return refuse(raw, objection.reason, objection.detail, principal.sources)
    record = {
        "specversion": "1.0",
        "id": attributes.id,
        "source": attributes.source,
        "type": attributes.type,
        "subject": knowledge.pseudonymiser.inside(attributes.kind, attributes.identifier),
        "time": format_rfc3339(attributes.occurred_at),
        "datacontenttype": JSON,
        **attributes.extensions,
        "data": data,
    }
    return Accepted(record, attributes.occurred_at, rule.domain, len(sent or ()) - len(data))


def refuse(raw: Any, reason: Reason, detail: str, sources: Collection[str]) -> Refused:
    """Make a refusal in which nothing shows the subject's identifier.

    Args:
        raw: whatever was decoded in the event's place, also what is no object at all.
        reason: the code of the wire contract.
        detail: what is wrong, and what to do.
        sources: those that the caller may send as. Such a name was given by the province and not
            written by the sender, so a long number in it is nobody's.
    """
    event = raw if isinstance(raw, Mapping) else {}
    identifier = claimed_identifier(event.get("subject"))
    event_id, source, event_type = (
        value if isinstance(value := event.get(name), str) else None
        for name in ("id", "source", "type")
    )
    rule = _RULES.get(event_type) if event_type is not None else None
    return Refused(
        reason=reason,
        detail=_masked(identifier, detail) or "",
        answer_id=_own(identifier, event_id),
        event_id=_masked(identifier, event_id),
        source=_own(identifier, source) if source in sources else _masked(identifier, source),
        event_type=_masked(identifier, event_type),
        domain=rule.domain if rule else None,
    )


def _own(identifier: Identifier | None, text: str | None) -> str | None:
    return _cut(identifier.mask(text) if identifier and text else text)


def _masked(identifier: Identifier | None, text: str | None) -> str | None:
    if text is None:
        return None
    return _cut(identifier.redact(text) if identifier else redact(text))


def _cut(text: str | None) -> str | None:
    # Only after masking: half an identifier would not be found.
    return text if text is None else text[:_LONGEST_KEPT]


def _check_permission(attributes: Attributes, rule: _TypeRule, principal: Principal) -> None:
    if attributes.source not in principal.sources:
        raise ObjectionError(
            Reason.SOURCE_NOT_ALLOWED,
            f"this token may send as {', '.join(sorted(principal.sources)) or 'no source'} alone",
        )
    if rule.domain not in principal.domains:
        raise ObjectionError(
            Reason.SOURCE_NOT_ALLOWED,
            f"this token may not send events of the domain {rule.domain}; "
            f"its domains are {', '.join(sorted(principal.domains)) or 'none'}",
        )


def _check_subject(attributes: Attributes, rule: _TypeRule) -> None:
    if attributes.kind not in rule.subject_kinds:
        kinds = " or ".join(rule.subject_kinds)
        raise ObjectionError(
            Reason.BAD_SUBJECT, f"the subject of this type must be of kind {kinds}"
        )


def _check_time(attributes: Attributes, written: str, now: datetime) -> None:
    objection = time_objection(attributes.occurred_at, now)
    # The day that the source wrote counts as well: at its own offset the century may be the old one.
    if objection is None and written[: len(_EARLIEST)] < _EARLIEST:
        objection = f"time shows a day before {_EARLIEST}; check the clock of the source"
    if objection is not None:
        raise ObjectionError(Reason.BAD_TIME, objection)


def _listed_data(data: Any, rule: _TypeRule) -> dict[str, Any]:
    """The listed fields as they were sent, once the model has found no fault with them."""
    if not isinstance(data, dict):
        raise ObjectionError(Reason.BAD_DATA, "data is missing or not an object")
    listed = {name: data[name] for name in data if name in rule.fields}
    try:
        rule.data.model_validate(listed)
    except ValidationError as error:
        raise ObjectionError(Reason.BAD_DATA, _fault(error)) from None
    for name, value in listed.items():
        if name in _FREE_TEXTS and redact(value) != value:
            raise ObjectionError(
                Reason.PERSONAL_DATA,
                f"data.{name} holds a number of twelve digits or more, which may be a citizen's; "
                "take it out there",
            )
        # JSON and the models allow both, stores do not.
        if isinstance(value, str) and "\x00" in value:
            raise ObjectionError(Reason.BAD_DATA, f"data.{name} must not hold the character NUL")
        if isinstance(value, int) and abs(value) > _LARGEST_WHOLE_NUMBER:
            raise ObjectionError(Reason.BAD_DATA, f"data.{name} is too large a number")
    return listed


def _fault(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(('data', *(str(part) for part in fault['loc'])))}: {fault['msg']}"
        for fault in faults
    )


def _check_references(attributes: Attributes, data: dict[str, Any], knowledge: Knowledge) -> None:
    """Object to areas and indicators that do not exist."""
    code = data.get("area")
    if code is not None:
        day = local_day(attributes.occurred_at)
        if knowledge.areas.commune(code, day) is None:
            raise ObjectionError(
                Reason.UNKNOWN_AREA,
                f"no commune bore the code {code} on {day}; codes are read as of the event's time",
            )
    if attributes.kind is SubjectKind.AREA and knowledge.areas.get(attributes.identifier) is None:
        raise ObjectionError(
            Reason.UNKNOWN_AREA, f"subject names no known area: {attributes.identifier}"
        )
    indicator = data.get("indicator")
    if indicator is not None and indicator not in knowledge.indicators:
        raise ObjectionError(
            Reason.BAD_DATA,
            "data.indicator is not in the catalogue; scoring's /v1/indicators lists it",
        )


def _check_personal_data(attributes: Attributes, raw: Mapping[str, Any], rule: _TypeRule) -> None:
    """Object to the subject's identifier anywhere but in `subject` and in what is dropped."""
    if attributes.kind not in PERSONAL_KINDS:
        return
    identifier = Identifier(attributes.identifier)
    where = [("id", attributes.id), ("source", attributes.source)]
    for name, value in attributes.extensions.items():
        where += [("the name of an extension", name), (f"the extension {name}", str(value))]
    content_type = raw.get("datacontenttype")
    if content_type is not None and content_type != JSON:
        where.append(("datacontenttype", content_type))
    where += [(f"data.{name}", text) for name, text in _listed_texts(raw.get("data"), rule)]
    for place, text in where:
        if identifier.appears_in(text):
            raise ObjectionError(
                Reason.PERSONAL_DATA,
                f"{place} repeats the subject's identifier, which may stand in subject alone; "
                "take it out there",
            )


def _listed_texts(data: Any, rule: _TypeRule) -> Iterator[tuple[str, str]]:
    """Listed fields that could hold an identifier, as they were sent: nothing has checked them."""
    if not isinstance(data, dict):
        return
    for name in rule.fields & data.keys():
        value = data[name]
        # A household's code may happen to be the code of its commune.
        if isinstance(value, str) and not (name == "area" and _COMMUNE_CODE.fullmatch(value)):
            yield name, value
        elif isinstance(value, int) and not isinstance(value, bool):
            yield name, str(value)
