"""A page that everybody may open shows nothing from which few people could be told."""

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.disclosure import SMALLEST, Count
from contracts.pace import gap_people
from services.dashboard import ranking
from services.dashboard.answers import (
    AlertAnswer,
    FigureAnswer,
    LineAnswer,
    RankedAnswer,
    TargetAnswer,
)
from services.dashboard.views import IndicatorRow
from tests.unit.dashboard.test_views import PROVINCE, figure, indicator, page

SCHOOLS = {
    "population": {"name": "schools", "subject": "institution", "text": {"vi": "Trường"}},
}


def of(numerator: int, denominator: int, **extra: object) -> FigureAnswer:
    value = str(round(Decimal(100 * numerator) / denominator, 2))
    return figure(value, "73.57", numerator=numerator, denominator=denominator, **extra)


def row(shown: FigureAnswer, **kind: object) -> IndicatorRow:
    return page(indicator("ds.smartphone", **kind), shown).sets[0].rows[0]


@pytest.mark.parametrize(
    ("numerator", "denominator", "value", "counted"),
    [
        (1, 134, "dưới 8,21%", "dưới 11 / 134 người"),
        (10, 1200, "dưới 0,92%", "dưới 11 / 1.200 người"),
        (1195, 1200, "Gần đạt hết", "còn dưới 11 / 1.200 người chưa đạt"),
        (6, 9, "Không nêu", "số đối tượng quá ít"),
        (0, 1200, "0%", "0 / 1.200 người"),
        (1200, 1200, "100%", "1.200 / 1.200 người"),
        (11, 1200, "0,92%", "11 / 1.200 người"),
    ],
)
def test_of_few_people_words_stand_in_place_of_figures(
    numerator: int, denominator: int, value: str, counted: str
) -> None:
    shown = row(of(numerator, denominator))
    assert (shown.value, shown.counted) == (value, counted)


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 134), (1195, 1200), (6, 9)])
def test_nothing_that_hangs_on_a_withheld_figure_is_shown(numerator: int, denominator: int) -> None:
    shown = of(
        numerator,
        denominator,
        projected_on="2029-06-01",
        projection={"state": "on-the-way"},
        reported={"period": "2026-Q3", "value": 62.5, "difference": -2.5},
    )
    for lines in ((), (LineAnswer(aim="own", target=Decimal(85), pace=Decimal(60)),)):
        told = page(indicator(), shown, (), *lines)
        one = told.sets[0].rows[0]
        assert (one.bar, one.gap, one.projected, one.beside) == (None, "", "", None)
        assert one.target
        assert (told.below, told.on_pace) == (0, 0)


@settings(deadline=None, max_examples=200)
@given(
    st.tuples(st.integers(0, 150), st.integers(1, 150)).map(lambda one: (min(one), one[1])),
    st.integers(0, 100),
)
def test_no_count_of_fewer_than_eleven_people_stands_anywhere(
    counted: tuple[int, int], pace: int
) -> None:
    reached, of_so_many = counted
    shown = of(reached, of_so_many).model_copy(
        update={
            "pace": Decimal(pace),
            "gap_people": gap_people(reached, of_so_many, Decimal(pace)),
        }
    )
    fires = alert(numerator=reached, denominator=of_so_many, gap_people=shown.gap_people)
    told = page(indicator(), shown, (fires,))
    one = told.sets[0].rows[0]
    (card,) = told.alerts or ()
    text = f"{one.value}; {one.counted}; {one.gap}; {one.projected}; {card.standing}; {card.gap}"
    for few, reached_there, number in re.findall(r"(dưới )?(?:(\d+) / )?(\d+) người", text):
        assert few or not 0 < int(reached_there or number) < SMALLEST
        if reached_there and not few:
            assert not 0 < int(number) - int(reached_there) < SMALLEST
    assert (one.bar is None) == one.is_hidden


def test_a_gap_of_few_people_is_told_in_words() -> None:
    assert row(figure("73", gap_people=5)).gap == "dưới 11 người"
    assert row(figure("73", gap_people=11)).gap == "11 người"
    assert row(figure("73", gap_people=5), **SCHOOLS).gap == "5 cơ sở"


def test_a_report_of_few_people_is_not_shown_beside() -> None:
    few = {"period": "2026-Q3", "value": 0.5, "numerator": 5, "denominator": 1000}
    assert row(figure("60", reported=few)).beside is None
    assert row(figure("60", reported=few | {"numerator": 500, "value": 50})).beside is not None


def test_schools_are_no_people_but_few_of_them_mean_nothing() -> None:
    assert row(of(3, 40), **SCHOOLS).counted == "3 / 40 cơ sở"
    assert row(of(3, 12), **SCHOOLS).counted == "số đối tượng quá ít"


def test_the_least_that_means_something_is_what_the_rules_say() -> None:
    target = TargetAnswer(
        area=PROVINCE.area_id, indicator="ds.smartphone", minimum_denominator=200, lines=()
    )
    shown = page(indicator(), of(50, 134), targets=[target])
    assert shown.sets[0].rows[0].counted == "số đối tượng quá ít"


def alert(**changes: object) -> AlertAnswer:
    return AlertAnswer.model_validate(
        {
            "area": "2025:15",
            "area_name": "Tỉnh Lào Cai",
            "indicator": "ds.smartphone",
            "indicator_name": "Có điện thoại thông minh",
            "severity": "critical",
            "value": 0.75,
            "pace": 73.57,
            "numerator": 9,
            "denominator": 1200,
            "gap_people": 874,
            "fired_at": None,
        }
        | changes
    )


@pytest.mark.parametrize(
    ("changes", "standing", "gap"),
    [
        ({}, "Hiện đạt dưới 0,92% (dưới 11 / 1.200 người), tiến độ cần đạt 73,57%", ""),
        (
            {"numerator": 1195, "value": 99.58, "pace": 100, "gap_people": 5},
            "Hiện còn dưới 11 / 1.200 người chưa đạt, tiến độ cần đạt 100%",
            "",
        ),
        (
            {"numerator": 6, "denominator": 9, "value": 66.67, "gap_people": 1},
            "Không nêu số liệu (số đối tượng quá ít), tiến độ cần đạt 73,57%",
            "",
        ),
        (
            {"numerator": 880, "value": 73.33, "gap_people": 3},
            "Hiện đạt 73,33%, tiến độ cần đạt 73,57%",
            "dưới 11 người",
        ),
    ],
)
def test_an_alert_says_of_few_people_what_letters_say(
    changes: dict[str, object], standing: str, gap: str
) -> None:
    (card,) = page(indicator(), of(9, 1200), (alert(**changes),)).alerts or ()
    assert (card.standing, card.gap) == (standing, gap)


FAMILY = {
    ("2025:15", "ds.smartphone"): {
        "2025:02647": Count(5, 1000),
        "2025:02671": Count(300, 800),
        "2025:02680": Count(500, 900),
    }
}


def ranked(families: dict[tuple[str, str], dict[str, Count]]) -> ranking.Ranking:
    places = [
        RankedAnswer.model_validate(
            of(*count).model_dump() | {"area": area, "name": area, "rank": rank}
        )
        for rank, (area, count) in enumerate(
            sorted(FAMILY["2025:15", "ds.smartphone"].items(), key=lambda one: -one[1].numerator), 1
        )
    ]
    return ranking.rank(
        indicator(), [indicator()], places, alerts=(), targets=(), families=families
    )


def test_few_people_have_no_place_in_the_ranking() -> None:
    assert [(one.area, one.rank, one.value) for one in ranked({}).rows] == [
        ("2025:02680", "1", "55,56%"),
        ("2025:02671", "2", "37,50%"),
        ("2025:02647", "–", "dưới 1,10%"),
    ]


def test_who_would_give_them_away_has_none_either() -> None:
    rows = ranked(FAMILY).rows
    assert [(one.area, one.rank) for one in rows] == [
        ("2025:02680", "1"),
        ("2025:02647", "–"),
        ("2025:02671", "–"),
    ]
    assert (rows[2].value, rows[2].gap, rows[2].bar) == ("Không nêu", "", None)


def test_a_unit_above_does_not_name_the_gap_of_who_would_give_few_away() -> None:
    held = {
        "areas": [
            {"area": "2025:02671", "area_name": "Phường Cam Đường", "gap_people": 288},
            {"area": "2025:02680", "area_name": "Xã Cốc San", "gap_people": 162},
        ]
    }
    fires = alert(numerator=805, denominator=2700, value=29.81, held_back_by=held)
    (card,) = page(indicator(), of(805, 2700), (fires,), families=FAMILY).alerts or ()
    assert card.missing == ("Xã Cốc San 162 người",)


def test_a_criterion_of_few_people_is_not_named_by_its_share() -> None:
    held = {"criteria": [{"indicator": "ds.smartphone", "indicator_name": "SIM", "value": 0.75}]}
    for counted, said in ((of(9, 1200), ()), (of(90, 1200), ("SIM 0,75%",))):
        (card,) = page(indicator(), counted, (alert(held_back_by=held),)).alerts or ()
        assert card.lowest == said
