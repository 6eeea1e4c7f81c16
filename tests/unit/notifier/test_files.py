"""Rules and receivers are data; a mistake in them names the place."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from contracts import areas
from services.notifier import rules
from services.notifier.receivers import reading
from services.notifier.receivers.reading import ReceiversError
from services.notifier.rules import RulesError


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


def test_settings_may_shorten_the_wait() -> None:
    rule = rules.read(rules.shipped(), hold_for=timedelta(seconds=2)).rule("ds.smartphone")
    assert rule.hold_for == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("tolerance: 2", "tolerance: -2"), "rules.tolerance: "),
        (("tolerance: 2", "tolerance: 0"), "hysteresis exceeds tolerance"),
        (("for: 3d", "for: soon"), r"rules.for: .* such as 90s, 30m, 12h or 3d"),
        (("tolerance:", "tolerence:"), "tole"),
        (("warning: 5", "dreadful: 5"), "rules.severities"),
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = rules.shipped().read_text(encoding="utf-8").replace(*change)
    with pytest.raises(RulesError, match=message):
        rules.read(written(tmp_path, text))


def test_reads_receivers(tmp_path: Path) -> None:
    (tmp_path / "hook.key").write_text("whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw\n", encoding="ascii")
    path = written(
        tmp_path,
        """
        receivers:
          - {area: "2025:15", email: ubnd@laocai.example.vn}
          - {area: "2025:15", webhook: {url: "https://example.vn/t/secret", secret_file: hook.key}}
          - {operators: true, email: van-hanh@example.vn}
        """,
    )
    found = reading.read(path, areas.load())
    assert found.audiences == ["unit:2025:15", "operators"]
    names = [receiver.name for receiver in found.of("unit:2025:15")]
    assert names[0] == "email:ubnd@laocai.example.vn"
    assert names[1].startswith("webhook:example.vn#")
    assert "secret" not in names[1]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{area: "2025:99999", email: a@example.vn}', "receivers.0: there is no unit 2025:99999"),
        ('{area: "2025:15", email: nobody}', "receivers.0.email"),
        ('{area: "2025:15"}', "exactly one of email and webhook"),
        ("{email: a@example.vn}", "exactly one of area and operators"),
        ('{area: "2025:15", mail: a@example.vn}', "receivers.0.mail"),
        (
            '{area: "2025:15", webhook: {url: "https://example.vn", secret_file: none.key}}',
            "cannot read .*none.key",
        ),
        ('{area: "2025:15", webhook: {url: "ftp://example.vn", secret_file: k}}', "webhook.url"),
        (
            '{area: "2025:15", email: a@example.vn}\n  - {area: "2025:15", email: a@example.vn}',
            "receivers.1: email:a@example.vn is there twice",
        ),
    ],
)
def test_wrong_receivers_are_refused(tmp_path: Path, entry: str, message: str) -> None:
    with pytest.raises(ReceiversError, match=message):
        reading.read(written(tmp_path, f"receivers:\n  - {entry}\n"), areas.load())
