"""Invented figures and the rules of the examples."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from contracts import areas, catalogue
from services.notifier.core.causes import Domain
from services.notifier.core.rule import Rule

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


@pytest.fixture
def rule() -> Rule:
    return Rule(
        tolerance=Decimal(2),
        hysteresis=Decimal(1),
        minimum_denominator=30,
        hold_for=timedelta(days=3),
        severities=((Decimal(15), "critical"), (Decimal(5), "warning")),
    )


@pytest.fixture
def domain() -> Domain:
    return Domain(areas.load(), catalogue.load(), lambda _: 30)
