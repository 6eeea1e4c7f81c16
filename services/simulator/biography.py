"""What has happened to a citizen before the simulation starts, as events."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from services.simulator.adoption import Adoption
from services.simulator.chance import moment_on
from services.simulator.citizens import Citizen, years_later
from services.simulator.envelopes import Event, Writer
from services.simulator.territory import Territory

WALLETS: Final = ("e-wallet", "mobile-money")
PURPOSES: Final = ("electricity", "water", "tuition", "fee", "shopping", "other")

#: Traits whose event is no more than ``active: true``: trait → event name.
SWITCHES: Final[Mapping[str, str]] = {
    "e-signature": "identity.e-signature-changed",
    "handbook": "community.handbook-changed",
    "health-record": "health.record-changed",
}
TRAININGS: Final = ("digital-skills", "code-of-conduct")

_YEAR: Final = 364  # days: inside every window of the catalogue
# Of those who paid without cash within a year, 78 % did so in the last 90 days (assumption):
# (90 / 364) ** (1 / 5.6) is 0.78.
_KEENNESS: Final = 5.6
_LAPSED: Final = 0.06  # share beyond the level: used it once, longer than a year ago
_WAITING: Final = 0.12  # share beyond the level: identity approved but not activated yet


class Biographer:
    """Tells the past of citizens. Pure: the same citizen always has the same past."""

    def __init__(
        self,
        writer: Writer,
        territory: Territory,
        adoptions: Mapping[str, Adoption],
        started_at: datetime,
    ) -> None:
        self._writer = writer
        self._communes = territory.communes
        self._adoptions = adoptions
        self._started_at = started_at
        self._today = started_at.date()

    def registration(self, who: Citizen) -> Event:
        """The event that makes a citizen count."""
        area = self._communes[who.place].code_on(who.registered, who.luck)
        data: dict[str, Any] = {"birth_date": who.born.isoformat(), "area": area}
        if who.party_member:
            data |= {"party_member": True}
        return self._write(who, "registered", "identity.citizen-registered", who.registered, data)

    def facts(self, who: Citizen) -> Iterator[Event]:
        """Everything else, by subject matter; the times lie in no particular order."""
        yield from self._identity(who)
        yield from self._telecom(who)
        yield from self._services(who)
        yield from self._payments(who)
        yield from self._health(who)
        yield from self._community(who)
        yield from self._residence(who)

    def has(self, who: Citizen, trait: str) -> bool:
        """Whether a citizen has adopted a trait when the simulation starts."""
        return who.ranks[trait] < self._adoptions[trait].today(who.home, who.band)

    def _since(self, who: Citizen, trait: str) -> datetime:
        """When a citizen adopted a trait: as its history tells, but not before the right age."""
        adoption = self._adoptions[trait]
        day = adoption.day(who.ranks[trait], who.home, who.band)
        old_enough = years_later(who.born, adoption.trait.from_age) + timedelta(days=5)
        return self._on(max(day, min(old_enough, self._today)), who.luck.random())

    def _used(self, who: Citizen, trait: str, keenness: float = 1.0) -> datetime | None:
        """When a citizen last did something that only counts for a while, or None if never."""
        level = self._adoptions[trait].today(who.home, who.band)
        part, draw = who.ranks[trait] / level if level else 2.0, who.luck.random()
        if part < 1.0:
            return self._ago(round(_YEAR * part**keenness), draw)
        if level and who.ranks[trait] < level + _LAPSED:
            return self._ago(_YEAR + 2 + int(draw * 300), draw)
        return None

    def _ago(self, days: int, draw: float) -> datetime:
        return self._on(self._today - timedelta(days=days), draw)

    def _on(self, day: date, draw: float) -> datetime:
        return moment_on(day, draw, self._started_at)

    def _write(
        self, who: Citizen, key: str, name: str, moment: datetime, data: dict[str, Any]
    ) -> Event:
        return self._writer.write(f"citizen|{who.index}|{key}", name, who.subject, moment, data)

    def _identity(self, who: Citizen) -> Iterator[Event]:
        name, draw = "identity.eid-changed", who.luck.random()
        if self.has(who, "eid"):
            since = self._since(who, "eid")
            if draw < 0.25 and since.date() < self._today:  # came by way of level 1
                first = {"level": 1, "activated": True}
                yield self._write(who, "eid-1", name, since, first)
                since = self._on(since.date() + timedelta(days=1 + int(draw * 200)), draw)
            level = 1 if 0.05 < draw < 0.12 else 2
            yield self._write(who, "eid", name, since, {"level": level, "activated": True})
        elif who.ranks["eid"] < self._adoptions["eid"].today(who.home, who.band) + _WAITING:
            approved = self._ago(int(draw * 300), draw)
            if self._adoptions["eid"].today(who.home, who.band):
                yield self._write(who, "eid", name, approved, {"level": 2, "activated": False})
        yield from self._switch(who, "e-signature")

    def _switch(self, who: Citizen, trait: str) -> Iterator[Event]:
        if self.has(who, trait):
            moment = self._since(who, trait)
            yield self._write(who, trait, SWITCHES[trait], moment, {"active": True})

    def _telecom(self, who: Citizen) -> Iterator[Event]:
        smartphone, own_name = self.has(who, "smartphone"), self.has(who, "own-name")
        draw = who.luck.random()
        if not smartphone and not own_name:
            return
        trait = "smartphone" if smartphone else "own-name"
        data = {
            "own_name": own_name,
            "smartphone": smartphone,
            "internet": smartphone and draw < 0.96,
        }
        moment = self._since(who, trait)
        yield self._write(who, "sim", "telecom.subscription-changed", moment, data)

    def _services(self, who: Citizen) -> Iterator[Event]:
        draw = who.luck.random()
        if self.has(who, "portal"):
            data: dict[str, Any] = {
                "portal": "national" if draw < 0.6 else "provincial",
                "active": True,
            }
            moment = self._since(who, "portal")
            yield self._write(who, "portal", "public-service.account-changed", moment, data)
        if self.has(who, "app"):
            data = {"app": "yenbai-s", "active": True}
            moment = self._since(who, "app")
            yield self._write(who, "app", "public-service.app-changed", moment, data)
        for trait, alone in (("assisted-dossier", False), ("self-service", True)):
            if (used := self._used(who, trait)) is not None:
                data = {"portal": "national" if draw < 0.5 else "provincial", "self_service": alone}
                yield self._write(who, trait, "public-service.dossier-submitted", used, data)

    def _payments(self, who: Citizen) -> Iterator[Event]:
        draw = who.luck.random()
        wallet = WALLETS[draw > 0.7]
        has_wallet = self.has(who, "wallet")
        for trait, kind in (("bank", "bank"), ("wallet", wallet)):
            if self.has(who, trait):
                data = {"kind": kind, "active": True}
                moment = self._since(who, trait)
                yield self._write(who, trait, "payment.account-changed", moment, data)
        if (used := self._used(who, "e-payment", _KEENNESS)) is not None:
            method = wallet if has_wallet and draw < 0.8 else "transfer" if draw < 0.9 else "card"
            spent = {"method": method, "purpose": PURPOSES[int(draw * 1000) % len(PURPOSES)]}
            yield self._write(who, "paid", "payment.transaction-completed", used, spent)

    def _health(self, who: Citizen) -> Iterator[Event]:
        yield from self._switch(who, "health-record")
        if (used := self._used(who, "teleconsultation")) is not None:
            data = {"mode": "advice" if used.minute % 3 else "care"}
            yield self._write(who, "consulted", "health.teleconsultation-completed", used, data)

    def _community(self, who: Citizen) -> Iterator[Event]:
        for topic in TRAININGS:
            if self.has(who, topic):
                moment = self._since(who, topic)
                name = "community.training-completed"
                yield self._write(who, topic, name, moment, {"topic": topic})
        if self.has(who, "compliant"):
            moment = self._since(who, "compliant")
            yield self._write(
                who, "conduct", "community.conduct-assessed", moment, {"compliant": True}
            )
        if who.party_member:
            yield from self._switch(who, "handbook")

    def _residence(self, who: Citizen) -> Iterator[Event]:
        if who.moved is not None:
            area = self._communes[who.home].code_on(who.moved, who.luck)
            name = "identity.residence-changed"
            yield self._write(who, "moved", name, who.moved, {"area": area})
        if who.departed is not None:
            reason = "died" if who.luck.random() < 0.4 else "moved-away"
            name = "identity.citizen-departed"
            yield self._write(who, "departed", name, who.departed, {"reason": reason})
