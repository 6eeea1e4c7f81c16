"""The stream itself: first the province is filled, then it lives.

`fill` is what has happened up to the start; `live` goes on from there for as long as moments are
given. The same seed, citizens and start give the same events in the same order.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from services.simulator.chance import LOCAL
from services.simulator.envelopes import Event
from services.simulator.living import Life
from services.simulator.province import Province

_SAMPLE: Final = 400


class Simulation:
    """One invented province and its events.

    Args:
        seed: the same seed gives the same province.
        citizens: how many are registered at the start.
        started_at: an aware moment; filling tells what happened before it.

    Raises:
        ValueError: when citizens or started_at are out of range; the message says how.
    """

    def __init__(self, *, seed: int, citizens: int, started_at: datetime) -> None:
        self.province = Province(seed, citizens, started_at)

    def fill(self) -> Iterator[Event]:
        """Everything up to the start: bodies and reports, then registrations, then facts."""
        province = self.province
        yield from province.registrar.all_before(province.counts, province.started_at)
        yield from province.reporter.monthly(province.started_at)
        for index in range(province.citizens):
            yield province.biographer.registration(province.census.citizen(index))
        for index in range(province.citizens):
            yield from self._facts_at(index)

    def fill_size(self) -> int:
        """About how many events `fill` gives: the small parts counted, the facts sampled."""
        province = self.province
        citizens, counts = province.citizens, province.counts
        sample = range(0, citizens, max(citizens // _SAMPLE, 1))
        facts = sum(sum(1 for _ in self._facts_of(index)) for index in sample)
        reports = sum(1 for _ in province.reporter.monthly(province.started_at))
        bodies = counts.households + counts.organisations + counts.institutions + counts.dossiers
        return citizens + bodies + reports + round(facts / len(sample) * citizens)

    def live(self, moments: Iterable[datetime], start: int = 0) -> Iterator[Event]:
        """What happens at each moment, from step `start` on; ends when the moments end.

        Each moment is one step; a step is most often one event, seldom none or two.
        """
        life = Life(self.province)
        for number, moment in enumerate(moments, start):
            yield from life.step(number, moment.astimezone(LOCAL))

    def _facts_of(self, index: int) -> Iterator[Event]:
        who = self.province.census.citizen(index)
        # The registration draws from the citizen's luck first, so it is told here as well: facts
        # must not depend on whether somebody asked for it before.
        self.province.biographer.registration(who)
        yield from self.province.biographer.facts(who)

    def _facts_at(self, index: int) -> Iterator[Event]:
        """A citizen's facts, and with them the households and dossiers whose turn it is."""
        yield from self._facts_of(index)
        province = self.province
        registrar, started_at = province.registrar, province.started_at
        for household in _turn(index, province.citizens, province.counts.households):
            moment = registrar.before("household", household, started_at)
            yield registrar.household(household, moment)
        for dossier in _turn(index, province.citizens, province.counts.dossiers):
            yield registrar.dossier(dossier, registrar.before("dossier", dossier, started_at))


def _turn(index: int, citizens: int, bodies: int) -> range:
    """The bodies that come along with a citizen, so that all are spread evenly over the filling."""
    return range(index * bodies // citizens, (index + 1) * bodies // citizens)
