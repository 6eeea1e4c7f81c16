"""Hard lives of citizens: moves, departures and returns, birthdays, facts before registration."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from tests.e2e.hard.pen import Pen

_ODD_BIRTHS: Final = (
    date(1, 1, 1),
    date(1900, 1, 1),
    date(1964, 2, 29),
    date(2004, 2, 29),
    date(2008, 2, 29),
    date(9999, 12, 31),
)
_PURPOSES: Final = ("electricity", "water", "tuition", "fee", "shopping", "other")


class Citizen:
    """Writes one citizen's life."""

    def __init__(self, pen: Pen, today: date) -> None:
        self._pen = pen
        self._rng = pen.rng
        self._today = today
        #: How likely a state is a good one: from hardly ever to nearly always.
        self._luck = self._rng.choice((0.2, 0.6, 0.95))

    def live(self) -> None:
        """Write a life; about a dozen events."""
        rng = self._rng
        fate = rng.choices(("usual", "model", "wanderer", "unknown"), (50, 20, 25, 5))[0]
        if fate != "unknown":
            self._register(self._pen.moment())
        if fate == "model":
            self._become_digital()
        for _ in range(rng.randint(2, 10)):
            self._happen()
        if fate == "wanderer":
            for _ in range(rng.randint(1, 3)):
                self._depart(self._pen.moment())
                if rng.random() < 0.7:
                    self._register(self._pen.moment())

    def _good(self) -> bool:
        return self._rng.random() < self._luck

    def _register(self, moment: datetime) -> None:
        data: dict[str, Any] = {
            "birth_date": birth_date(self._rng, self._today).isoformat(),
            "area": self._pen.desk.area(moment),
        }
        if self._rng.random() < 0.5:
            data["party_member"] = self._rng.random() < 0.6
        self._pen.write("identity.citizen-registered", data, moment)

    def _depart(self, moment: datetime) -> None:
        reason = self._rng.choice(("died", "moved-away"))
        self._pen.write("identity.citizen-departed", {"reason": reason}, moment)

    def _become_digital(self) -> None:
        """Write all that a digital citizen needs; what comes later may take some of it away."""
        # A little in the past, so that the windows of 90 and 365 days decide about the rest.
        recent = max(self._pen.desk.moments.draw() for _ in range(3))
        for number in range(len(_FACTS)):
            self._fact(number, recent, good=True)
        self._pen.write("community.training-completed", {"topic": "digital-skills"}, recent)
        self._pen.write("community.training-completed", {"topic": "code-of-conduct"}, recent)

    def _happen(self) -> None:
        moment = self._pen.moment()
        if self._rng.random() < 0.15:
            area = self._pen.desk.area(moment)
            self._pen.write("identity.residence-changed", {"area": area}, moment)
        else:
            self._fact(self._rng.randrange(len(_FACTS)), moment, good=self._good())

    def _fact(self, number: int, moment: datetime, *, good: bool) -> None:
        name, make = _FACTS[number]
        self._pen.write(name, make(self._rng, good), moment)


def birth_date(rng: Random, today: date) -> date:
    """A date of birth: often a birthday that lies around today at 15, 18 or 60."""
    kind = rng.random()
    if kind < 0.35:
        day = today + timedelta(days=rng.choice((-1, 0, 1)))
        age = rng.choice((15, 18, 60))
        # There is no 29 February in most years.
        return day.replace(year=day.year - age, day=min(day.day, 28) if day.month == 2 else day.day)
    if kind < 0.45:
        return rng.choice((*_ODD_BIRTHS, today, today + timedelta(days=1)))
    return today - timedelta(days=rng.randint(0, 90 * 365))


def _subscription(rng: Random, good: bool) -> dict[str, Any]:
    return {name: good or rng.random() < 0.5 for name in ("own_name", "smartphone", "internet")}


def _eid(rng: Random, good: bool) -> dict[str, Any]:
    return {"level": 2 if good else rng.randint(0, 2), "activated": good or rng.random() < 0.5}


def _dossier(rng: Random, good: bool) -> dict[str, Any]:
    return {"portal": rng.choice(("national", "provincial")), "self_service": good}


def _account(rng: Random, good: bool) -> dict[str, Any]:
    return {"kind": rng.choice(("bank", "e-wallet", "mobile-money")), "active": good}


def _payment(rng: Random, _: bool) -> dict[str, Any]:
    method = rng.choice(("card", "transfer", "e-wallet", "mobile-money"))
    return {"method": method, "purpose": rng.choice(_PURPOSES)}


def _training(rng: Random, _: bool) -> dict[str, Any]:
    return {"topic": rng.choice(("digital-skills", "code-of-conduct"))}


def _active(_: Random, good: bool) -> dict[str, Any]:
    return {"active": good}


_FACTS: Final = (
    ("identity.party-membership-changed", lambda _, good: {"member": good}),
    ("identity.eid-changed", _eid),
    ("identity.e-signature-changed", _active),
    (
        "public-service.account-changed",
        lambda rng, good: {"portal": rng.choice(("national", "provincial")), "active": good},
    ),
    ("public-service.dossier-submitted", _dossier),
    ("public-service.app-changed", lambda _, good: {"app": "yenbai-s", "active": good}),
    ("payment.account-changed", _account),
    ("payment.transaction-completed", _payment),
    ("health.record-changed", _active),
    (
        "health.teleconsultation-completed",
        lambda rng, _: {"mode": rng.choice(("advice", "care"))},
    ),
    ("telecom.subscription-changed", _subscription),
    ("community.training-completed", _training),
    ("community.conduct-assessed", lambda _, good: {"compliant": good}),
    ("community.handbook-changed", _active),
)
