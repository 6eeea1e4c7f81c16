"""Citizens, each derived from (seed, index): who they are, where they live, what they rank in.

A citizen's number has the form of Viet Nam's: province code, century and sex digit, year of birth,
six digits. The province codes used here (000 for the first million, then 900 to 999) are given to
no province, so no real person can bear such a number.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Final

from services.simulator.calibration import BANDS, LEGACY_REGISTRATIONS, PARTY_MEMBERS, Band
from services.simulator.chance import chance, day_between, moment_on, rank
from services.simulator.territory import REFORM_DAY, Territory
from services.simulator.traits import CITIZEN_TRAITS

#: The share of a citizen's rank in any trait that one common affinity explains.
PULL: Final = 0.55

_BLOCK: Final = 1_000_000
_INVENTED_CODES: Final = 100  # 900 to 999
_STRIDE: Final = 611_953  # shares no factor with a million, so it permutes the six digits
_AGE_EDGES: Final = tuple(accumulate(band.share for band in BANDS))
_REGISTERED_FROM: Final = date(2021, 1, 1)
_DAYS_TO_REGISTER_A_BIRTH: Final = 45
_MOVED: Final = 0.03  # have moved to another commune since they were registered
_DEPARTED: Final = 0.006  # were registered and have died or left since
_NEWBORN: Final = 0.7
_MOVERS: Final = (3, 3, 4, 4, 5)  # age bands of adults who move in


@dataclass(frozen=True, slots=True)
class Citizen:
    """A citizen as they are when the simulation starts.

    `place` is the index of the commune they were registered in, `home` of the one they live in.
    `luck` is the citizen's own generator, for details that nothing else depends on.
    """

    index: int
    subject: str
    born: date
    band: int
    place: int
    home: int
    registered: datetime
    moved: datetime | None
    departed: datetime | None
    party_member: bool
    ranks: Mapping[str, float]
    luck: Random


def number_of(seed: int, index: int, born: date, *, female: bool) -> str:
    """An invented 12-digit number, different for every index below 101 million."""
    block, within = divmod(index, _BLOCK)
    code = 0 if block == 0 else 900 + (block - 1) % _INVENTED_CODES
    century = 2 * (born.year // 100 - 19) + (1 if female else 0)
    six = (within * _STRIDE + seed % _BLOCK) % _BLOCK
    return f"{code:03d}{century}{born.year % 100:02d}{six:06d}"


class Census:
    """Derives any citizen of a seed on request and remembers none.

    `started_at` must be in local time (`chance.LOCAL`): its calendar day is today.
    """

    def __init__(self, seed: int, territory: Territory, started_at: datetime) -> None:
        self._seed = seed
        self._territory = territory
        self._started_at = started_at
        self._today = started_at.date()

    def citizen(self, index: int) -> Citizen:
        """The citizen of that index, as they are when the simulation starts."""
        luck = chance(self._seed, "citizen", index)
        band = min(bisect_right(_AGE_EDGES, luck.random()), len(BANDS) - 1)
        born = _birthday(self._today, BANDS[band], luck)
        registered = self._registration(born, luck)
        place = self._territory.place(luck.random())
        moved, home = self._move(registered, place, luck)
        return self._citizen(index, luck, born, band, where=(place, home), when=(registered, moved))

    def newcomer(self, index: int, now: datetime) -> Citizen:
        """A citizen who is registered only now: mostly newborn, sometimes moved in as an adult."""
        luck = chance(self._seed, "newcomer", index)
        band = 0 if luck.random() < _NEWBORN else luck.choice(_MOVERS)
        born = _birthday(self._today, BANDS[band], luck)
        if band == 0:
            born = now.date() - timedelta(days=luck.randint(3, 40))
        place = self._territory.place(luck.random())
        return self._citizen(index, luck, born, band, where=(place, place), when=(now, None))

    def _citizen(
        self,
        index: int,
        luck: Random,
        born: date,
        band: int,
        *,
        where: tuple[int, int],
        when: tuple[datetime, datetime | None],
    ) -> Citizen:
        place, home = where
        registered, moved = when
        affinity = luck.gauss(0.0, 1.0)
        return Citizen(
            index=index,
            subject=f"citizen:{number_of(self._seed, index, born, female=luck.random() < 0.5)}",
            born=born,
            band=band,
            place=place,
            home=home,
            registered=registered,
            moved=moved,
            departed=self._departure(registered, luck),
            party_member=luck.random() < PARTY_MEMBERS and BANDS[band].youngest >= 18,
            ranks={
                trait.name: rank(affinity, luck.gauss(0.0, 1.0), PULL) for trait in CITIZEN_TRAITS
            },
            luck=luck,
        )

    def _registration(self, born: date, luck: Random) -> datetime:
        soon = born + timedelta(days=luck.randint(3, _DAYS_TO_REGISTER_A_BIRTH))
        last_legacy_day = REFORM_DAY - timedelta(days=1)
        if luck.random() < LEGACY_REGISTRATIONS and soon <= last_legacy_day:
            day = day_between(max(soon, _REGISTERED_FROM), last_legacy_day, luck.random())
        else:
            day = day_between(max(soon, REFORM_DAY), self._today, luck.random())
        return moment_on(day, luck.random(), self._started_at)

    def _move(self, registered: datetime, place: int, luck: Random) -> tuple[datetime | None, int]:
        moves, draw, to = luck.random() < _MOVED, luck.random(), luck.random()
        first = registered.date() + timedelta(days=30)
        if not moves or first >= self._today:
            return None, place
        day = day_between(first, self._today, draw)
        return moment_on(day, draw, self._started_at), self._territory.place(to)

    def _departure(self, registered: datetime, luck: Random) -> datetime | None:
        departs, draw = luck.random() < _DEPARTED, luck.random()
        first = registered.date() + timedelta(days=10)
        if not departs or first >= self._today:
            return None
        return moment_on(day_between(first, self._today, draw), draw, self._started_at)


def years_later(day: date, years: int) -> date:
    """The same day that many years later (or earlier); 29 February becomes the 28th if need be."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _birthday(today: date, band: Band, luck: Random) -> date:
    latest = years_later(today, -luck.randint(band.youngest, band.oldest))
    return latest - timedelta(days=luck.randint(0, 364))
