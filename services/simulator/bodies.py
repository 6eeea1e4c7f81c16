"""Households, organisations, institutions and dossiers, each derived from (seed, index)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from services.simulator import calibration
from services.simulator.adoption import Adoption
from services.simulator.chance import chance, moment_on, rank
from services.simulator.citizens import PULL
from services.simulator.envelopes import Event, Writer
from services.simulator.territory import Commune, Territory
from services.simulator.traits import HOUSEHOLD_TRAITS, INSTITUTION_TRAITS, ORGANISATION_TRAITS

#: Sizes and kinds with their shares: assumptions.
_SIZES: Final = {"micro": 62, "small": 26, "medium": 4, "large": 1, "public": 7}
_KINDS: Final = {
    "primary": 34,
    "secondary": 28,
    "high": 10,
    "college": 1,
    "vocational": 4,
    "university": 1,
    "health-facility": 22,
}
_RANKED: Final = {
    "household": HOUSEHOLD_TRAITS,
    "organisation": ORGANISATION_TRAITS,
    "institution": INSTITUTION_TRAITS,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each there are for a number of citizens."""

    households: int
    organisations: int
    institutions: int
    dossiers: int

    @classmethod
    def of(cls, citizens: int, communes: int) -> "Counts":
        """The counts that fit a province of so many citizens."""
        return cls(
            households=round(citizens / calibration.PEOPLE_IN_A_HOUSEHOLD),
            organisations=max(citizens // calibration.CITIZENS_TO_AN_ORGANISATION, 10),
            institutions=communes * calibration.INSTITUTIONS_IN_A_COMMUNE,
            dossiers=citizens // calibration.CITIZENS_TO_A_DOSSIER,
        )


class Registrar:
    """Writes what a household, organisation, institution or dossier is like at a moment."""

    def __init__(
        self,
        seed: int,
        writer: Writer,
        territory: Territory,
        adoptions: Mapping[str, Adoption],
    ) -> None:
        self._seed = seed
        self._writer = writer
        self._territory = territory
        self._adoptions = adoptions

    def household(self, index: int, moment: datetime, progress: float = 0.0) -> Event:
        """The fibre line of a household."""
        luck, commune, has = self._describe("household", index, progress)
        covered = has["covered"]
        data = {
            "area": commune.code_on(moment, luck),
            "covered": covered,
            "subscribed": covered and has["subscribed"],
        }
        subject = f"household:HGD-{self._seed % 1000:03d}-{index:09d}"
        return self._write(f"household|{index}", "telecom.fibre-changed", subject, moment, data)

    def organisation(self, index: int, moment: datetime, progress: float = 0.0) -> Event:
        """An organisation and what it uses."""
        luck, commune, has = self._describe("organisation", index, progress)
        (size,) = luck.choices(list(_SIZES), list(_SIZES.values()))
        data = {
            "area": commune.code_on(moment, luck),
            "size": size,
            "cashless": has["cashless"],
            "platform": has["platform"],
            "e_invoice": has["e-invoice"],
            "e_contract": has["e-contract"],
        }
        # Tax codes begin with the province's code; 00 is given to none, so these are invented.
        subject = f"organisation:00{index:08d}"
        name = "registry.organisation-changed"
        return self._write(f"organisation|{index}", name, subject, moment, data)

    def institution(self, index: int, moment: datetime, progress: float = 0.0) -> Event:
        """A school, college or health facility; every commune has its share."""
        communes = self._territory.communes
        luck, commune, has = self._describe("institution", index, progress, index % len(communes))
        (kind,) = luck.choices(list(_KINDS), list(_KINDS.values()))
        data = {
            "area": commune.code_on(moment, luck),
            "kind": kind,
            "urban": commune.urban,
            "cashless_fees": has["cashless-fees"],
            "digital_model": has["digital-model"],
            "stem": has["stem"] and kind in {"primary", "secondary", "high"},
        }
        subject = f"institution:{commune.code}-{index:05d}"
        name = "registry.institution-changed"
        return self._write(f"institution|{index}", name, subject, moment, data)

    def dossier(self, index: int, moment: datetime) -> Event:
        """One dossier handled by an office in some commune."""
        luck = chance(self._seed, "dossier", index)
        commune = self._territory.communes[self._territory.place(luck.random())]
        online = luck.random() < calibration.DOSSIER_LEVEL_3_OR_4
        answered = luck.random() < calibration.DOSSIER_ANSWERED
        satisfied = luck.random() < calibration.DOSSIER_SATISFIED
        data = {
            "level": luck.choice((3, 4, 4)) if online else luck.choice((1, 2, 2)),
            "authenticated": luck.random() < calibration.DOSSIER_AUTHENTICATED,
            "satisfied": satisfied if answered else None,
            "area": commune.code_on(moment, luck),
        }
        subject = f"dossier:HS-{self._seed % 1000:03d}-{index:09d}"
        name = "public-service.dossier-changed"
        return self._write(f"dossier|{index}", name, subject, moment, data)

    def closure(self, kind: str, index: int, moment: datetime) -> Event:
        """The end of a household, organisation or dossier."""
        subject = {
            "household": f"household:HGD-{self._seed % 1000:03d}-{index:09d}",
            "organisation": f"organisation:00{index:08d}",
            "dossier": f"dossier:HS-{self._seed % 1000:03d}-{index:09d}",
        }[kind]
        data = {"reason": "closed at the owner's request"}
        return self._write(
            f"closed-{kind}|{index}", "registry.subject-closed", subject, moment, data
        )

    def before(self, kind: str, index: int, started_at: datetime) -> datetime:
        """When a body was last heard of before the simulation starts: within two years."""
        luck = chance(self._seed, "before", kind, index)
        day = started_at.date() - timedelta(days=luck.randint(1, 700))
        return moment_on(day, luck.random(), started_at)

    def _describe(
        self, kind: str, index: int, progress: float, place: int | None = None
    ) -> tuple[Random, Commune, dict[str, bool]]:
        luck = chance(self._seed, kind, index)
        drawn = self._territory.place(luck.random())
        at = drawn if place is None else place
        affinity = luck.gauss(0.0, 1.0)
        has = {
            trait.name: rank(affinity, luck.gauss(0.0, 1.0), PULL)
            < self._adoptions[trait.name].after(progress, at)
            for trait in _RANKED[kind]
        }
        return luck, self._territory.communes[at], has

    def _write(
        self, key: str, name: str, subject: str, moment: datetime, data: dict[str, Any]
    ) -> Event:
        key = f"{key}|{moment.isoformat()}"
        return self._writer.write(key, name, subject, moment, data)

    def all_before(self, counts: Counts, started_at: datetime) -> Iterator[Event]:
        """Every organisation and institution, as last heard of before the simulation starts."""
        for index in range(counts.institutions):
            yield self.institution(index, self.before("institution", index, started_at))
        for index in range(counts.organisations):
            yield self.organisation(index, self.before("organisation", index, started_at))
