"""What goes on happening: one step of the province's life at a time, each from (seed, step).

A step depends on nothing that was drawn before it, so a stream can be taken up at any step. The
province moves towards the ceilings of its traits (`adoption.progress`): whoever's rank the rising
share has just passed adopts, uses go on being made by those who make them, a little is lost again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from services.simulator.adoption import progress
from services.simulator.biography import PURPOSES, SWITCHES, TRAININGS, WALLETS
from services.simulator.chance import chance
from services.simulator.citizens import Citizen
from services.simulator.envelopes import Event
from services.simulator.province import Province

#: What a step may be, and how often out of 10,000 (assumptions; demography is kept slow, because a
#: demonstration lives through a year's events in an hour).
_STEPS: Final = {
    "adopt": 4_400,
    "pay": 2_300,
    "submit": 900,
    "consult": 400,
    "lose": 180,
    "fibre": 400,
    "dossier": 900,
    "organisation": 220,
    "institution": 180,
    "move": 50,
    "newcomer": 6,
    "departure": 5,
    "membership": 14,
    "closure": 15,
    "report": 30,
}
_NAMES: Final = tuple(_STEPS)
_WEIGHTS: Final = tuple(_STEPS.values())

#: Traits that a citizen adopts and keeps; the others are uses.
_KEPT: Final = (
    "smartphone",
    "own-name",
    "eid",
    "portal",
    "app",
    "bank",
    "wallet",
    "e-signature",
    "digital-skills",
    "code-of-conduct",
    "compliant",
    "health-record",
    "handbook",
)
_LOSABLE: Final = ("portal", "app", "wallet", "e-signature")
#: Steps that are uses, and who makes them: whoever has one of the traits.
_USES: Final = {
    "pay": ("e-payment",),
    "submit": ("assisted-dossier", "self-service"),
    "consult": ("teleconsultation",),
}
_FRONTIER: Final = 0.94  # ranks from this part of today's share upward may adopt (again)
_TRIES: Final = 12


class Life:
    """Tells what happens at a step. Its only memory is who has departed in this very stream."""

    def __init__(self, province: Province) -> None:
        self._province = province
        self._departed: set[int] = set()

    def step(self, number: int, now: datetime) -> Iterator[Event]:
        """The events of one step, at `now`: most often one."""
        luck = chance(self._province.seed, "step", number)
        (name,) = luck.choices(_NAMES, _WEIGHTS)
        done = progress(number, self._province.citizens)
        match name:
            case "adopt" | "lose":
                yield from self._turn(number, now, done, luck, lost=name == "lose")
            case "pay" | "submit" | "consult":
                yield from self._use(number, now, done, luck, name)
            case "move" | "departure" | "membership" | "newcomer":
                yield from self._person(number, now, luck, name)
            case _:
                yield from self._body(number, now, done, luck, name)

    def _turn(
        self, number: int, now: datetime, done: float, luck: Random, *, lost: bool
    ) -> Iterator[Event]:
        """A citizen adopts what the rising share has brought within reach, or loses it."""
        for _ in range(_TRIES):
            who = self._someone(luck)
            near = [trait for trait in _KEPT if self._at_the_frontier(who, trait, done)]
            traits = [trait for trait in near if trait in _LOSABLE] if lost else near
            if traits:
                yield self._turned(number, now, who, luck.choice(traits), done=done, lost=lost)
                return
        yield from self._use(number, now, done, luck, "pay")

    def _at_the_frontier(self, who: Citizen, trait: str, done: float) -> bool:
        if trait == "handbook" and not who.party_member:
            return False
        adoption = self._province.people[trait]
        today = adoption.today(who.home, who.band)
        share = adoption.after(done, who.home, who.band)
        return today * _FRONTIER <= who.ranks[trait] < share

    def _turned(
        self, number: int, now: datetime, who: Citizen, trait: str, *, done: float, lost: bool
    ) -> Event:
        luck = who.luck
        data: dict[str, Any] = {"active": not lost}
        match trait:
            case "smartphone" | "own-name":
                name = "telecom.subscription-changed"
                smart = trait == "smartphone" or self._has(who, "smartphone", done)
                own = trait == "own-name" or self._has(who, "own-name", done)
                data = {"own_name": own, "smartphone": smart, "internet": smart}
            case "eid":
                name, data = "identity.eid-changed", {"level": 2, "activated": True}
            case "portal":
                name = "public-service.account-changed"
                data |= {"portal": "national" if luck.random() < 0.6 else "provincial"}
            case "app":
                name = "public-service.app-changed"
                data |= {"app": "yenbai-s"}
            case "bank" | "wallet":
                name = "payment.account-changed"
                data |= {"kind": "bank" if trait == "bank" else luck.choice(WALLETS)}
            case "compliant":
                name, data = "community.conduct-assessed", {"compliant": True}
            case _ if trait in TRAININGS:
                name, data = "community.training-completed", {"topic": trait}
            case _:
                name = SWITCHES[trait]
        return self._write(number, name, who.subject, now, data)

    def _use(
        self, number: int, now: datetime, done: float, luck: Random, name: str
    ) -> Iterator[Event]:
        """Somebody who does such things does it again."""
        for _ in range(_TRIES):
            who = self._someone(luck)
            if any(self._has(who, trait, done) for trait in _USES[name]):
                yield self._used(number, now, who, done=done, luck=luck, name=name)
                return

    def _has(self, who: Citizen, trait: str, done: float) -> bool:
        """Whether the rising share has reached a citizen."""
        return who.ranks[trait] < self._province.people[trait].after(done, who.home, who.band)

    def _used(
        self, number: int, now: datetime, who: Citizen, *, done: float, luck: Random, name: str
    ) -> Event:
        if name == "pay":
            method = luck.choice(("transfer", "transfer", "card", *WALLETS))
            data: dict[str, Any] = {"method": method, "purpose": luck.choice(PURPOSES)}
            event = "payment.transaction-completed"
        elif name == "submit":
            portal = luck.choice(("national", "provincial"))
            data = {"portal": portal, "self_service": self._has(who, "self-service", done)}
            event = "public-service.dossier-submitted"
        else:
            data = {"mode": luck.choice(("advice", "advice", "care"))}
            event = "health.teleconsultation-completed"
        return self._write(number, event, who.subject, now, data)

    def _person(self, number: int, now: datetime, luck: Random, name: str) -> Iterator[Event]:
        if name == "newcomer":
            yield from self._newcomer(number, now)
            return
        who = self._someone(luck)
        if name == "departure":
            self._departed.add(who.index)
            data: dict[str, Any] = {"reason": luck.choice(("died", "moved-away"))}
            event = "identity.citizen-departed"
        elif name == "move":
            territory = self._province.territory
            home = territory.communes[territory.place(luck.random())]
            event, data = "identity.residence-changed", {"area": home.code_on(now, luck)}
        else:
            event = "identity.party-membership-changed"
            data = {"member": who.born.year + 18 < now.year and not who.party_member}
        yield self._write(number, event, who.subject, now, data)

    def _newcomer(self, number: int, now: datetime) -> Iterator[Event]:
        province = self._province
        who = province.census.newcomer(province.citizens + number, now)
        yield province.biographer.registration(who)
        if who.ranks["health-record"] < province.people["health-record"].today(who.home, who.band):
            data = {"active": True}
            later = now + timedelta(milliseconds=1)
            yield self._write(number, "health.record-changed", who.subject, later, data)

    def _body(
        self, number: int, now: datetime, done: float, luck: Random, name: str
    ) -> Iterator[Event]:
        province = self._province
        counts, registrar = province.counts, province.registrar
        match name:
            case "fibre":
                yield registrar.household(luck.randrange(counts.households), now, done)
            case "organisation":
                yield registrar.organisation(luck.randrange(counts.organisations), now, done)
            case "institution":
                yield registrar.institution(luck.randrange(counts.institutions), now, done)
            case "dossier":
                yield registrar.dossier(counts.dossiers + number, now)
            case "closure":
                yield registrar.closure("dossier", luck.randrange(counts.dossiers), now)
            case _:
                yield province.reporter.one(now, luck.random())

    def _someone(self, luck: Random) -> Citizen:
        """A citizen who has not departed."""
        while True:
            who = self._province.census.citizen(luck.randrange(self._province.citizens))
            if who.departed is None and who.index not in self._departed:
                return who

    def _write(
        self, number: int, name: str, subject: str, now: datetime, data: dict[str, Any]
    ) -> Event:
        return self._province.writer.write(f"step|{number}", name, subject, now, data)
