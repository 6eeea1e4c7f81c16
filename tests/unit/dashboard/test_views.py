"""What a page shows, from the answers of the services."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.dashboard import ranking, views, wording
from services.dashboard.answers import (
    AlertAnswer,
    AreaAnswer,
    FigureAnswer,
    FiguresAnswer,
    IndicatorAnswer,
    LineAnswer,
    RankedAnswer,
    TargetAnswer,
)
from services.dashboard.figures import Status
from services.dashboard.shield import Families
from services.dashboard.views import Page

NOW = datetime(2026, 11, 22, 1, 30, 5, tzinfo=UTC)
PROVINCE = AreaAnswer(area_id="2025:15", name="Tỉnh Lào Cai", level="province", parent_id=None)


def indicator(name: str = "ds.smartphone", **extra: object) -> IndicatorAnswer:
    return IndicatorAnswer.model_validate(
        {
            "id": name,
            "set": "digital-society",
            "name": {"vi": "Có điện thoại thông minh"},
            "population": {"name": "citizens-18", "subject": "citizen", "text": {"vi": "Người"}},
            "targets": {"2030": 90},
        }
        | extra
    )


def figure(value: str | None, pace: str | None = "73.57", **extra: object) -> FigureAnswer:
    return FigureAnswer.model_validate(
        {
            "id": "ds.smartphone",
            "numerator": 600,
            "denominator": 1000,
            "value": None if value is None else float(value),
            "basis": "events",
            "target": 90,
            "pace": None if pace is None else float(pace),
            "gap_people": 136,
        }
        | extra
    )


def page(
    one: IndicatorAnswer,
    shown: FigureAnswer,
    alerts: tuple[AlertAnswer, ...] | None = (),
    *lines: LineAnswer,
    targets: Sequence[TargetAnswer] = (),
    families: Families | None = None,
) -> Page:
    return views.page(
        PROVINCE,
        None,
        catalogue=[one],
        figures=FiguresAnswer(area="2025:15", as_of=NOW, indicators=(shown,)),
        alerts=alerts,
        targets=targets or [TargetAnswer(area="2025:15", indicator=one.id, lines=lines)],
        families=families or {},
        ranking=None,
    )


def line(aim: str, target: int, pace: str) -> LineAnswer:
    return LineAnswer.model_validate({"aim": aim, "target": target, "pace": float(pace)})


@pytest.mark.parametrize(
    ("value", "pace", "status"),
    [
        ("73.56", "73.57", "below"),
        ("73.57", "73.57", "on-pace"),
        ("60", None, "no-pace"),
        (None, "73.57", "no-data"),
    ],
)
def test_stands_against_its_pace(value: str | None, pace: str | None, status: Status) -> None:
    shown = page(indicator(), figure(value, pace))
    assert shown.sets[0].rows[0].status == status
    assert (shown.below, shown.on_pace) == (status == "below", status == "on-pace")


LAGS = {
    "area": "2025:15",
    "area_name": "Tỉnh Lào Cai",
    "indicator": "ds.smartphone",
    "indicator_name": "Có điện thoại thông minh",
    "severity": "warning",
    "reason": "behind-pace",
    "value": 60,
    "pace": 73.57,
    "gap_people": 136,
    "fired_at": None,
}


@pytest.mark.parametrize(
    ("reason", "value", "status", "standing", "counts"),
    [
        (None, "60", "below", "Dưới tiến độ", (0, 1, 0)),
        ("behind-pace", "60", "lagging", "Chậm tiến độ", (1, 0, 0)),
        # It has caught up, and the rules wait for a little more before they call it so.
        ("recovering", "73.57", "lagging", "Chậm tiến độ", (1, 0, 0)),
        ("falling", "75", "on-pace", "Đang giảm", (1, 0, 1)),
    ],
)
def test_what_lags_is_what_letters_say_lags(
    reason: str | None, value: str, status: Status, standing: str, counts: tuple[int, int, int]
) -> None:
    alerts = () if reason is None else (AlertAnswer.model_validate(LAGS | {"reason": reason}),)
    shown = page(indicator(), figure(value), alerts)
    row = shown.sets[0].rows[0]
    assert (row.status, row.standing) == (status, standing)
    assert (shown.lagging, shown.below, shown.on_pace) == counts
    assert shown.is_any_falling is (reason == "falling")


def test_what_no_letter_has_spoken_of_is_said() -> None:
    for told_at, untold in (("2026-11-22T01:30:05Z", 0), (None, 1)):
        fires = AlertAnswer.model_validate(LAGS | {"told_at": told_at})
        shown = page(indicator(), figure("60"), (fires,))
        assert (shown.lagging, shown.untold) == (1, untold)
        assert [card.is_told for card in shown.alerts or ()] == [untold == 0]


def test_a_silent_source_is_no_lag() -> None:
    assert page(indicator(), figure("60"), (AlertAnswer.model_validate(SOURCE),)).lagging == 0


def test_without_the_notifier_nobody_knows_what_lags() -> None:
    shown = page(indicator(), figure("60"), None)
    assert (shown.lagging, shown.below) == (None, 1)


@pytest.mark.parametrize(
    ("value", "difference", "said", "is_same"),
    [
        (62.5, -2.5, "−2,50 điểm %", False),
        (58, 2, "+2,00 điểm %", False),
        (60, 0, "0,00 điểm %", True),
    ],
)
def test_what_a_unit_reported_stands_beside_what_was_counted(
    value: float, difference: float, said: str, is_same: bool
) -> None:
    told = {"period": "2026-Q3", "value": value, "difference": difference}
    row = page(indicator(), figure("60", reported=told)).sets[0].rows[0]
    assert row.beside is not None
    assert (row.beside.period, row.beside.difference) == ("quý III năm 2026", said)
    assert row.beside.is_same is is_same
    assert page(indicator(), figure("60")).sets[0].rows[0].beside is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-10", "tháng 10 năm 2026"),
        ("2026-02", "tháng 2 năm 2026"),
        ("2026-Q4", "quý IV năm 2026"),
        ("2026-H1", "6 tháng đầu năm 2026"),
        ("2026-H2", "6 tháng cuối năm 2026"),
        ("2026", "năm 2026"),
    ],
)
def test_periods_are_named_as_letters_name_them(text: str, said: str) -> None:
    assert wording.period(text) == said


def test_says_in_vietnamese_what_is_missing() -> None:
    row = page(indicator(), figure("60")).sets[0].rows[0]
    assert (row.value, row.counted, row.gap) == ("60%", "600 / 1.000 người", "136 người")
    assert row.bar is not None
    assert row.bar.label == "Hiện đạt 60%, tiến độ cần đạt 73,57%"


@pytest.mark.parametrize(
    ("value", "projected_on", "state", "said"),
    [
        ("60", date(2029, 4, 30), "on-the-way", "dự kiến đạt 30/04/2029"),
        ("60", None, "not-at-this-pace", "chưa thể đạt với tốc độ hiện nay"),
        ("60", None, "too-short", ""),
        ("60", None, None, ""),
        ("91", date(2026, 11, 22), "met", "đã đạt"),
        (None, None, None, ""),
    ],
)
def test_says_when_the_target_is_met(
    value: str | None, projected_on: date | None, state: str | None, said: str
) -> None:
    projection = None if state is None else {"state": state}
    shown = figure(value, projected_on=projected_on, projection=projection)
    assert page(indicator(), shown).sets[0].rows[0].projected == said


def test_a_quantity_has_no_bar_and_no_percent() -> None:
    shown = figure("123.4", None, target=None, numerator=None, denominator=None, gap_people=None)
    row = page(indicator(unit="quantity", population=None, targets={}), shown).sets[0].rows[0]
    assert (row.value, row.bar, row.counted) == ("123,40", None, "")


def test_alerts_that_cannot_be_read_are_not_called_none() -> None:
    assert page(indicator(), figure("60"), None).alerts is None
    assert page(indicator(), figure("60"), ()).alerts == ()


def test_an_alert_says_what_holds_the_unit_back() -> None:
    alert = AlertAnswer.model_validate(
        {
            "id": "1",
            "area": "2025:15",
            "area_name": "Tỉnh Lào Cai",
            "indicator": "ds.smartphone",
            "indicator_name": "Có điện thoại thông minh",
            "severity": "critical",
            "value": 45.2,
            "pace": 73.57,
            "gap_people": 1234,
            "fired_at": "2026-11-22T01:30:05Z",
            "held_back_by": {
                "criteria": [{"indicator": "dc.1.1", "indicator_name": "Có SIM", "value": 12.5}],
                "areas": [{"area": "x", "area_name": "Xã Y Tý", "gap_people": 99}],
            },
        }
    )
    (card,) = page(indicator(), figure("45.2"), (alert,)).alerts or ()
    assert card.severity_name == "Nghiêm trọng"
    assert card.standing == "Hiện đạt 45,20%, tiến độ cần đạt 73,57%"
    assert card.gap == "1.234 người"
    assert (card.lowest, card.missing) == (("Có SIM 12,50%",), ("Xã Y Tý 99 người",))
    assert card.since == "08:30:05 ngày 22/11/2026"


SOURCE = {
    "kind": "source-silent",
    "area": "2025:15",
    "area_name": "Tỉnh Lào Cai",
    "indicator": "source.health",
    "indicator_name": "Nguồn dữ liệu: Y tế",
    "severity": "warning",
    "value": None,
    "pace": None,
    "gap_people": None,
    "fired_at": "2026-11-22T01:30:05Z",
}
SAID = {"acknowledged_at": "2026-11-22T01:30:05Z", "promised_on": "2026-12-20", "broken_at": None}
NOTED = "Đã xác nhận lúc 08:30:05 ngày 22/11/2026"


def test_a_silent_source_says_what_it_means() -> None:
    (card,) = page(indicator(), figure("45.2"), (AlertAnswer.model_validate(SOURCE),)).alerts or ()
    assert "ngừng gửi dữ liệu" in card.standing


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, f"{NOTED}, cam kết hoàn thành trước hết ngày 20/12/2026"),
        ({"promised_on": None}, NOTED),
        ({"broken_at": "2026-12-21T01:30:05Z"}, ""),
    ],
)
def test_an_alert_says_that_somebody_has_taken_it_up(
    changes: dict[str, str | None], said: str
) -> None:
    alert = AlertAnswer.model_validate(SOURCE | {"acknowledgement": SAID | changes})
    (card,) = page(indicator(), figure("45.2"), (alert,)).alerts or ()
    assert card.answer == said


def test_ranks_communes_and_marks_those_that_fire() -> None:
    places = [
        RankedArea("2025:02647", "Phường Lào Cai", 1, "80"),
        RankedArea("2025:02671", "Phường Cam Đường", None, None),
    ]
    ranked = ranking.rank(
        indicator(),
        [indicator()],
        [one.answer() for one in places],
        alerts=(),
        targets=(),
        families={},
    )
    assert [(row.rank, row.name, row.value) for row in ranked.rows] == [
        ("1", "Phường Lào Cai", "80%"),
        ("–", "Phường Cam Đường", "–"),
    ]
    assert not any(row.firing for row in ranked.rows)


def test_communes_are_ranked_by_value_and_measured_by_their_own_targets() -> None:
    places = [
        RankedArea("2025:02647", "Phường Lào Cai", 1, "60"),
        RankedArea("2025:02671", "Phường Cam Đường", 2, "60"),
    ]
    own = TargetAnswer(area="2025:02671", indicator="ds.smartphone", lines=(line("own", 70, "58"),))
    ranked = ranking.rank(
        indicator(),
        [indicator()],
        [one.answer() for one in places],
        alerts=(),
        targets=[own],
        families={},
    )
    assert [(row.whose, row.gap != "", row.bar and row.bar.status) for row in ranked.rows] == [
        ("", True, "below"),
        ("Mục tiêu riêng của đơn vị", False, "on-pace"),
    ]


COMMON = "Mục tiêu chung của tỉnh: 90%, tiến độ 73,57%"


@pytest.mark.parametrize(
    ("lines", "judged", "whose", "others"),
    [
        ([], ("90%", "73,57%", "136 người"), "", ()),
        ([line("provincial", 90, "73.57")], ("90%", "73,57%", "136 người"), "", ()),
        (
            [line("own", 85, "64.46")],
            ("85%", "64,46%", "45 người"),
            "Mục tiêu riêng của đơn vị",
            (COMMON,),
        ),
        (
            [line("provincial", 90, "71.5")],
            ("90%", "71,50%", "115 người"),
            "Tiến độ riêng của đơn vị",
            (COMMON,),
        ),
        (
            [line("national", 95, "82.68"), line("provincial", 90, "73.57")],
            ("95%", "82,68%", "227 người"),
            "Mục tiêu quốc gia",
            (COMMON,),
        ),
        (
            [line("provincial", 90, "73.57"), line("national", 80, "64.1")],
            ("90%", "73,57%", "136 người"),
            "",
            ("Mục tiêu quốc gia: 80%, tiến độ 64,10%",),
        ),
        (
            [line("national", 95, "82.68"), line("own", 85, "64.46")],
            ("95%", "82,68%", "227 người"),
            "Mục tiêu quốc gia",
            ("Mục tiêu riêng của đơn vị: 85%, tiến độ 64,46%", COMMON),
        ),
    ],
)
def test_a_unit_is_shown_against_what_it_is_judged_by(
    lines: list[LineAnswer], judged: tuple[str, str, str], whose: str, others: tuple[str, ...]
) -> None:
    row = page(indicator(), figure("60"), (), *lines).sets[0].rows[0]
    assert (row.target, row.pace, row.gap) == judged
    assert (row.whose, row.others) == (whose, others)


def test_on_its_own_pace_it_is_not_behind() -> None:
    shown = page(indicator(), figure("60"), (), line("own", 70, "58"))
    assert (shown.below, shown.on_pace, shown.sets[0].rows[0].gap) == (0, 1, "")


@pytest.mark.parametrize(
    ("target", "slope", "said"),
    [
        # 1 % in 30 days, to 70 %: 300 days on from 22 November 2026.
        (70, 0.0333, "dự kiến đạt 18/09/2027"),
        (60, 0.0333, "đã đạt"),
        (70, 0.0, "chưa thể đạt với tốc độ hiện nay"),
    ],
)
def test_the_day_is_that_of_the_target_it_is_judged_by(
    target: int, slope: float, said: str
) -> None:
    shown = figure(
        "60",
        projected_on="2029-06-01",
        projection={
            "state": "on-the-way",
            "slope_per_day": slope,
            "based_on": {"from": "2026-10-23", "to": "2026-11-22"},
        },
    )
    row = page(indicator(), shown, (), line("own", target, "58")).sets[0].rows[0]
    assert row.projected == said


@pytest.mark.parametrize(
    ("aim", "said"),
    [
        ("own", "Hiện đạt 45,20%, tiến độ cần đạt theo mục tiêu riêng 73,57%"),
        ("national", "Hiện đạt 45,20%, tiến độ cần đạt theo mục tiêu quốc gia 73,57%"),
    ],
)
def test_an_alert_says_whose_pace_it_is(aim: str, said: str) -> None:
    alert = AlertAnswer.model_validate(
        {
            "area": "2025:15",
            "area_name": "Tỉnh Lào Cai",
            "indicator": "ds.smartphone",
            "indicator_name": "Có điện thoại thông minh",
            "severity": "critical",
            "value": 45.2,
            "pace": 73.57,
            "aim": aim,
            "gap_people": 1234,
            "fired_at": None,
        }
    )
    (card,) = page(indicator(), figure("45.2"), (alert,)).alerts or ()
    assert card.standing == said


def test_what_has_a_target_comes_first_in_the_choice() -> None:
    plain = indicator("dc.1.1", targets={})
    reported = indicator("dt.eco.1", population=None)
    assert [one.id for one in ranking.rankable([plain, indicator(), reported])] == [
        "ds.smartphone",
        "dc.1.1",
    ]


def test_numbers_are_written_as_in_viet_nam() -> None:
    assert wording.number(Decimal("1234567.50")) == "1.234.567,50"
    assert wording.percent(Decimal("0.00")) == "0%"
    assert wording.percent(Decimal(100)) == "100%"
    assert wording.noun("smes", "organisation") == "doanh nghiệp"


class RankedArea:
    """One row of an invented ranking."""

    def __init__(self, area: str, name: str, rank: int | None, value: str | None) -> None:
        self.area, self.name, self.rank, self.value = area, name, rank, value

    def answer(self) -> RankedAnswer:
        whole = figure(self.value).model_dump()
        return RankedAnswer.model_validate(
            whole | {"area": self.area, "name": self.name, "rank": self.rank}
        )
