"""Which alerts a silence means, and when it holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifier.core.alert import NOBODY, Alert
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Reason
from services.notifier.core.figure import FigureKey
from services.notifier.core.matching import traits_of
from services.notifier.core.silence import Silence, SilenceState

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
COMMUNE, PROVINCE = "2025:02647", "2025:15"
SILENCE = Silence(
    id=UUID(int=7),
    area=None,
    indicator=None,
    indicator_set=None,
    severity=None,
    starts_at=NOW,
    ends_at=NOW + HOUR,
    comment="Bão số 12",
    created_at=NOW,
    created_by="operator",
)


def alert(area: str, indicator: str) -> Alert:
    return Alert(
        id=UUID(int=1),
        kind="pace",
        key=FigureKey(area, indicator, "events"),
        state="firing",
        severity="warning",
        reason=Reason.BEHIND_PACE,
        version=1,
        standing=NOBODY,
        opened_at=NOW,
        changed_at=NOW,
    )


@pytest.mark.parametrize(
    ("after", "ended", "state"),
    [
        (-HOUR, False, "ahead"),
        (timedelta(0), False, "active"),
        (HOUR - timedelta(seconds=1), False, "active"),
        (HOUR, False, "ended"),
        (timedelta(0), True, "ended"),
    ],
)
def test_when_it_holds(after: timedelta, ended: bool, state: SilenceState) -> None:
    silence = replace(SILENCE, ended_at=NOW if ended else None)
    assert silence.state(NOW + after) == state


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"area": COMMUNE}, True),
        ({"area": PROVINCE}, True),  # a unit and all below
        ({"area": "2025:02671"}, False),
        ({"indicator": "ds.smartphone"}, True),
        ({"indicator": "ds.fibre"}, False),
        ({"indicator_set": "digital-society"}, True),
        ({"indicator_set": "digital-citizen"}, False),
        ({"severity": "warning"}, True),
        ({"severity": "critical"}, False),
        ({"area": PROVINCE, "severity": "critical"}, False),  # each must fit
    ],
)
def test_what_it_means(wanted: dict[str, Any], fits: bool, domain: Domain) -> None:
    traits = traits_of(alert(COMMUNE, "ds.smartphone"), domain)
    assert replace(SILENCE, **wanted).matcher.fits(traits) is fits


def test_of_the_province_is_not_of_a_commune(domain: Domain) -> None:
    traits = traits_of(alert(PROVINCE, "ds.smartphone"), domain)
    assert not replace(SILENCE, area=COMMUNE).matcher.fits(traits)
    assert traits.level == "province"


def test_of_a_report_there_is_no_set(domain: Domain) -> None:
    assert traits_of(alert(COMMUNE, "report-due.2026-Q3"), domain).set is None
    assert traits_of(alert("2025:none", "ds.fibre"), domain).level is None
