"""What a citizen, household, organisation or institution may have adopted, and how widely.

`level` is the province's share when the simulation starts, `ceiling` what it grows towards while
the province lives. `earlier` are dated shares from before, so that the times of events rebuild the
growth that the sources report. `by_age` shifts the odds (in logits) for each band of
`calibration.BANDS`. A trait whose `figure` is None is an assumption, chosen around the targets of
Plan 231 so that some indicators lead their pace and some lag.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from services.simulator.calibration import FIGURES

Shares = tuple[tuple[date, float], ...]

#: Odds by age for the bands of `calibration.BANDS`.
_EVEN: Final = (0.0,) * 8
_DEVICE: Final = (-9.0, -1.5, 0.8, 1.3, 0.8, 0.0, -1.3, -2.4)
_ADULT: Final = (0.0, 0.0, -0.6, 0.6, 0.6, 0.1, -0.8, -1.6)
_RECORD: Final = (0.5, 0.3, -0.3, -0.3, 0.0, 0.1, 0.3, 0.3)
_SCHOOLED: Final = (0.0, 0.0, 1.0, 0.7, 0.3, -0.2, -1.0, -1.8)


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing that is adopted or not.

    `measured_from` is the age from which `level` is a share of the population, `from_age` the age
    from which anyone has it. `spread` scales how strongly communes differ.
    """

    name: str
    level: float
    ceiling: float
    since: date
    figure: str | None = None
    measured_from: int = 15
    from_age: int = 15
    by_age: tuple[float, ...] = _EVEN
    earlier: Shares = ()
    spread: float = 1.0


def _earlier(*names: str) -> Shares:
    return tuple((FIGURES[name].as_of, FIGURES[name].share) for name in names)


def _share(name: str) -> float:
    return FIGURES[name].share


_DRIVE = date(2022, 7, 18)  # VNeID was opened to the public
_STRATEGY = date(2022, 3, 31)  # Decision 411/QĐ-TTg
_CRITERIA = date(2023, 4, 20)  # Decision 590/QĐ-UBND

CITIZEN_TRAITS: Final[tuple[Trait, ...]] = (
    Trait(
        "smartphone",
        _share("smartphone"),
        0.94,
        date(2015, 1, 1),
        "smartphone",
        measured_from=18,
        from_age=6,
        by_age=_DEVICE,
    ),
    Trait("own-name", 0.90, 0.985, date(2018, 4, 24), from_age=6, by_age=_ADULT, spread=0.5),
    Trait(
        "eid",
        _share("eid"),
        0.93,
        _DRIVE,
        "eid",
        measured_from=18,
        by_age=_ADULT,
        earlier=_earlier("eid-2023"),
    ),
    Trait("portal", 0.52, 0.86, date(2019, 12, 9), by_age=_ADULT, earlier=_earlier("portal-2022")),
    Trait(
        "app",
        _share("app"),
        0.60,
        date(2022, 7, 1),
        "app",
        measured_from=0,
        from_age=6,
        by_age=(-9.0, -3.5, 0.8, 1.3, 0.8, 0.0, -1.3, -2.4),
    ),
    Trait(
        "bank",
        _share("bank"),
        0.97,
        date(2012, 1, 1),
        "bank",
        by_age=_ADULT,
        earlier=_earlier("bank-2021"),
    ),
    Trait(
        "wallet",
        _share("payment-platform"),
        0.75,
        date(2018, 1, 1),
        "payment-platform",
        by_age=_DEVICE,
    ),
    Trait("e-signature", 0.31, 0.70, date(2023, 1, 1), measured_from=18, by_age=_ADULT),
    Trait("handbook", 0.62, 0.95, date(2022, 9, 1), measured_from=18, from_age=18, by_age=_ADULT),
    Trait("digital-skills", 0.58, 0.90, _STRATEGY, by_age=_SCHOOLED),
    Trait("code-of-conduct", 0.55, 0.92, date(2021, 6, 17), by_age=_SCHOOLED),
    Trait("compliant", 0.49, 0.88, _CRITERIA, by_age=_SCHOOLED),
    Trait(
        "health-record",
        _share("health-record"),
        0.98,
        date(2019, 6, 1),
        "health-record",
        measured_from=0,
        from_age=0,
        by_age=_RECORD,
        spread=0.6,
    ),
    # The next four are uses: the share that did it at least once in the last 365 days.
    Trait(
        "e-payment",
        _share("e-payment"),
        0.90,
        date(2018, 1, 1),
        "e-payment",
        by_age=_DEVICE,
        earlier=_earlier("e-payment-2021"),
    ),
    # Dossiers sent in with somebody's help and unaided; together about 46 % of adults do either.
    Trait("assisted-dossier", 0.36, 0.66, _STRATEGY, measured_from=18, by_age=_ADULT),
    Trait("self-service", 0.30, 0.62, _STRATEGY, by_age=_DEVICE),
    Trait("teleconsultation", 0.19, 0.46, _STRATEGY, measured_from=18, by_age=_ADULT),
)

HOUSEHOLD_TRAITS: Final[tuple[Trait, ...]] = (
    Trait("covered", _share("fibre"), 0.99, date(2014, 1, 1), "fibre"),
    Trait("subscribed", 0.71, 0.90, date(2014, 1, 1)),
)

ORGANISATION_TRAITS: Final[tuple[Trait, ...]] = (
    Trait("cashless", 0.63, 0.92, date(2019, 1, 1)),
    Trait("platform", 0.37, 0.75, date(2021, 1, 1)),
    Trait("e-invoice", 0.95, 0.995, date(2021, 11, 1), spread=0.5),
    Trait("e-contract", 0.26, 0.65, date(2022, 1, 1)),
)

INSTITUTION_TRAITS: Final[tuple[Trait, ...]] = (
    Trait("cashless-fees", 0.68, 0.95, date(2021, 1, 1)),
    Trait("digital-model", 0.57, 0.88, date(2022, 1, 1)),
    Trait("stem", 0.54, 0.88, date(2020, 1, 1)),
)
