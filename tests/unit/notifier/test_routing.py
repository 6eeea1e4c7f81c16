"""The file of routes: what it inherits, and what is refused."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from contracts import areas, holidays
from services.notifier import routing
from services.notifier.core.causes import Domain
from services.notifier.core.schedule import Policy
from services.notifier.receivers import reading
from services.notifier.receivers.reading import ReceiversError
from services.notifier.routing import RoutesError

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
POLICY = Policy(5 * MINUTE, DAY, 7 * DAY)


def read(text: str, tmp_path: Path, domain: Domain) -> routing.Routing:
    path = tmp_path / "routes.yaml"
    path.write_text(text, encoding="utf-8")
    return routing.read(path, domain, POLICY, holidays.load())


def test_what_ships(domain: Domain) -> None:
    found = routing.read(routing.shipped(), domain, POLICY, holidays.load())
    assert (found.root.policy, found.root.to, found.root.keeps_quiet) == (POLICY, "unit", True)
    assert found.root.escalate_after == 14 * DAY
    (feeds,) = found.root.branches
    assert feeds.matcher.kinds == {"source-silent", "receiver"}
    assert not feeds.keeps_quiet
    assert found.hours is not None
    assert (found.hours.opens, found.hours.closes) == (time(7, 30), time(17))
    assert found.groups == set()
    assert routing.read(routing.shipped(), domain, POLICY, None).hours is None


def test_a_branch_has_from_above_what_it_does_not_say(tmp_path: Path, domain: Domain) -> None:
    text = """
    route:
      group_wait: 10m
      escalate_after: 7d
      routes:
        - match: {level: province, severity: [warning, critical]}
          to: chuyen-doi-so
          repeat_interval: 3d
          escalate_after: never
          continue: true
          routes:
            - match: {set: digital-society}
              keep_quiet: false
    """
    found = read(text, tmp_path, domain)
    (province,) = found.root.branches
    (society,) = province.branches
    assert province.policy == Policy(10 * MINUTE, DAY, 3 * DAY)
    assert (province.to, province.escalate_after, province.goes_on) == (
        "group:chuyen-doi-so",
        None,
        True,
    )
    assert province.matcher.severities == {"warning", "critical"}
    assert (society.to, society.policy) == (province.to, province.policy)
    assert (society.keeps_quiet, society.goes_on) == (False, False)
    assert found.hours is None
    assert found.groups == {"group:chuyen-doi-so"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "route"),
        ("[", "cannot be read"),
        ("route: {match: {level: commune}}", "takes every alert"),
        ("route: {routes: [{match: {level: hamlet}}]}", "level"),
        ("route: {routes: [{match: {unit: '2025:99999'}}]}", "no unit 2025:99999"),
        ("route: {routes: [{match: {indicator: ds.cats}}]}", r"routes\.0\.match: .*ds\.cats"),
        ("route: {routes: [{match: {set: cats}}]}", "no set cats"),
        ("route: {group_wait: 5}", "duration"),
        ("route: {escalate_after: soon}", "escalate_after"),
        ("{route: {}, office_hours: {opens: 10:30, closes: '17:00', weekdays: [1]}}", "as text"),
        (
            "{route: {}, office_hours: {opens: '17:00', closes: '07:30', weekdays: [1]}}",
            "before closes",
        ),
        ("{route: {}, office_hours: {opens: '07:30', closes: '17:00', weekdays: [8]}}", "weekdays"),
    ],
)
def test_a_mistake_is_named(text: str, problem: str, tmp_path: Path, domain: Domain) -> None:
    with pytest.raises(RoutesError, match=problem):
        read(text, tmp_path, domain)


def test_a_group_may_be_a_receiver(tmp_path: Path) -> None:
    path = tmp_path / "receivers.yaml"
    path.write_text("receivers: [{group: chuyen-doi-so, email: so@example.vn}]", encoding="utf-8")
    assert reading.read(path, areas.load()).audiences == ["group:chuyen-doi-so"]
    path.write_text("receivers: [{group: Sở, email: so@example.vn}]", encoding="utf-8")
    with pytest.raises(ReceiversError, match="group"):
        reading.read(path, areas.load())
