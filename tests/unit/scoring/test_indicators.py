"""Every counted indicator: one subject that satisfies it, one just not, one outside."""

from typing import Any

import pytest

from contracts.subjects import SubjectKind
from tests.unit.scoring.saying import BIT_OF, Said, counts, standing

CITIZEN, HOUSEHOLD = SubjectKind.CITIZEN, SubjectKind.HOUSEHOLD
ORGANISATION, INSTITUTION = SubjectKind.ORGANISATION, SubjectKind.INSTITUTION
DOSSIER = SubjectKind.DOSSIER

Case = tuple[SubjectKind, list[Said], list[Said], list[Said]]


def born(day: str, *, party: bool = False) -> Said:
    data = {"birth_date": day, "area": "02647", "party_member": party}
    return "identity.citizen-registered.v1", data, 4000


# Today is 22 November 2026.
ADULT = born("1990-05-17")
FIFTEEN, FOURTEEN = born("2011-11-22"), born("2011-11-23")
EIGHTEEN, SEVENTEEN = born("2008-11-22"), born("2008-11-23")
FIFTY_NINE, SIXTY = born("1966-11-23"), born("1966-11-22")
GONE: Said = ("identity.citizen-departed.v1", {"reason": "died"}, 1)


def phone(own_name: bool, smartphone: bool, internet: bool) -> Said:
    data = {"own_name": own_name, "smartphone": smartphone, "internet": internet}
    return "telecom.subscription-changed.v1", data, 30


def eid(level: int, activated: bool) -> Said:
    return "identity.eid-changed.v1", {"level": level, "activated": activated}, 30


def portal(which: str, active: bool) -> Said:
    return "public-service.account-changed.v1", {"portal": which, "active": active}, 30


def account(kind: str, active: bool) -> Said:
    return "payment.account-changed.v1", {"kind": kind, "active": active}, 30


def app(active: bool) -> Said:
    return "public-service.app-changed.v1", {"app": "yenbai-s", "active": active}, 30


def handbook(active: bool) -> Said:
    return "community.handbook-changed.v1", {"active": active}, 30


def taught(topic: str) -> Said:
    return "community.training-completed.v1", {"topic": topic}, 3000


def conduct(compliant: bool) -> Said:
    return "community.conduct-assessed.v1", {"compliant": compliant}, 30


def submitted(days_ago: int, *, self_service: bool = True) -> Said:
    data = {"portal": "national", "self_service": self_service}
    return "public-service.dossier-submitted.v1", data, days_ago


def paid(days_ago: int) -> Said:
    return "payment.transaction-completed.v1", {"method": "card", "purpose": "fee"}, days_ago


def signature(active: bool) -> Said:
    return "identity.e-signature-changed.v1", {"active": active}, 30


def consulted(days_ago: int) -> Said:
    return "health.teleconsultation-completed.v1", {"mode": "care"}, days_ago


def record(active: bool) -> Said:
    return "health.record-changed.v1", {"active": active}, 30


def fibre(covered: bool, subscribed: bool) -> Said:
    data = {"area": "02647", "covered": covered, "subscribed": subscribed}
    return "telecom.fibre-changed.v1", data, 30


def closed() -> Said:
    return "registry.subject-closed.v1", {"reason": "merged"}, 1


def organisation(size: str, **uses: bool) -> Said:
    data: dict[str, Any] = {"area": "02647", "size": size, "cashless": False, "platform": False}
    data |= {"e_invoice": False, "e_contract": False} | uses
    return "registry.organisation-changed.v1", data, 30


def institution(kind: str, *, urban: bool = True, **offers: bool) -> Said:
    data: dict[str, Any] = {"area": "02647", "kind": kind, "urban": urban, "cashless_fees": False}
    data |= {"digital_model": False, "stem": False} | offers
    return "registry.institution-changed.v1", data, 30


def dossier(level: int = 2, authenticated: bool = False, satisfied: bool | None = None) -> Said:
    data = {"area": "02647", "level": level, "authenticated": authenticated, "satisfied": satisfied}
    return "public-service.dossier-changed.v1", data, 30


GROUP_1 = [
    phone(own_name=True, smartphone=True, internet=True),
    eid(2, activated=True),
    portal("provincial", active=True),
    account("e-wallet", active=True),
    app(active=True),
]
GROUP_2 = [taught("digital-skills"), taught("code-of-conduct")]
GROUP_3 = [submitted(365), paid(90), conduct(compliant=True)]
MEMBER = born("1990-05-17", party=True)

#: indicator → kind, satisfies, just does not, is outside of the population.
TABLE: dict[str, Case] = {
    "dc.1.1": (
        CITIZEN,
        [FIFTEEN, phone(own_name=True, smartphone=True, internet=True)],
        [FIFTEEN, phone(own_name=False, smartphone=True, internet=True)],
        [FOURTEEN, phone(own_name=True, smartphone=True, internet=True)],
    ),
    "dc.1.2": (
        CITIZEN,
        [FIFTEEN, eid(2, activated=True)],
        [FIFTEEN, eid(2, activated=False)],
        [FOURTEEN, eid(2, activated=True)],
    ),
    "dc.1.3": (
        CITIZEN,
        [FIFTEEN, portal("national", active=False), portal("provincial", active=True)],
        [FIFTEEN, portal("national", active=False), portal("provincial", active=False)],
        [FOURTEEN, portal("national", active=True)],
    ),
    "dc.1.4": (
        CITIZEN,
        [FIFTEEN, account("bank", active=False), account("mobile-money", active=True)],
        [FIFTEEN, account("bank", active=False), account("e-wallet", active=False)],
        [FOURTEEN, account("bank", active=True)],
    ),
    "dc.1.5": (
        CITIZEN,
        [FIFTEEN, app(active=True)],
        [FIFTEEN, app(active=False)],
        [FOURTEEN, app(active=True)],
    ),
    "dc.1.6": (
        CITIZEN,
        [MEMBER, handbook(active=True)],
        [MEMBER, handbook(active=False)],
        [ADULT, handbook(active=True)],
    ),
    "dc.2.1": (
        CITIZEN,
        [FIFTEEN, taught("digital-skills")],
        [FIFTEEN, taught("code-of-conduct")],
        [FOURTEEN, taught("digital-skills")],
    ),
    "dc.2.2": (
        CITIZEN,
        [FIFTEEN, taught("code-of-conduct")],
        [FIFTEEN, taught("digital-skills")],
        [FOURTEEN, taught("code-of-conduct")],
    ),
    "dc.3.1": (
        CITIZEN,
        [FIFTEEN, submitted(365)],
        [FIFTEEN, submitted(366), submitted(1, self_service=False)],
        [FOURTEEN, submitted(1)],
    ),
    "dc.3.2": (CITIZEN, [FIFTEEN, paid(90)], [FIFTEEN, paid(91)], [FOURTEEN, paid(1)]),
    "dc.3.3": (
        CITIZEN,
        [FIFTEEN, conduct(compliant=True)],
        [FIFTEEN, conduct(compliant=False)],
        [FOURTEEN, conduct(compliant=True)],
    ),
    "dc.group-1": (CITIZEN, [ADULT, *GROUP_1], [MEMBER, *GROUP_1], [FOURTEEN, *GROUP_1]),
    "dc.group-2": (CITIZEN, [ADULT, *GROUP_2], [ADULT, GROUP_2[0]], [FOURTEEN, *GROUP_2]),
    "dc.group-3": (CITIZEN, [ADULT, *GROUP_3], [ADULT, *GROUP_3[:2]], [FOURTEEN, *GROUP_3]),
    "dc.digital-citizen": (
        CITIZEN,
        [MEMBER, handbook(active=True), *GROUP_1, *GROUP_2, *GROUP_3],
        [MEMBER, handbook(active=False), *GROUP_1, *GROUP_2, *GROUP_3],
        [ADULT, *GROUP_1, *GROUP_2, *GROUP_3, GONE],
    ),
    "ds.smartphone": (
        CITIZEN,
        [EIGHTEEN, phone(own_name=False, smartphone=True, internet=False)],
        [EIGHTEEN, phone(own_name=True, smartphone=False, internet=True)],
        [SEVENTEEN, phone(own_name=True, smartphone=True, internet=True)],
    ),
    "ds.e-payment-account": (
        CITIZEN,
        [FIFTEEN, account("e-wallet", active=True)],
        [FIFTEEN, account("e-wallet", active=False)],
        [FOURTEEN, account("e-wallet", active=True)],
    ),
    "ds.fibre": (
        HOUSEHOLD,
        [fibre(covered=True, subscribed=False)],
        [fibre(covered=False, subscribed=True)],
        [fibre(covered=True, subscribed=True), closed()],
    ),
    "ds.e-signature": (
        CITIZEN,
        [EIGHTEEN, signature(active=True)],
        [EIGHTEEN, signature(active=False)],
        [SEVENTEEN, signature(active=True)],
    ),
    "ds.digital-skills": (
        CITIZEN,
        [FIFTY_NINE, taught("digital-skills")],
        [FIFTY_NINE, taught("code-of-conduct")],
        [SIXTY, taught("digital-skills")],
    ),
    "ds.online-public-services": (
        CITIZEN,
        [EIGHTEEN, submitted(365, self_service=False)],
        [EIGHTEEN, submitted(366)],
        [SEVENTEEN, submitted(1)],
    ),
    "ds.telehealth": (
        CITIZEN,
        [EIGHTEEN, consulted(365)],
        [EIGHTEEN, consulted(366)],
        [SEVENTEEN, consulted(1)],
    ),
    "ds.health-record": (
        CITIZEN,
        [born("2026-11-22"), record(active=True)],
        [ADULT, record(active=False)],
        [ADULT, record(active=True), GONE],
    ),
    "ds.colleges": (
        INSTITUTION,
        [institution("vocational", digital_model=True)],
        [institution("college", digital_model=False)],
        [institution("university", digital_model=True)],
    ),
    "ds.schools": (
        INSTITUTION,
        [institution("primary", digital_model=True)],
        [institution("high", stem=True)],
        [institution("college", digital_model=True)],
    ),
    "dt.gov.2": (
        DOSSIER,
        [dossier(authenticated=True)],
        [dossier(authenticated=False)],
        [dossier(authenticated=True), closed()],
    ),
    "dt.gov.3": (
        DOSSIER,
        [dossier(level=3)],
        [dossier(level=2)],
        [dossier(level=4), closed()],
    ),
    "dt.gov.4": (
        DOSSIER,
        [dossier(satisfied=True)],
        [dossier(satisfied=False)],
        [dossier(satisfied=None)],
    ),
    "dt.eco.3": (
        ORGANISATION,
        [organisation("medium", platform=True)],
        [organisation("micro", e_invoice=True)],
        [organisation("large", platform=True)],
    ),
    "dt.eco.4": (
        ORGANISATION,
        [organisation("large", e_invoice=True)],
        [organisation("small", e_contract=True)],
        [organisation("public", e_invoice=True)],
    ),
    "dt.eco.5": (
        ORGANISATION,
        [organisation("large", e_contract=True)],
        [organisation("small", e_invoice=True)],
        [organisation("public", e_contract=True)],
    ),
    "dt.soc.1": (
        ORGANISATION,
        [organisation("public", cashless=True)],
        [organisation("small", platform=True)],
        [organisation("small", cashless=True), closed()],
    ),
    "dt.soc.2a": (
        INSTITUTION,
        [institution("university", cashless_fees=True)],
        [institution("primary", stem=True)],
        [institution("primary", urban=False, cashless_fees=True)],
    ),
    "dt.soc.2b": (
        INSTITUTION,
        [institution("high", urban=False, cashless_fees=True)],
        [institution("secondary", urban=False)],
        [institution("health-facility", urban=False, cashless_fees=True)],
    ),
    "dt.soc.3a": (
        INSTITUTION,
        [institution("health-facility", cashless_fees=True)],
        [institution("health-facility")],
        [institution("college", cashless_fees=True)],
    ),
    "dt.soc.3b": (
        INSTITUTION,
        [institution("health-facility", urban=False, cashless_fees=True)],
        [institution("health-facility", urban=False)],
        [institution("health-facility", cashless_fees=True)],
    ),
    "dt.soc.4": (
        HOUSEHOLD,
        [fibre(covered=True, subscribed=True)],
        [fibre(covered=True, subscribed=False)],
        [fibre(covered=True, subscribed=True), closed()],
    ),
    "dt.soc.6": (
        CITIZEN,
        [FOURTEEN, phone(own_name=False, smartphone=True, internet=True)],
        [ADULT, phone(own_name=True, smartphone=True, internet=False)],
        [ADULT, phone(own_name=True, smartphone=True, internet=True), GONE],
    ),
    "dt.soc.7": (
        CITIZEN,
        [FOURTEEN, phone(own_name=False, smartphone=True, internet=False), submitted(365)],
        [ADULT, phone(own_name=False, smartphone=True, internet=False), submitted(366)],
        [ADULT, phone(own_name=True, smartphone=False, internet=True), app(active=True)],
    ),
    "dt.soc.8": (CITIZEN, [EIGHTEEN, paid(365)], [EIGHTEEN, paid(366)], [SEVENTEEN, paid(1)]),
    "dt.soc.9": (
        INSTITUTION,
        [institution("secondary", stem=True)],
        [institution("high", digital_model=True)],
        [institution("vocational", stem=True)],
    ),
    "nf.eid": (
        CITIZEN,
        [EIGHTEEN, eid(1, activated=True)],
        [EIGHTEEN, eid(0, activated=True)],
        [SEVENTEEN, eid(2, activated=True)],
    ),
    "nf.payment-account": (
        CITIZEN,
        [FIFTEEN, account("bank", active=True)],
        [FIFTEEN, account("e-wallet", active=True)],
        [FOURTEEN, account("bank", active=True)],
    ),
    "nf.e-payment-use": (CITIZEN, [FIFTEEN, paid(365)], [FIFTEEN, paid(366)], [FOURTEEN, paid(1)]),
    "nf.app": (
        CITIZEN,
        [FOURTEEN, app(active=True)],
        [ADULT, app(active=False)],
        [ADULT, app(active=True), GONE],
    ),
}


def test_the_table_has_every_counted_indicator() -> None:
    assert TABLE.keys() == BIT_OF.keys()
    assert len(TABLE) == 45


@pytest.mark.parametrize("indicator", TABLE)
def test_a_subject_that_satisfies_it_counts_twice(indicator: str) -> None:
    kind, satisfied, _, _ = TABLE[indicator]
    assert counts(standing(kind, satisfied), indicator) == (True, True)


@pytest.mark.parametrize("indicator", TABLE)
def test_one_that_just_does_not_counts_in_the_denominator_alone(indicator: str) -> None:
    kind, _, missed, _ = TABLE[indicator]
    assert counts(standing(kind, missed), indicator) == (True, False)


@pytest.mark.parametrize("indicator", TABLE)
def test_one_outside_of_the_population_does_not_count(indicator: str) -> None:
    kind, _, _, outside = TABLE[indicator]
    assert counts(standing(kind, outside), indicator) == (False, False)


@pytest.mark.parametrize("indicator", TABLE)
def test_before_a_subject_is_there_nothing_counts(indicator: str) -> None:
    """Facts that arrive before a registration are kept and count once it arrives."""
    kind, satisfied, _, _ = TABLE[indicator]
    if kind is CITIZEN:
        assert standing(kind, satisfied[1:]).area_id is None
    shuffled = standing(kind, satisfied[::-1])
    assert shuffled == standing(kind, satisfied)
