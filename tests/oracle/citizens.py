"""Citizens: their events walked in order, and what each citizen counts for today."""

from dataclasses import dataclass, field
from datetime import date

from tests.oracle.said import Said
from tests.oracle.tally import Tally
from tests.oracle.territory import Territory


@dataclass
class Citizen:
    """What is so after the events walked up to now."""

    registered: bool = False
    birth_date: date = date.max
    area_code: str = ""
    area_as_of: date = date.min
    party_member: bool = False
    eid_level: int = 0
    eid_activated: bool = False
    e_signature: bool = False
    portals: dict[str, bool] = field(default_factory=dict)
    app: bool = False
    accounts: dict[str, bool] = field(default_factory=dict)
    health_record: bool = False
    own_name: bool = False
    smartphone: bool = False
    internet: bool = False
    compliant: bool = False
    handbook: bool = False
    topics: set[str] = field(default_factory=set)
    # Days of the latest one of what happens.
    dossier: date | None = None
    self_service: date | None = None
    payment: date | None = None
    teleconsultation: date | None = None

    def hear(self, said: Said) -> None:
        """Take in the next event in order."""
        data = said.data
        match said.name:
            case "identity.citizen-registered":
                self.registered = True
                self.birth_date = date.fromisoformat(data["birth_date"])
                self.area_code, self.area_as_of = data["area"], said.day
                self.party_member = data.get("party_member", False)
            case "identity.residence-changed":
                self.area_code, self.area_as_of = data["area"], said.day
            case "identity.citizen-departed":
                self.registered = False
            case "identity.party-membership-changed":
                self.party_member = data["member"]
            case "identity.eid-changed":
                self.eid_level, self.eid_activated = data["level"], data["activated"]
            case "identity.e-signature-changed":
                self.e_signature = data["active"]
            case "public-service.account-changed":
                self.portals[data["portal"]] = data["active"]
            case "public-service.dossier-submitted":
                self.dossier = said.day
                if data["self_service"]:
                    self.self_service = said.day
            case "public-service.app-changed":
                self.app = data["active"]
            case "payment.account-changed":
                self.accounts[data["kind"]] = data["active"]
            case "payment.transaction-completed":
                self.payment = said.day
            case "health.record-changed":
                self.health_record = data["active"]
            case "health.teleconsultation-completed":
                self.teleconsultation = said.day
            case "telecom.subscription-changed":
                self.own_name = data["own_name"]
                self.smartphone = data["smartphone"]
                self.internet = data["internet"]
            case "community.training-completed":
                self.topics.add(data["topic"])
            case "community.conduct-assessed":
                self.compliant = data["compliant"]
            case "community.handbook-changed":
                self.handbook = data["active"]
            case other:
                raise ValueError(f"{other} is not about a citizen")

    def age(self, today: date) -> int:
        """Full years; who is born on 29 February turns a year older on 1 March of common years."""
        had_birthday = (today.month, today.day) >= (self.birth_date.month, self.birth_date.day)
        return today.year - self.birth_date.year - (0 if had_birthday else 1)


def count(events: list[Said], territory: Territory, today: date, tally: Tally) -> None:
    """Count one citizen, given all their events in order."""
    citizen = Citizen()
    for said in events:
        citizen.hear(said)
    if not citizen.registered:
        return
    unit = territory.unit(citizen.area_code, citizen.area_as_of)
    age = citizen.age(today)

    def satisfies(indicator: str, satisfied: bool) -> None:
        tally.count(unit, indicator, satisfied=satisfied)

    satisfies("ds.health-record", citizen.health_record)
    satisfies("nf.app", citizen.app)
    satisfies("dt.soc.6", citizen.smartphone and citizen.internet)
    if citizen.smartphone:
        satisfies("dt.soc.7", _within(citizen.dossier, 365, today) or citizen.app)
    if 15 <= age <= 59:
        satisfies("ds.digital-skills", "digital-skills" in citizen.topics)
    if age >= 18:
        satisfies("ds.smartphone", citizen.smartphone)
        satisfies("ds.e-signature", citizen.e_signature)
        satisfies("ds.online-public-services", _within(citizen.dossier, 365, today))
        satisfies("ds.telehealth", _within(citizen.teleconsultation, 365, today))
        satisfies("dt.soc.8", _within(citizen.payment, 365, today))
        satisfies("nf.eid", citizen.eid_level in {1, 2} and citizen.eid_activated)
    if age >= 15:
        _count_digital_citizen(citizen, today, unit, tally)
        satisfies("ds.e-payment-account", any(citizen.accounts.values()))
        satisfies("nf.payment-account", citizen.accounts.get("bank", False))
        satisfies("nf.e-payment-use", _within(citizen.payment, 365, today))


def _count_digital_citizen(citizen: Citizen, today: date, unit: str, tally: Tally) -> None:
    """Decision 590: eleven criteria in three groups, of citizens aged 15 and over."""
    first = {
        "dc.1.1": citizen.own_name and citizen.smartphone and citizen.internet,
        "dc.1.2": citizen.eid_level == 2 and citizen.eid_activated,
        "dc.1.3": any(citizen.portals.values()),
        "dc.1.4": any(citizen.accounts.values()),
        "dc.1.5": citizen.app,
    }
    if citizen.party_member:
        first["dc.1.6"] = citizen.handbook
    second = {
        "dc.2.1": "digital-skills" in citizen.topics,
        "dc.2.2": "code-of-conduct" in citizen.topics,
    }
    third = {
        "dc.3.1": _within(citizen.self_service, 365, today),
        "dc.3.2": _within(citizen.payment, 90, today),
        "dc.3.3": citizen.compliant,
    }
    groups = {
        "dc.group-1": all(first.values()),
        "dc.group-2": all(second.values()),
        "dc.group-3": all(third.values()),
    }
    whole = {"dc.digital-citizen": all(groups.values())}
    for indicator, satisfied in {**first, **second, **third, **groups, **whole}.items():
        tally.count(unit, indicator, satisfied=satisfied)


def _within(latest: date | None, days: int, today: date) -> bool:
    """Whether the latest one lies at most so many days before today."""
    return latest is not None and (today - latest).days <= days
