"""Households, organisations, institutions and dossiers that move, change, close and open again."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.e2e.hard.pen import Desk, Pen


def write_body(pen: Pen) -> None:
    """Write one to six states of a body, some of them after it was closed."""
    rng = pen.rng
    name, make = _STATES[pen.subject.partition(":")[0]]
    for _ in range(rng.randint(1, 6)):
        moment = pen.moment()
        if rng.random() < 0.2:
            pen.write("registry.subject-closed", {"reason": "giải thể"}, moment)
        else:
            pen.write(name, {"area": pen.desk.area(moment), **make(rng)}, moment)


def new_subject(desk: Desk, number: int) -> str:
    """A subject; the same code may name an institution and a dossier."""
    rng = desk.rng
    match rng.choice(tuple(_STATES)):
        case "household":
            return f"household:{household_code(rng)}"
        case "organisation":
            return f"organisation:{rng.randrange(10**10):010d}{rng.choice(('', '001'))}"
        case kind:
            return f"{kind}:Ma.{number // 2}_x-1"


def household_code(rng: Random) -> str:
    """An invented code that cannot be met by chance in what is no code."""
    return f"HoKhau-{rng.randrange(10**8):08d}-Q"


def citizen_number(rng: Random) -> str:
    """An invented number: no province has the code 000."""
    return f"000{rng.randrange(10**9):09d}"


def _fibre(rng: Random) -> dict[str, Any]:
    return {"covered": rng.random() < 0.8, "subscribed": rng.random() < 0.5}


def _dossier(rng: Random) -> dict[str, Any]:
    return {
        "level": rng.randint(1, 4),
        "authenticated": rng.random() < 0.5,
        "satisfied": rng.choice((True, False, None)),
    }


def _organisation(rng: Random) -> dict[str, Any]:
    size = rng.choice(("micro", "small", "medium", "large", "public"))
    uses = ("cashless", "platform", "e_invoice", "e_contract")
    return {"size": size, **{name: rng.random() < 0.5 for name in uses}}


def _institution(rng: Random) -> dict[str, Any]:
    kinds = ("primary", "secondary", "high", "college", "vocational", "university")
    offers = ("urban", "cashless_fees", "digital_model", "stem")
    kind = rng.choice((*kinds, "health-facility", "health-facility"))
    return {"kind": kind, **{name: rng.random() < 0.5 for name in offers}}


_STATES: Final[dict[str, tuple[str, Callable[[Random], dict[str, Any]]]]] = {
    "household": ("telecom.fibre-changed", _fibre),
    "organisation": ("registry.organisation-changed", _organisation),
    "institution": ("registry.institution-changed", _institution),
    "dossier": ("public-service.dossier-changed", _dossier),
}
