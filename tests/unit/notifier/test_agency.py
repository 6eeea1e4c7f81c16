"""The agency that answers for an indicator is told of the province's figure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from contracts import agencies, catalogue
from services.notifier.core.agency import agency_of, agency_told
from services.notifier.core.alert import Alert
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Reason
from services.notifier.core.figure import FigureKey, Standing
from services.notifier.core.inhibition import Hushing
from services.notifier.core.passage import Record, Terms
from services.notifier.core.route import Route
from services.notifier.core.schedule import Policy
from services.notifier.core.stages import gather, plan

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
AT_ONCE = Policy(timedelta(0), timedelta(0), timedelta(days=7))


@pytest.fixture
def answering(domain: Domain) -> Domain:
    return replace(domain, agencies=agencies.load(None, catalogue.load()))


def firing(number: int, indicator: str, area: str = "2025:15") -> Alert:
    return Alert(
        id=UUID(int=number),
        kind="pace",
        key=FigureKey(area, indicator, "events"),
        state="firing",
        severity="warning",
        reason=Reason.BEHIND_PACE,
        version=1,
        standing=Standing(Decimal(60), Decimal(73), Decimal(90), Decimal(13), 130, 600, 1000),
        opened_at=NOW,
        changed_at=NOW,
        fired_at=NOW,
    )


def test_it_is_told_of_the_province_and_of_what_it_answers_for(answering: Domain) -> None:
    assert agency_told(firing(1, "ds.health-record"), answering) == "agency:so-y-te"
    assert agency_told(firing(1, "ds.health-record", "2025:02647"), answering) is None
    assert agency_told(firing(1, "nf.party-handbook-cells"), answering) is None
    silent = replace(firing(1, "source.health"), kind="source-silent")
    assert agency_told(silent, answering) is None


def test_without_data_nobody_answers(domain: Domain) -> None:
    assert agency_told(firing(1, "ds.health-record"), domain) is None


def test_an_audience_leads_back_to_its_agency(answering: Domain) -> None:
    found = agency_of("agency:so-y-te", answering.agencies)
    assert found is not None
    assert found.name == "Sở Y tế"
    assert agency_of("agency:nobody", answering.agencies) is None
    assert agency_of("unit:2025:15", answering.agencies) is None


def test_an_agency_gets_a_letter_of_its_own_indicators_beside_the_province(
    answering: Domain,
) -> None:
    terms = Terms(
        domain=answering,
        routes=Route(AT_ONCE, keeps_quiet=False),
        audiences={"unit:2025:15", "agency:so-y-te", "agency:so-cong-thuong"},
        hours=None,
        hushing=Hushing({}, frozenset()),
        silences=(),
    )
    alerts = [firing(1, "ds.health-record"), firing(2, "ds.smartphone")]
    planned = plan(alerts, Record(), terms, NOW)
    letters = planned.letters + gather(planned.shared, terms, NOW).letters
    told = {one.audience: [alert.key.indicator for alert in one.alerts] for one in letters}
    assert told == {
        "unit:2025:15": ["ds.health-record", "ds.smartphone"],
        "agency:so-y-te": ["ds.health-record"],
    }
