"""Everything about one invented province that follows from its seed, made once and then only read."""

from datetime import datetime
from typing import Final

from services.simulator.adoption import adoptions
from services.simulator.biography import Biographer
from services.simulator.bodies import Counts, Registrar
from services.simulator.chance import LOCAL
from services.simulator.citizens import Census
from services.simulator.envelopes import Writer
from services.simulator.reports import Reporter
from services.simulator.territory import REFORM_DAY, territory
from services.simulator.traits import (
    CITIZEN_TRAITS,
    HOUSEHOLD_TRAITS,
    INSTITUTION_TRAITS,
    ORGANISATION_TRAITS,
)

#: More would need numbers twice (see `citizens.number_of`).
MOST_CITIZENS: Final = 50_000_000


class Province:
    """The parts that fill and live draw on.

    Raises:
        ValueError: when there are too few or too many citizens, or the start has no offset or lies
            before the reform, when today's communes did not exist.
    """

    def __init__(self, seed: int, citizens: int, started_at: datetime) -> None:
        if not 1 <= citizens <= MOST_CITIZENS:
            raise ValueError(f"citizens must be from 1 to {MOST_CITIZENS:,}, not {citizens:,}")
        if started_at.tzinfo is None:
            raise ValueError("started_at must have an offset, for example datetime.now(UTC)")
        local = started_at.astimezone(LOCAL)
        if local.date() <= REFORM_DAY:
            raise ValueError(
                f"started_at must lie after {REFORM_DAY}: the communes are of that day"
            )
        self.seed = seed
        self.citizens = citizens
        self.started_at = local
        self.territory = territory()
        communes, today = self.territory.communes, local.date()
        self.people = adoptions(CITIZEN_TRAITS, communes, today, aged=True)
        bodies = (*HOUSEHOLD_TRAITS, *ORGANISATION_TRAITS, *INSTITUTION_TRAITS)
        self.counts = Counts.of(citizens, len(communes))
        self.writer = Writer(seed, local)
        self.census = Census(seed, self.territory, local)
        self.biographer = Biographer(self.writer, self.territory, self.people, local)
        self.registrar = Registrar(
            seed, self.writer, self.territory, adoptions(bodies, communes, today, aged=False)
        )
        self.reporter = Reporter(seed, self.writer, self.territory)
