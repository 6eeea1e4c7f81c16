"""The filled province stands where the sources say, and its communes differ."""

from collections import defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from services.simulator.adoption import Adoption
from services.simulator.calibration import BANDS, FIGURES
from services.simulator.citizens import years_later
from services.simulator.envelopes import Event
from services.simulator.territory import territory
from services.simulator.traits import CITIZEN_TRAITS, Trait

TODAY = datetime(2026, 11, 22, tzinfo=UTC).date()
#: Three standard deviations of a share among about 2,900 people, and a little.
TOLERANCE = 0.03


@pytest.fixture(scope="module")
def births(filling: list[Event]) -> dict[str, date]:
    return {
        event["subject"]: date.fromisoformat(event["data"]["birth_date"])
        for event in filling
        if event["type"].endswith("citizen-registered.v1")
    }


def share(births: dict[str, date], having: set[str], age: int) -> float:
    of_age = {who for who, born in births.items() if years_later(born, age) <= TODAY}
    return len(having & of_age) / len(of_age)


def who(filling: list[Event], name: str, **data: object) -> set[str]:
    latest: dict[tuple[str, object], Event] = {}
    for event in filling:
        if event["type"] == f"vn.nhipso.{name}.v1":
            key = (event["subject"], event["data"].get("kind"))
            if key not in latest or latest[key]["time"] < event["time"]:
                latest[key] = event
    return {
        subject for (subject, _), event in latest.items() if data.items() <= event["data"].items()
    }


@pytest.mark.parametrize(
    ("figure", "age", "name", "data"),
    [
        ("smartphone", 18, "telecom.subscription-changed", {"smartphone": True}),
        ("eid", 18, "identity.eid-changed", {"activated": True}),
        ("app", 0, "public-service.app-changed", {"active": True}),
        ("bank", 15, "payment.account-changed", {"kind": "bank", "active": True}),
        ("health-record", 0, "health.record-changed", {"active": True}),
    ],
)
def test_shares_are_those_of_the_sources(
    *,
    filling: list[Event],
    births: dict[str, date],
    figure: str,
    age: int,
    name: str,
    data: dict[str, object],
) -> None:
    found = share(births, who(filling, name, **data), age)
    assert found == pytest.approx(FIGURES[figure].share, abs=TOLERANCE)


def test_payments_within_a_year_are_those_of_the_source(
    filling: list[Event], births: dict[str, date]
) -> None:
    paid = {
        event["subject"]
        for event in filling
        if event["type"] == "vn.nhipso.payment.transaction-completed.v1"
        and (TODAY - date.fromisoformat(event["time"][:10])).days <= 365
    }
    assert share(births, paid, 15) == pytest.approx(FIGURES["e-payment"].share, abs=TOLERANCE)


def test_electronic_identity_grew_as_reported(
    filling: list[Event], births: dict[str, date]
) -> None:
    then = FIGURES["eid-2023"]
    early = {
        event["subject"]
        for event in filling
        if event["type"] == "vn.nhipso.identity.eid-changed.v1"
        and event["data"]["activated"]
        and event["time"][:10] <= then.as_of.isoformat()
    }
    # Among those who are 25 today, because the younger ones were children then.
    assert share(births, early, 25) == pytest.approx(then.share, abs=0.06)


def test_who_has_a_smartphone_is_likelier_to_have_the_rest(
    filling: list[Event], births: dict[str, date]
) -> None:
    adults = {who for who, born in births.items() if years_later(born, 18) <= TODAY}
    phone = who(filling, "telecom.subscription-changed", smartphone=True) & adults
    eid = who(filling, "identity.eid-changed", activated=True) & adults
    with_phone = len(eid & phone) / len(phone)
    without = len(eid - phone) / len(adults - phone)
    assert with_phone > without + 0.2


def test_communes_differ_and_towns_lead() -> None:
    communes = territory().communes
    trait = next(trait for trait in CITIZEN_TRAITS if trait.name == "e-signature")
    adoption = Adoption(trait, communes, TODAY)
    levels = {c.area_id: adoption.today(at, 4) for at, c in enumerate(communes)}
    assert max(levels.values()) - min(levels.values()) > 0.2
    by_kind = defaultdict(list)
    for commune in communes:
        by_kind[commune.urban].append(levels[commune.area_id])
    mean = {urban: sum(found) / len(found) for urban, found in by_kind.items()}
    assert mean[True] > mean[False] + 0.1


@pytest.mark.parametrize("trait", CITIZEN_TRAITS, ids=lambda trait: trait.name)
def test_levels_are_met_exactly_and_only_rise(trait: Trait) -> None:
    communes = territory().communes
    adoption = Adoption(trait, communes, TODAY)
    for progress, level in ((0.0, trait.level), (1.0, trait.ceiling)):
        heads = [
            (commune.weight * band.share, adoption.after(progress, at, of))
            for at, commune in enumerate(communes)
            for of, band in enumerate(BANDS)
            if band.youngest >= trait.measured_from
        ]
        total = sum(weight for weight, _ in heads)
        found = sum(weight * share for weight, share in heads) / total
        assert found == pytest.approx(level, abs=0.001)
    middle = adoption.after(0.5, 0, 4)
    assert adoption.today(0, 4) <= middle <= adoption.after(1.0, 0, 4)


def test_every_figure_has_its_sentence() -> None:
    assert all(figure.sentence and figure.source for figure in FIGURES.values())
    named = {trait.figure for trait in CITIZEN_TRAITS if trait.figure is not None}
    assert named <= FIGURES.keys()


def test_the_age_pyramid_is_whole_and_without_gaps() -> None:
    assert sum(band.share for band in BANDS) == pytest.approx(1.0)
    for younger, older in pairwise(BANDS):
        assert older.youngest == younger.oldest + 1
