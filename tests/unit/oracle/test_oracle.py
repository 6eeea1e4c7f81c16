"""The oracle itself, held against figures worked out by hand from the wire contract."""

import ast
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from tests import oracle
from tests.oracle.figures import Expected, Figures, figures, indicator_ids

TODAY: Final = date(2026, 11, 22)
PROVINCE: Final = "2025:15"
#: Phường Lào Cai; until 30 June 2025 the code was Phường Kim Tân's, which is part of it now.
LAO_CAI: Final = "2025:02647"
ME: Final = "citizen:000000000001"

Event = dict[str, Any]


def event(name: str, time: str, subject: str = ME, event_id: str = "1", **data: Any) -> Event:
    return {
        "id": event_id,
        "type": f"vn.nhipso.{name}.v1",
        "subject": subject,
        "time": time,
        "data": data,
    }


def registered(time: str = "2026-01-01T00:00:00Z", born: str = "1990-01-01", **more: Any) -> Event:
    data: Event = {"birth_date": born, "area": "02647"} | more
    return event("identity.citizen-registered", time, **data)


def counted(
    found: Figures, indicator: str, area_id: str = LAO_CAI
) -> tuple[int | None, int | None]:
    figure = found[area_id, indicator]
    return figure.numerator, figure.denominator


def test_there_is_a_figure_for_every_indicator_of_the_province_and_99_communes() -> None:
    found = figures([], TODAY)
    assert len(found) == 100 * 58
    assert sum(indicator_ids().values()) == 13
    assert found[PROVINCE, "dc.1.1"] == Expected("events", 0, 0, None)
    assert found[PROVINCE, "dt.gov.1"] == Expected("reported", None, None, None)


@pytest.mark.parametrize(
    ("born", "today", "fifteen", "sixty"),
    [
        ("2011-11-23", TODAY, False, False),
        ("2011-11-22", TODAY, True, False),
        ("1966-11-23", TODAY, True, False),
        ("1966-11-22", TODAY, True, True),
        ("2012-02-29", date(2027, 2, 28), False, False),
        ("2012-02-29", date(2027, 3, 1), True, False),
    ],
)
def test_age_is_in_full_years(born: str, today: date, fifteen: bool, sixty: bool) -> None:
    found = figures([registered(born=born)], today)
    assert counted(found, "dc.1.1")[1] == int(fifteen)
    assert counted(found, "ds.digital-skills")[1] == int(fifteen and not sixty)
    assert counted(found, "nf.app", PROVINCE)[1] == 1


@pytest.mark.parametrize(
    ("time", "in_90", "in_365"),
    [
        ("2026-08-23T17:00:00Z", 1, 1),  # midnight at the beginning of 24 August, 90 days ago
        ("2026-08-23T16:59:59.999999Z", 0, 1),
        ("2025-11-21T17:00:00Z", 0, 1),  # midnight at the beginning of 22 November, 365 days ago
        ("2025-11-21T16:59:59.999999999Z", 0, 0),
    ],
)
def test_windows_go_by_local_days(time: str, in_90: int, in_365: int) -> None:
    paid = event("payment.transaction-completed", time, method="card", purpose="fee")
    found = figures([paid, registered()], TODAY)
    assert counted(found, "dc.3.2") == (in_90, 1)
    assert counted(found, "dt.soc.8") == (in_365, 1)


def test_of_two_with_one_time_the_greater_id_wins_and_then_the_greater_data() -> None:
    at = "2026-05-05T05:05:05Z"
    by_id = [
        event("health.record-changed", at, event_id="b", active=False),
        event("health.record-changed", "2026-05-05T12:05:05+07:00", event_id="a", active=True),
    ]
    by_data = [
        event("public-service.app-changed", at, app="yenbai-s", active=True),
        event("public-service.app-changed", at, app="yenbai-s", active=False, more="ignored"),
    ]
    found = figures([*by_id, *by_data, registered()], TODAY)
    assert counted(found, "ds.health-record") == (0, 1)
    assert counted(found, "nf.app") == (1, 1)  # "true" comes after "false"


def test_membership_is_one_fact_of_two_types_and_absent_means_no_member() -> None:
    joined = event("identity.party-membership-changed", "2026-02-01T00:00:00Z", member=True)
    used = event("community.handbook-changed", "2026-02-01T00:00:00Z", active=True)
    again = registered("2026-03-01T00:00:00Z")
    assert counted(figures([registered(), joined, used], TODAY), "dc.1.6") == (1, 1)
    assert counted(figures([registered(), joined, used, again], TODAY), "dc.1.6") == (0, 0)


def test_who_departed_counts_again_once_registered_later() -> None:
    left = event("identity.citizen-departed", "2026-02-01T00:00:00Z", reason="moved-away")
    back = registered("2026-03-01T00:00:00Z")
    assert counted(figures([left, registered()], TODAY), "nf.app") == (0, 0)
    assert counted(figures([back, left, registered()], TODAY), "nf.app") == (0, 1)


def test_a_code_is_read_as_of_the_day_and_carried_to_the_successor() -> None:
    # 04249 was Phường Yên Thịnh, and nobody bears that code since the reform.
    moved = event("identity.residence-changed", "2025-06-30T16:59:59Z", area="04249")
    found = figures([registered("2020-01-01T00:00:00Z"), moved], TODAY)
    assert counted(found, "nf.app") == (0, 0)
    assert counted(found, "nf.app", "2025:04279") == (0, 1)
    assert counted(found, "nf.app", PROVINCE) == (0, 1)


def test_a_subject_that_is_closed_counts_again_after_its_next_state() -> None:
    household = "household:h-1"
    state: Event = {"area": "02647", "covered": True, "subscribed": False}
    opened = event("telecom.fibre-changed", "2026-01-01T00:00:00Z", household, **state)
    closed = event("registry.subject-closed", "2026-01-02T00:00:00Z", household, reason="x")
    again = event("telecom.fibre-changed", "2026-01-03T00:00:00Z", household, **state)
    assert counted(figures([opened], TODAY), "ds.fibre") == (1, 1)
    assert counted(figures([closed, opened], TODAY), "ds.fibre") == (0, 0)
    assert counted(figures([closed, again, opened], TODAY), "dt.soc.4") == (0, 1)


def test_a_digital_citizen_meets_all_three_groups() -> None:
    at = "2026-11-01T00:00:00Z"
    events = [
        registered(),
        event("telecom.subscription-changed", at, own_name=True, smartphone=True, internet=True),
        event("identity.eid-changed", at, level=2, activated=True),
        event("public-service.account-changed", at, portal="national", active=True),
        event("payment.account-changed", at, kind="bank", active=True),
        event("public-service.app-changed", at, app="yenbai-s", active=True),
        event("community.training-completed", at, topic="digital-skills"),
        event("community.training-completed", at, topic="code-of-conduct"),
        event("public-service.dossier-submitted", at, portal="national", self_service=True),
        event("payment.transaction-completed", at, method="card", purpose="fee"),
        event("community.conduct-assessed", at, compliant=True),
    ]
    assert counted(figures(events, TODAY), "dc.digital-citizen") == (1, 1)
    for left_out in events[1:]:
        rest = [one for one in events if one is not left_out]
        assert counted(figures(rest, TODAY), "dc.digital-citizen") == (0, 1)
    member = event("identity.party-membership-changed", at, member=True)
    assert counted(figures([*events, member], TODAY), "dc.group-1") == (0, 1)


def test_reports_speak_for_their_unit_and_add_up_for_the_one_above() -> None:
    def report(subject: str, period: str, **figure: Any) -> Event:
        data = {"indicator": "nf.community-teams", "period": period, **figure}
        return event("report.figures-submitted", "2026-11-01T00:00:00Z", subject, **data)

    told = [
        report(f"area:{LAO_CAI}", "2026-Q3", numerator=1, denominator=2),
        report(f"area:{LAO_CAI}", "2026-06", numerator=2, denominator=2),
        report("agency:so-1", "2026-Q3", numerator=3, denominator=4),
        report("area:2025:04252", "2026-H1", numerator=9, denominator=9),
    ]
    found = figures(told, TODAY)
    assert counted(found, "nf.community-teams") == (1, 2)
    assert counted(found, "nf.community-teams", PROVINCE) == (4, 6)
    assert found[PROVINCE, "nf.community-teams"].period == "2026-Q3"
    own = report(f"area:{PROVINCE}", "2025", value=12.5)
    assert figures([*told, own], TODAY)[PROVINCE, "nf.community-teams"].value == 12.5


def test_the_oracle_takes_nothing_from_the_code_under_test() -> None:
    (folder,) = oracle.__path__
    imported = {
        name
        for path in Path(folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not {name for name in imported if name.split(".")[0] in {"contracts", "services"}}
