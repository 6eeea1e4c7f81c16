"""Data as whole numbers: every event type of the contract, and layouts of earlier versions."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import Condition, FactCondition, LatestCondition
from contracts.events import EVENT_MODELS
from contracts.examples import inside_example
from services.scoring.core.coding import CodingError, DataCode, coding, recode
from tests.unit.scoring.saying import CATALOGUE

#: What only people read; no rule may ask for it, and it is not kept.
FREE_TEXT = {"vn.nhipso.registry.subject-closed.v1": {"reason"}}
#: Reports are kept as they are, and are facts of nobody.
REPORTED = "vn.nhipso.report.figures-submitted.v1"
TYPES = sorted(set(EVENT_MODELS) - {REPORTED})
LATEST = sorted(
    {
        fact.event_type
        for rules in CATALOGUE.subjects
        for fact in rules.facts
        if fact.keeps == "latest"
    }
)


def schema_of(event_type: str) -> dict[str, Any]:
    data: Any = EVENT_MODELS[event_type].model_fields["data"].annotation
    schema: dict[str, Any] = data.model_json_schema()
    return schema


def values(rule: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a form a line
    """Any value that a schema allows."""
    match rule:
        case {"const": value}:
            return st.just(value)
        case {"enum": allowed}:
            return st.sampled_from(allowed)
        case {"anyOf": parts}:
            return st.one_of([values(part) for part in parts])
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "null"}:
            return st.none()
        case {"type": "integer", "minimum": lowest, "maximum": highest}:
            return st.integers(lowest, highest)
        case {"type": "string", "format": "date"}:
            return st.dates().map(date.isoformat)
        case {"type": "string", "pattern": pattern}:
            return st.from_regex(pattern.replace("$", r"\Z"))
        case {"type": "string", "maxLength": longest}:
            return st.text(max_size=longest)
    raise AssertionError(rule)


@st.composite
def said(draw: st.DrawFn, event_type: str) -> dict[str, Any]:
    """Data that the contract's model takes."""
    schema = schema_of(event_type)
    fields = {
        name: draw(values(rule))
        for name, rule in schema["properties"].items()
        if name in schema.get("required", ()) or draw(st.booleans())
    }
    model: Any = EVENT_MODELS[event_type].model_fields["data"].annotation
    data: dict[str, Any] = model.model_validate(fields).model_dump(mode="json", exclude_unset=True)
    return data


@pytest.mark.parametrize("event_type", TYPES)
@given(st.data())
def test_data_come_back_as_they_were_said(event_type: str, data: st.DataObject) -> None:
    """All but free text; what was not said is not said afterwards either."""
    sent = data.draw(said(event_type))
    code = DataCode(event_type)
    for _ in range(2):  # the second time from what was seen
        number = code.encode(sent)
        assert 0 <= number < 1 << 63
        kept = {
            name: value for name, value in sent.items() if name not in FREE_TEXT.get(event_type, ())
        }
        assert code.decode(number) == kept
        # True is not 1, though Python holds them equal.
        assert [type(value) for value in code.decode(number).values()] == [
            type(kept[name]) for name in code.decode(number)
        ]


@pytest.mark.parametrize("event_type", TYPES)
@given(st.data())
def test_two_data_are_one_number_only_when_they_are_the_same(
    event_type: str, data: st.DataObject
) -> None:
    one, other = data.draw(said(event_type)), data.draw(said(event_type))
    for free in FREE_TEXT.get(event_type, ()):
        one[free] = other[free] = ""
    code = coding(event_type)
    assert (code.encode(one) == code.encode(other)) == (one == other)


@pytest.mark.parametrize("event_type", TYPES)
def test_only_free_text_has_no_place(event_type: str) -> None:
    fields = set(schema_of(event_type)["properties"])
    placed = {place.name for place in coding(event_type).places}
    assert fields - placed == FREE_TEXT.get(event_type, set())
    # Two registers are told apart by what has a place, so free text must stand alone.
    assert not (fields - placed and placed)


@pytest.mark.parametrize("event_type", TYPES)
def test_places_do_not_overlap(event_type: str) -> None:
    taken = 0
    for place in coding(event_type).places:
        assert not taken & place.mask << place.shift
        taken |= place.mask << place.shift
    assert taken < 1 << 63


def test_no_place_is_looked_for_in_a_report() -> None:
    assert REPORTED not in LATEST


def asked(condition: Condition) -> list[tuple[str, str, tuple[Any, ...]]]:
    """The facts, fields and values that a condition asks for."""
    match condition:
        case FactCondition(fact=fact, values=values_):
            return [(fact, name, wanted) for name, wanted in values_.items()]
        case LatestCondition(value=value):
            return [(fact, name, (value,)) for fact, name in condition.parts]
    return []


@pytest.mark.parametrize("name", CATALOGUE.conditions)
def test_what_a_rule_asks_for_has_a_place(name: str) -> None:
    for fact_name, field, wanted in asked(CATALOGUE.conditions[name]):
        facts = [
            fact for rules in CATALOGUE.subjects for fact in rules.facts if fact.name == fact_name
        ]
        assert facts
        for fact in facts:
            place = coding(fact.event_type).place(field)
            ranks = [place.of(value) for value in wanted]
            assert all(0 < rank <= place.mask for rank in ranks)
            assert [place.value(rank - 1) for rank in ranks] == list(wanted)


def test_where_a_subject_lives_and_when_it_was_born_have_places() -> None:
    for rules in CATALOGUE.subjects:
        for name in rules.area:
            assert coding(rules.fact(name).event_type).place("area").kind == "area"
        if rules.birth_date is not None:
            birth = coding(rules.fact(rules.birth_date).event_type).place("birth_date")
            assert birth.kind == "date"


def test_a_field_without_a_place_is_told() -> None:
    with pytest.raises(CodingError, match="has no field reason that is kept"):
        coding("vn.nhipso.registry.subject-closed.v1").place("reason")


def test_more_values_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.scoring.core.coding._MOST_SEEN", 2)
    code = DataCode("vn.nhipso.identity.residence-changed.v1")
    for number in (0, 1, 2, 3, 0, 99_999):
        sent = {"area": f"{number:05d}"}
        assert code.decode(code.encode(sent)) == sent


Layout = list[tuple[str, int, int, str]]


def packed(layout: Layout, ranks: dict[str, int]) -> int:
    """A number in some layout, from 1 + the rank of each field."""
    return sum(ranks.get(name, 0) << shift for name, shift, _, _ in layout)


@pytest.mark.parametrize("event_type", TYPES)
@given(st.data())
def test_a_stored_layout_of_other_places_is_read(event_type: str, data: st.DataObject) -> None:
    """Fields in another order, with more room than they need."""
    now = coding(event_type)
    sent = data.draw(said(event_type))
    former: Layout = []
    shift = 0
    for place in data.draw(st.permutations(now.places)):
        former.append((place.name, shift, place.bits + 1, place.kind))
        shift += place.bits + 1
    ranks = {place.name: place.of(sent[place.name]) for place in now.places if place.name in sent}
    assert recode(packed(former, ranks), former, now) == now.encode(sent)


def test_values_that_were_listed_otherwise_are_read() -> None:
    """As when the contract gets a new size of organisation at the front."""
    now = coding("vn.nhipso.registry.organisation-changed.v1")
    former: Layout = [("size", 0, 2, "('large', 'micro')"), ("cashless", 2, 2, "(False, True)")]
    number = packed(former, {"size": 2, "cashless": 2})
    assert now.decode(recode(number, former, now)) == {"size": "micro", "cashless": True}


def test_a_field_that_an_event_has_gained_was_not_said() -> None:
    now = coding("vn.nhipso.identity.eid-changed.v1")
    former: Layout = [("level", 0, 2, "(0, 1, 2)")]
    assert now.decode(recode(3, former, now)) == {"level": 2}


def test_a_value_that_nobody_may_say_any_more_is_refused() -> None:
    now = coding("vn.nhipso.identity.eid-changed.v1")
    for former in (
        [("level", 0, 3, "(0, 1, 2, 3, 4)")],
        [("colour", 0, 3, "('red', 'green', 'blue', 'white', 'black')")],
    ):
        with pytest.raises(CodingError):
            recode(5, former, now)


def test_every_example_is_coded() -> None:
    for event_type in TYPES:
        data = inside_example(event_type)["data"]
        kept = {
            name: one for name, one in data.items() if name not in FREE_TEXT.get(event_type, ())
        }
        assert coding(event_type).decode(coding(event_type).encode(data)) == kept
