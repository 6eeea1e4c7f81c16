from datetime import UTC, datetime

import pytest

from services.simulator.envelopes import Event
from services.simulator.simulation import Simulation

STARTED_AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    return Simulation(seed=11, citizens=4_000, started_at=STARTED_AT)


@pytest.fixture(scope="session")
def filling(simulation: Simulation) -> list[Event]:
    return list(simulation.fill())
