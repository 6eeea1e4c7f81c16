"""A letter says nothing from which few people could be told."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import areas, catalogue
from contracts.disclosure import SMALLEST, Withheld, highest_share, withheld
from contracts.pace import Milestone, percentage
from services.notifier.core.alert import Alert, advance
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Decision, Reason
from services.notifier.core.figure import Figure, FigureKey, Standing, standing
from services.notifier.core.letter import Background, Letter, write
from services.notifier.receivers.email.rendering import as_html, as_text
from services.notifier.receivers.webhook.sending import body

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
UNIT = "2025:02647"
DOMAIN = Domain(areas.load(), catalogue.load(), lambda _: 30)
PEERS = ("2025:02671", "2025:02680", "2025:02683", "2025:02686")


@pytest.mark.parametrize(
    ("numerator", "denominator", "people", "why"),
    [
        (500, 1000, True, None),
        (0, 1000, True, None),
        (1, 1000, True, "few-reached"),
        (10, 1000, True, "few-reached"),
        (11, 1000, True, None),
        (989, 1000, True, None),
        (990, 1000, True, "few-missing"),
        (999, 1000, True, "few-missing"),
        (1000, 1000, True, None),
        (5, 29, True, "few-counted"),
        (5, 29, False, "few-counted"),
        (5, 40, False, None),
        (None, 1000, True, None),
        (5, None, True, None),
    ],
)
def test_few_are_fewer_than_eleven(
    numerator: int | None, denominator: int | None, people: bool, why: Withheld | None
) -> None:
    assert withheld(numerator, denominator, minimum_denominator=30, people=people) == why


def test_a_share_that_is_withheld_stays_under_what_is_said() -> None:
    assert highest_share(1200) == Decimal("0.92")


def figure(area: str, numerator: int, denominator: int) -> Figure:
    key = FigureKey(area, "ds.smartphone", "events")
    value = percentage(numerator, denominator)
    return Figure(key, 1, numerator, denominator, value, NOW, None)


def letter(
    numerator: int, denominator: int, near: Mapping[FigureKey, Figure], ago: int = 50
) -> Letter:
    """A letter that looks back on a time when `ago` in the numerator were counted."""
    of = figure(UNIT, numerator, denominator)
    stands = standing(DOMAIN.catalogue.by_id["ds.smartphone"], of, NOW.date())
    alert = _fires(of, stands)
    last = write([alert], {}, DOMAIN, is_reminder=False, now=NOW - timedelta(days=7))
    before = percentage(min(ago, denominator), denominator) or Decimal(0)
    days = [
        Milestone(NOW.date() - timedelta(days=60), before),
        Milestone(NOW.date() - timedelta(days=20), of.value or Decimal(0)),
    ]
    return write(
        [alert],
        {**near, of.key: of},
        DOMAIN,
        is_reminder=False,
        now=NOW,
        background=Background(days={of.key: days}, last=last),
    )


def _fires(of: Figure, stands: Standing) -> Alert:
    decision = Decision("firing", Reason.BEHIND_PACE, "critical")
    step = advance(None, decision, kind="pace", key=of.key, standing=stands, now=NOW)
    assert step is not None
    return step.alert


def counts_of_people(text: str) -> list[int]:
    """The numbers before ``người`` and those of ``… trên … người``."""
    found = re.findall(r"(dưới )?([\d.]+)(?: trên ([\d.]+))? người", text)
    return [
        int(number.replace(".", ""))
        for below, *numbers in found
        for number in numbers
        if number and not below
    ]


small = st.tuples(st.integers(0, 12), st.integers(20, 2_000))
near_all = st.tuples(st.integers(0, 12), st.integers(20, 2_000)).map(
    lambda pair: (max(0, pair[1] - pair[0]), pair[1])
)


@settings(deadline=None, max_examples=60)
@given(
    own=small | near_all,
    others=st.lists(small | near_all, min_size=len(PEERS), max_size=len(PEERS)),
    ago=st.integers(0, 2_000),
)
def test_no_count_of_fewer_than_eleven_people_is_told(
    own: tuple[int, int], others: list[tuple[int, int]], ago: int
) -> None:
    near = {
        one.key: one
        for one in (
            figure(area, min(pair), pair[1]) for area, pair in zip(PEERS, others, strict=True)
        )
    }
    written = letter(min(own), own[1], near, ago)
    for text in (as_text(written), as_html(written), body(written)):
        assert not [number for number in counts_of_people(text) if 0 < number < SMALLEST]
    (alert,) = written.alerts
    told = (alert.numerator, alert.gap_people, alert.missing, alert.per_month)
    assert not [number for number in told if number is not None and 0 < number < SMALLEST]
    if alert.withheld is not None:
        assert (alert.value, alert.numerator, alert.trend, alert.before) == (None, None, None, None)
    elif alert.trend is not None:
        # No share of the past is of few of those who are counted.
        for point in alert.trend.points[:-1]:
            reached = round(point.value * own[1] / 100)
            assert not 0 < reached < SMALLEST
    if alert.similar is not None:
        pairs = {area: (min(pair), pair[1]) for area, pair in zip(PEERS, others, strict=True)}
        reached, counted = pairs[alert.similar.best]
        assert counted >= 30
        assert not 0 < reached < SMALLEST
        assert not 0 < counted - reached < SMALLEST


def test_what_is_withheld_is_said_in_words() -> None:
    text = as_text(letter(9, 1_200, {}))
    assert "Hiện đạt dưới 0,92% (dưới 11 trên 1.200 người)" in text
    assert "0,75" not in text
    text = as_text(letter(9, 1_200, {}), "en")
    assert "Now below 0.92% (fewer than 11 of 1,200 people)" in text


def test_schools_are_no_people() -> None:
    key = FigureKey("2025:15", "ds.schools", "events")
    of = Figure(key, 1, 3, 40, percentage(3, 40), NOW, None)
    stands = standing(DOMAIN.catalogue.by_id["ds.schools"], of, NOW.date())
    text = as_text(write([_fires(of, stands)], {}, DOMAIN, is_reminder=False, now=NOW))
    assert "(3 trên 40 cơ sở)" in text
