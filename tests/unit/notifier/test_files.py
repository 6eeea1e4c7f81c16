"""Rules and receivers are data; a mistake in them names the place."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from contracts import agencies, areas, catalogue
from contracts.pace import Milestone
from services.notifier import rules
from services.notifier.receivers import reading
from services.notifier.receivers.reading import ReceiversError
from services.notifier.rules import RulesError
from tests.provincial_files import rules_with


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_rules_hold() -> None:
    rule = rules.read(rules.shipped()).rule("ds.smartphone")
    assert (rule.tolerance, rule.minimum_denominator) == (Decimal(2), 30)
    assert rule.hold_for == timedelta(days=3)
    assert [rule.severity(Decimal(points)) for points in (3, 5, 14, 15)] == [
        "info",
        "warning",
        "warning",
        "critical",
    ]


def test_no_national_target_ships_because_no_document_gives_one() -> None:
    in_force, province = rules.read(rules.shipped()), areas.load()["2025:15"]
    assert all(in_force.aims(one, province).national is None for one in catalogue.load())


def test_settings_may_shorten_the_wait() -> None:
    rule = rules.read(rules.shipped(), hold_for=timedelta(seconds=2)).rule("ds.smartphone")
    assert rule.hold_for == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("tolerance: 2", "tolerance: -2"), "rules.tolerance: "),
        (("tolerance: 2", "tolerance: 0"), "hysteresis exceeds tolerance"),
        (("for: 3d", "for: soon"), r"rules.for: .* such as 90s, 30m, 12h or 3d"),
        (("tolerance:", "tolerence:"), "rules.tolerence: there is no such key here"),
        (("tolerance: 2", "tolerance: 2\n  tolerance: 3"), "the key 'tolerance' stands twice"),
        (("warning: 5", "dreadful: 5"), "rules.severities"),
        (("warning: 365d", "warning: 1y"), "rules.late.warning: .* such as"),
        (("[province, district, commune]", "[]"), "rules.levels"),
        (("[province, district, commune]", "[ward]"), "rules.levels"),
        (("within: 28d", "within: 1d"), "rules.falling.within: want 7d to 366d"),
        (("percent: 10,", "percent: 0,"), "rules.denominator_shift.percent"),
        (("freshness:", "sets: {dc: {tolerance: 3}}\nfreshness:"), "sets.dc: is no set"),
        (
            ("freshness:", "sets: {digital-society: {tolerance: 0}}\nfreshness:"),
            "sets.digital-society: hysteresis exceeds tolerance",
        ),
        (
            ("freshness:", "indicators: {ds.fibre: {hysteresis: 3}}\nfreshness:"),
            "indicators.ds.fibre: hysteresis exceeds tolerance",
        ),
        (
            ("freshness:", "indicators: {ds.fibre: {minimum_denominator: 0}}\nfreshness:"),
            "indicators.ds.fibre.minimum_denominator",
        ),
        (
            ("freshness:", "indicators: {ds.fiber: {}}\nfreshness:"),
            "indicators.ds.fiber: is no indicator of the catalogue",
        ),
        (
            ("freshness:", 'units: {"2025:99999": {}}\nfreshness:'),
            "units.2025:99999: is no unit; write an area id such as 2025:02647",
        ),
        (
            ("freshness:", 'units: {"2025:02647": {indicators: {ds.x: {}}}}\nfreshness:'),
            "units.2025:02647.indicators.ds.x: is no indicator",
        ),
        (
            ("freshness:", 'units: {"2025:02647": {rules: {hysteresis: 9}}}\nfreshness:'),
            "units.2025:02647.rules: hysteresis exceeds tolerance",
        ),
        (
            ("freshness:", 'national: {targets: {ds.fibre: {"2026": 3}}}\nfreshness:'),
            "national.targets.ds.fibre.2026",
        ),
        (
            ("freshness:", 'national: {targets: {ds.fibre: {"2030": 99}}}\nfreshness:'),
            "national: targets without a source; name the document",
        ),
        (
            ("freshness:", "indicators: {ds.fiber: {}}\nfreshness:"),
            r"is no indicator of the catalogue; did you mean ds.fibre\?",
        ),
        (
            ("freshness:", 'units: {"02647": {}}\nfreshness:'),
            r"units.02647: is no unit; .*; did you mean 2025:02647\?",
        ),
        (
            ("    registry: 35d", "    registri: 35d"),
            "freshness.feeds.registri: is no feed; there are",
        ),
        (
            (
                "freshness:",
                'units: {"2025:02647": {indicators: {dt.eco.2: {targets: {"2030": 5}}}}}\nfreshness:',
            ),
            "dt.eco.2.targets: dt.eco.2 is a quantity",
        ),
        (
            (
                "freshness:",
                'units: {"2025:02647": {indicators: {ds.fibre: {targets: {}}}}}\nfreshness:',
            ),
            "ds.fibre.targets: names no target",
        ),
        (
            (
                "freshness:",
                (
                    'units: {"2025:02647": {indicators: {ds.fibre: {targets: '
                    '{"2025": 90, "2030": 50}}}}}\nfreshness:'
                ),
            ),
            "ds.fibre.targets: a later target is lower",
        ),
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = rules.shipped().read_text(encoding="utf-8").replace(*change)
    with pytest.raises(RulesError, match=message):
        rules.read(written(tmp_path, text))


OWN = """
sets:
  digital-society: {tolerance: 3, falling: null}
indicators:
  ds.smartphone: {tolerance: 4, levels: [province, commune]}
units:
  "2025:02647":
    rules: {for: 7d}
    indicators:
      ds.smartphone:
        minimum_denominator: 50
        targets: {"2025": 60, "2030": 85}
        baseline: {on: 2024-12-31, percent: 41.5}
national:
  source: Quyết định số 411/QĐ-TTg
  targets:
    ds.smartphone: {"2025": 80, "2030": 95}
"""


def test_the_nearer_rule_holds(tmp_path: Path) -> None:
    in_force = rules_with(tmp_path, OWN)
    general, of_set = in_force.rule("nf.eid"), in_force.rule("ds.fibre")
    assert (general.tolerance, general.falling is None) == (Decimal(2), False)
    assert (of_set.tolerance, of_set.falling) == (Decimal(3), None)
    elsewhere = in_force.rule("ds.smartphone", "2025:02671")
    assert (elsewhere.tolerance, elsewhere.hold_for) == (Decimal(4), timedelta(days=3))
    assert elsewhere.levels == {"province", "commune"}
    own = in_force.rule("ds.smartphone", "2025:02647")
    assert (own.tolerance, own.hold_for, own.minimum_denominator) == (
        Decimal(4),
        timedelta(days=7),
        50,
    )
    assert in_force.rule("nf.eid", "2025:02647").hold_for == timedelta(days=7)


def test_a_unit_may_have_targets_of_its_own(tmp_path: Path) -> None:
    in_force = rules_with(tmp_path, OWN)
    smartphone, units = catalogue.load().by_id["ds.smartphone"], areas.load()
    own = in_force.aims(smartphone, units["2025:02647"])
    assert [target.percent for target in own.province.targets] == [60, 85]
    assert own.province.baseline == Milestone(date(2024, 12, 31), Decimal("41.5"))
    assert own.province.is_own
    assert own.national is None
    province = in_force.aims(smartphone, units["2025:15"])
    assert [target.percent for target in province.province.targets] == [70, 90]
    assert not province.province.is_own
    assert province.national is not None
    assert [target.percent for target in province.national.targets] == [80, 95]


def test_a_shorter_wait_shortens_settling_in_proportion() -> None:
    shipped = rules.read(rules.shipped()).rule("ds.smartphone").shift
    assert shipped is not None
    assert shipped.settle == timedelta(days=1)
    shorter = (
        rules.read(rules.shipped(), hold_for=timedelta(seconds=15)).rule("ds.smartphone").shift
    )
    assert shorter is not None
    assert shorter.settle == timedelta(seconds=5)


def test_reads_receivers(tmp_path: Path) -> None:
    (tmp_path / "hook.key").write_text("whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw\n", encoding="ascii")
    path = written(
        tmp_path,
        """
        receivers:
          - {area: "2025:15", email: ubnd@laocai.example.vn}
          - {area: "2025:15", webhook: {url: "https://example.vn/t/secret", secret_file: hook.key}}
          - {operators: true, email: van-hanh@example.vn}
          - area: "2025:02647"
            webhook: {url: "https://example.vn/en", secret_file: hook.key}
            language: en
        """,
    )
    found = reading.read(path, areas.load())
    assert found.audiences == ["unit:2025:15", "operators", "unit:2025:02647"]
    assert [one.language for one in found.of("unit:2025:02647")] == ["en"]
    names = [receiver.name for receiver in found.of("unit:2025:15")]
    assert names[0] == "email:ubnd@laocai.example.vn"
    assert names[1].startswith("webhook:example.vn#")
    assert "secret" not in names[1]


def test_reads_chats_and_alertmanagers(tmp_path: Path) -> None:
    (tmp_path / "slack.url").write_text(
        "https://chat.example.vn/services/secret\n", encoding="ascii"
    )
    path = written(
        tmp_path,
        """
        receivers:
          - {area: "2025:15", slack: {url_file: slack.url}, language: en}
          - {area: "2025:15", zalo: "1234567890123456789"}
          - {area: "2025:15", alertmanager: {url: "http://alertmanager:9093", units_below: true}}
          - {operators: true, alertmanager: {url: "http://alertmanager:9093"}}
        """,
    )
    found = reading.read(path, areas.load())
    slack, zalo = found.of("unit:2025:15")
    assert (slack.kind, zalo.kind) == ("slack", "zalo")
    assert "secret" not in slack.name + repr(zalo)
    assert found.audiences == ["unit:2025:15"]  # an Alertmanager gets no letters
    assert [(one.area, one.with_units_below) for one in found.mirrors] == [
        ("2025:15", True),
        (None, False),
    ]


def test_an_agency_may_be_a_receiver(tmp_path: Path) -> None:
    path = written(tmp_path, "receivers: [{agency: so-y-te, email: syt@example.vn}]")
    sample = agencies.load(None, catalogue.load())
    assert reading.read(path, areas.load(), sample).audiences == ["agency:so-y-te"]
    with pytest.raises(ReceiversError, match=r"receivers\.0: there is no agency so-y-te"):
        reading.read(path, areas.load())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{area: "2025:99999", email: a@example.vn}', "receivers.0: there is no unit 2025:99999"),
        ('{area: "2025:15", email: nobody}', "receivers.0.email"),
        ('{area: "2025:15"}', "exactly one of email, webhook, slack, zalo, alertmanager"),
        ("{email: a@example.vn}", "exactly one of area and operators"),
        ('{area: "2025:15", mail: a@example.vn}', "receivers.0.mail"),
        ('{area: "2025:15", zalo: "0912 345"}', "receivers.0.zalo"),
        ('{area: "2025:15", slack: {url_file: none.url}}', "cannot read .*none.url"),
        ('{area: "2025:15", zalo: "12345678", digest: weekly}', "by email or webhook alone"),
        (
            '{area: "2025:15", language: en, alertmanager: {url: "http://am:9093"}}',
            "gets no texts; leave out the language",
        ),
        (
            '{area: "2025:15", webhook: {url: "https://example.vn", secret_file: none.key}}',
            "cannot read .*none.key",
        ),
        ('{area: "2025:15", webhook: {url: "ftp://example.vn", secret_file: k}}', "webhook.url"),
        (
            '{area: "2025:15", email: a@example.vn}\n  - {area: "2025:15", email: a@example.vn}',
            "receivers.1: email:a@example.vn is there twice",
        ),
        (
            (
                '{area: "2025:15", email: a@example.vn}\n'
                "  - {operators: true, email: a@example.vn, language: en}"
            ),
            "receivers.1.language: email:a@example.vn has another language in an entry above",
        ),
    ],
)
def test_wrong_receivers_are_refused(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(ReceiversError, match=message):
        reading.read(written(tmp_path, f"receivers:\n  - {entry}\n"), areas.load())
