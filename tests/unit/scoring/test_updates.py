"""The bytes of `indicator.updated` are those of its model."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.pace import shown
from contracts.updates import IndicatorUpdated, IndicatorUpdatedData, indicator_updated
from services.scoring.updates import encode

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
COUNTS = st.integers(0, 2**63 - 1)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SHARES = st.tuples(COUNTS, COUNTS, st.none())
QUANTITIES = st.tuples(st.none(), st.none(), st.none() | st.decimals(-(10**12), 10**12, places=4))
NAMES = st.text(st.characters(codec="utf-8"), max_size=20)


def modelled(figure: Sequence[Any], fresh_at: datetime | None) -> IndicatorUpdated:
    area, indicator, basis, numerator, denominator, value, period, version, updated_at = figure
    return indicator_updated(
        IndicatorUpdatedData(
            area=area,
            indicator=indicator,
            basis=basis,
            numerator=numerator,
            denominator=denominator,
            value=shown(numerator, denominator, value),
            period=period,
            version=version,
            updated_at=updated_at,
            fresh_at=fresh_at,
        )
    )


@given(
    figure=st.tuples(
        st.tuples(NAMES, NAMES, st.sampled_from(["events", "reported"])),
        SHARES | QUANTITIES,
        st.tuples(
            st.sampled_from([None, "2026", "2026-10", "2026-Q3", "2026-H1"]),
            st.integers(1, 2**63 - 1),
            MOMENTS,
        ),
    ).map(lambda parts: [one for part in parts for one in part]),
    fresh_at=st.none() | MOMENTS,
)
def test_they_say_what_the_model_says(figure: list[Any], fresh_at: datetime | None) -> None:
    expected = json.loads(modelled(figure, fresh_at).model_dump_json())
    written = json.loads(encode(figure, fresh_at))
    assert written == expected
    assert [*written, *written["data"]] == [*expected, *expected["data"]]


@pytest.mark.parametrize(
    "said",
    [
        (0, 0, None),
        (0, 3, None),
        (1, 3, None),
        (2, 3, None),
        (1, 800, None),
        (3, 3, None),
        (None, None, None),
        (None, None, Decimal("150.255")),
        (None, None, Decimal(10) ** 300),
        (None, None, -(Decimal(2) ** 63)),
    ],
)
def test_they_are_the_same_to_the_byte(said: tuple[Any, ...]) -> None:
    figure = ("2025:15", "dt.eco.2", "reported", *said, "2026-Q3", 7, NOW)
    fresh_at = NOW.replace(microsecond=120)
    assert encode(figure, fresh_at) == modelled(figure, fresh_at).model_dump_json().encode()
