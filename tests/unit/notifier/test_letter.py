"""The letter to a unit, word for word. After a wanted change, write the golden files anew:
``NHIPSO_WRITE_GOLDEN=1 pytest tests/unit/notifier/test_letter.py``, and read them aloud."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import UUID

import pytest

from contracts.updates import Severity
from services.notifier.core.alert import NOBODY, Alert, advance
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Decision, Reason
from services.notifier.core.figure import Figure, FigureKey, standing
from services.notifier.core.letter import Letter, write
from services.notifier.receivers.email.rendering import as_html, as_text
from services.notifier.receivers.email.sending import EmailReceiver, compose
from services.notifier.receivers.webhook.sending import body
from services.notifier.settings import SmtpSettings
from services.notifier.store.deliveries import Delivery

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"


def figure(area: str, indicator: str, numerator: int, denominator: int) -> Figure:
    value = (Decimal(100 * numerator) / denominator).quantize(Decimal("0.01"))
    key = FigureKey(area, indicator, "events")
    return Figure(key, 1, numerator, denominator, value, NOW, None)


def alert(domain: Domain, of: Figure, severity: str) -> Alert:
    indicator = domain.catalogue.by_id[of.key.indicator]
    decision = Decision("firing", Reason.BEHIND_PACE, severity)  # type: ignore[arg-type]
    stands = standing(indicator, of, NOW.date())
    step = advance(None, decision, kind="pace", key=of.key, standing=stands, now=NOW)
    assert step is not None
    return step.alert


@pytest.fixture
def province(domain: Domain) -> Letter:
    smartphone = figure("2025:15", "ds.smartphone", 271_340, 498_002)
    fibre = figure("2025:15", "ds.fibre", 100_020, 120_000)
    schools = figure("2025:15", "ds.schools", 201, 640)
    near = {
        one.key: one
        for one in (
            figure("2025:02647", "ds.smartphone", 9_000, 31_000),
            figure("2025:02671", "ds.smartphone", 10_400, 24_000),
            figure("2025:02680", "ds.smartphone", 3_000, 4_000),
        )
    }
    alerts = [
        alert(domain, fibre, "info"),
        alert(domain, smartphone, "critical"),
        alert(domain, schools, "critical"),
    ]
    return write(alerts, near, domain, is_reminder=False, now=NOW)


@pytest.fixture
def commune(domain: Domain) -> Letter:
    skills = replace(
        alert(domain, figure("2025:02647", "ds.digital-skills", 1_204, 9_876), "critical"),
        told_at=NOW - timedelta(days=7),
    )
    return write([skills], {}, domain, is_reminder=True, now=NOW)


@pytest.fixture
def operators(domain: Domain) -> Letter:
    key = FigureKey("2025:15", "source.telecom", "events")
    decision = Decision("firing", Reason.SOURCE_SILENT, "warning")
    none = standing(domain.catalogue.by_id["dc.1.1"], figure("2025:15", "x", 0, 1), NOW.date())
    step = advance(None, decision, kind="source-silent", key=key, standing=none, now=NOW)
    assert step is not None
    return write([step.alert], {}, domain, is_reminder=False, now=NOW)


def awaited(indicator: str, due_on: date, reason: Reason) -> Alert:
    """An alert about a report of which one of three indicators has come."""
    severity: Severity = "info" if reason is Reason.REPORT_DUE else "warning"
    step = advance(
        None,
        Decision("firing", reason, severity),
        kind="report",
        key=FigureKey("2025:02647", indicator, "reported"),
        standing=replace(NOBODY, numerator=1, denominator=3),
        now=NOW,
        due_on=due_on,
    )
    assert step is not None
    return step.alert


@pytest.fixture
def reports(domain: Domain) -> Letter:
    """Both kinds of reports, and one indicator that lags."""
    alerts = [
        awaited("report-due.2026-10", date(2026, 11, 25), Reason.REPORT_DUE),
        awaited("report-missing.2026-Q3", date(2026, 10, 15), Reason.REPORT_MISSING),
        alert(domain, figure("2025:02647", "ds.digital-skills", 1_204, 9_876), "critical"),
    ]
    return write(alerts, {}, domain, is_reminder=False, now=NOW)


@pytest.fixture
def reports_again(domain: Domain) -> Letter:
    alerts = [awaited("report-missing.2026-H1", date(2026, 7, 15), Reason.REPORT_MISSING)]
    return write(alerts, {}, domain, is_reminder=True, now=NOW)


@pytest.mark.parametrize("name", ["province", "commune", "operators", "reports", "reports_again"])
def test_reads_as_it_was_approved(name: str, request: pytest.FixtureRequest) -> None:
    letter: Letter = request.getfixturevalue(name)
    for suffix, text in (
        ("txt", f"{letter.subject}\n\n{as_text(letter)}"),
        ("html", as_html(letter)),
    ):
        path = GOLDEN / f"{name}.{suffix}"
        if os.environ.get("NHIPSO_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs"


def test_stands_worst_first(province: Letter) -> None:
    found = [one.indicator for one in province.alerts]
    assert found == ["ds.schools", "ds.smartphone", "ds.fibre"]


def test_survives_the_store(province: Letter) -> None:
    assert Letter.model_validate_json(province.model_dump_json()) == province


def test_escapes_what_is_not_ours_in_html(province: Letter) -> None:
    tricky = province.model_copy(update={"addressee": "<script>A & B</script>"})
    assert "&lt;script&gt;A &amp; B" in as_html(tricky)
    assert "<script>A & B" in as_text(tricky)


def test_the_mail_says_who_when_and_in_which_tongue(province: Letter) -> None:
    identifier = UUID("00000000-0000-4000-8000-000000000001")
    delivery = Delivery(identifier, identifier, "email:x", 1, NOW, province)
    settings = SmtpSettings(host="mail.example.vn", sender="nhip-so@laocai.example.vn")
    receiver = EmailReceiver("email:x", "ubnd@laocai.example.vn")
    sent = compose(receiver, delivery, settings).as_bytes()
    read = message_from_bytes(sent, policy=default)
    assert read["Message-ID"] == f"<{identifier}@laocai.example.vn>"
    assert read["From"] == "Nhịp Số <nhip-so@laocai.example.vn>"
    assert read["To"] == "ubnd@laocai.example.vn"
    assert read["Subject"] == province.subject
    assert read["Content-Language"] == "vi"
    assert read["Auto-Submitted"] == "auto-generated"
    text, html = read.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "còn thiếu" in text.get_content()
    assert max(len(line) for line in sent.splitlines()) <= 998


def test_a_subject_of_any_length_arrives_whole(province: Letter, domain: Domain) -> None:
    identifier = UUID("00000000-0000-4000-8000-000000000001")
    settings = SmtpSettings(host="mail.example.vn", sender="nhip-so@laocai.example.vn")
    receiver = EmailReceiver("email:x", "ubnd@laocai.example.vn")
    for area in domain.areas.on(NOW.date()):
        for number in (1, 10):
            alerts = province.alerts[:1] * number
            letter = province.model_copy(update={"area_name": area.name, "alerts": alerts})
            delivery = Delivery(identifier, identifier, "email:x", 1, NOW, letter)
            sent = compose(receiver, delivery, settings).as_bytes()
            assert message_from_bytes(sent, policy=default)["Subject"] == letter.subject


def test_the_webhook_holds_the_alerts_and_the_text(province: Letter) -> None:
    posted = body(province)
    assert '"type": "vn.nhipso.message.v1"' in posted
    assert '"gap_people": 270' in posted
    assert "Dân số trưởng thành có điện thoại thông minh" in posted
