"""The stream as a whole: repeatable, of the wire contract, and refused by nobody."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from contracts.areas import load
from contracts.catalogue import load as load_catalogue
from contracts.events import EVENT_MODELS, SUBJECT_EVENT
from contracts.sources import SOURCE_OF_DOMAIN
from contracts.subjects import parse_edge
from contracts.times import local_day, parse_rfc3339
from services.simulator.chance import LOCAL
from services.simulator.envelopes import Event, event_domain
from services.simulator.simulation import Simulation

STARTED_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def moments() -> Iterator[datetime]:
    at = STARTED_AT
    while True:
        at += timedelta(milliseconds=20)
        yield at


@pytest.fixture(scope="session")
def living(simulation: Simulation) -> list[Event]:
    return list(islice(simulation.live(moments()), 12_000))


def test_the_same_seed_gives_the_same_stream() -> None:
    one, other = (
        Simulation(seed=5, citizens=60, started_at=STARTED_AT.astimezone(zone))
        for zone in (UTC, LOCAL)
    )
    assert list(one.fill()) == list(other.fill())
    assert list(islice(one.live(moments()), 300)) == list(islice(other.live(moments()), 300))


def test_another_seed_gives_another_stream() -> None:
    streams = [
        list(Simulation(seed=seed, citizens=30, started_at=STARTED_AT).fill()) for seed in (1, 2)
    ]
    assert {event["id"] for event in streams[0]}.isdisjoint(event["id"] for event in streams[1])


def test_living_can_be_taken_up_at_any_step() -> None:
    simulation = Simulation(seed=5, citizens=500, started_at=STARTED_AT)
    whole = [list(simulation.live([STARTED_AT], start=step)) for step in range(40)]
    resumed = list(simulation.live([STARTED_AT] * 20, start=20))
    assert resumed == [event for events in whole[20:] for event in events]


def test_every_event_is_of_the_wire_contract(filling: list[Event], living: list[Event]) -> None:
    for event in filling + living:
        SUBJECT_EVENT.validate_json(json.dumps(event))
        parse_edge(event["subject"])
        assert event["source"] == SOURCE_OF_DOMAIN[event_domain(event)]


def test_every_commune_code_was_valid_on_the_day(filling: list[Event], living: list[Event]) -> None:
    areas = load()
    for event in filling + living:
        if (code := event["data"].get("area")) is not None:
            day = local_day(parse_rfc3339(event["time"]))
            assert areas.commune(code, day) is not None, event


def test_reports_name_known_areas_and_indicators(filling: list[Event]) -> None:
    areas, indicators = load(), load_catalogue().by_id
    reported = set()
    for event in filling:
        if event["type"] == "vn.nhipso.report.figures-submitted.v1":
            assert event["subject"].removeprefix("area:") in areas.by_id
            reported.add(event["data"]["indicator"])
    assert reported == {i.id for i in indicators.values() if i.is_reported_only}


def test_every_event_type_occurs(filling: list[Event], living: list[Event]) -> None:
    assert {event["type"] for event in filling + living} == set(EVENT_MODELS)


def test_ids_are_unique_and_say_nothing_of_the_subject(
    filling: list[Event], living: list[Event]
) -> None:
    stream = filling + living
    assert len({event["id"] for event in stream}) == len(stream)
    for event in stream:
        identifier = event["subject"].partition(":")[2]
        rest = json.dumps({key: value for key, value in event.items() if key != "subject"})
        if event["subject"].startswith(("citizen:", "household:")):
            assert identifier not in rest


def test_filling_tells_the_past_and_living_the_present(
    filling: list[Event], living: list[Event]
) -> None:
    assert all(parse_rfc3339(event["time"]) <= STARTED_AT for event in filling)
    assert all(parse_rfc3339(event["time"]) > STARTED_AT for event in living)


def test_registrations_come_before_other_facts_of_citizens(filling: list[Event]) -> None:
    kinds = [
        event["type"].endswith("citizen-registered.v1")
        for event in filling
        if event["subject"].startswith("citizen:")
    ]
    assert all(kinds[:4_000])
    assert not any(kinds[4_000:])


def test_registrations_before_the_reform_bear_codes_of_then(filling: list[Event]) -> None:
    areas = load()
    registrations = [e for e in filling if e["type"].endswith("citizen-registered.v1")]
    legacy = [e for e in registrations if e["time"] < "2025-07-01"]
    assert 0.55 < len(legacy) / len(registrations) < 0.75
    provinces = set()
    for event in legacy:
        day = local_day(parse_rfc3339(event["time"]))
        unit = areas.commune(event["data"]["area"], day)
        assert unit is not None
        provinces.add(areas.lineage_upward(unit.area_id)[-1])
    assert provinces == {"legacy:15", "legacy:10"}


def test_all_99_communes_are_peopled(filling: list[Event]) -> None:
    areas = load()
    homes = {
        areas.current(unit.area_id, STARTED_AT.date())
        for event in filling
        if event["type"].endswith("citizen-registered.v1")
        and (unit := areas.commune(event["data"]["area"], local_day(parse_rfc3339(event["time"]))))
    }
    assert len(homes) == 99


def test_nobody_can_bear_an_invented_number(filling: list[Event]) -> None:
    numbers = {e["subject"][8:] for e in filling if e["type"].endswith("citizen-registered.v1")}
    assert len(numbers) == 4_000
    real_provinces = {f"{code:03d}" for code in range(1, 97)}
    for number in numbers:
        assert re.fullmatch(r"\d{12}", number)
        assert number[:3] not in real_provinces


def test_the_size_of_filling_is_known_beforehand(
    simulation: Simulation, filling: list[Event]
) -> None:
    assert simulation.fill_size() == pytest.approx(len(filling), rel=0.08)


@pytest.mark.parametrize(
    ("citizens", "started_at", "said"),
    [
        (0, STARTED_AT, "citizens must be from 1"),
        (60_000_000, STARTED_AT, "citizens must be from 1"),
        (10, datetime(2026, 1, 1), "must have an offset"),  # noqa: DTZ001  # that is the mistake
        (10, datetime(2025, 6, 30, tzinfo=UTC), "must lie after 2025-07-01"),
    ],
)
def test_an_impossible_province_is_refused(citizens: int, started_at: datetime, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Simulation(seed=1, citizens=citizens, started_at=started_at)
