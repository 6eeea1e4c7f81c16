"""The letter to a unit, word for word. After a wanted change, write the golden files anew:
``NHIPSO_WRITE_GOLDEN=1 pytest tests/unit/notifier/test_letter.py``, and read them aloud."""

import json
import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from contracts.pace import Milestone, two_decimals
from contracts.updates import Severity
from services.notifier.core.alert import NOBODY, Alert, advance
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Decision, Reason
from services.notifier.core.detail import IN_FULL
from services.notifier.core.figure import Figure, FigureKey, standing
from services.notifier.core.joint import since_last, write_above, write_units
from services.notifier.core.letter import Background, Letter, write
from services.notifier.core.parts import LetterAlert
from services.notifier.core.peers import siblings
from services.notifier.core.wording import Language
from services.notifier.receivers.email.rendering import as_html, as_text, content
from services.notifier.receivers.email.sending import EmailReceiver, compose
from services.notifier.receivers.webhook.sending import body
from services.notifier.settings import SmtpSettings
from services.notifier.store.deliveries import Delivery

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"
COMMUNE = "2025:02647"


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
def source(operators: Letter) -> Letter:
    """To the operators, who know when the source was heard last."""
    known = {"heard_at": NOW - timedelta(days=4, hours=6, minutes=20), "silent_after": 259_200}
    alerts = tuple(one.model_copy(update=known) for one in operators.alerts)
    return operators.model_copy(update={"alerts": alerts})


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


FORMER_NAMES: Final = {
    "id",
    "kind",
    "indicator",
    "indicator_name",
    "severity",
    "reason",
    "value",
    "pace",
    "target",
    "target_on",
    "gap_people",
    "numerator",
    "denominator",
    "noun",
    "opened_at",
    "fired_at",
    "is_new",
}
"""What an alert in a letter had at first."""

#: Seven indicators: some rise, some fall, one is of few people.
MANY: Final = (
    ("ds.digital-skills", 1_204, 9_876, "critical", Reason.BEHIND_PACE),
    ("ds.smartphone", 9_000, 31_000, "critical", Reason.PROMISE_BROKEN),
    ("ds.e-signature", 3_100, 15_400, "critical", Reason.BEHIND_PACE),
    ("ds.e-payment-account", 9, 1_200, "warning", Reason.BEHIND_PACE),
    ("ds.health-record", 12_000, 20_000, "warning", Reason.FALLING),
    ("ds.fibre", 5_020, 7_200, "warning", Reason.BEHIND_PACE),
    ("ds.schools", 3, 40, "info", Reason.TARGET_MISSED),
)


@pytest.fixture
def many(domain: Domain) -> Letter:
    """All that a letter to a commune can hold, as a reminder."""
    near: dict[FigureKey, Figure] = {}
    days: dict[FigureKey, list[Milestone]] = {}
    alerts: list[Alert] = []
    others = siblings(domain.areas, COMMUNE, NOW.date())[:12]
    for row, (indicator, numerator, denominator, severity, reason) in enumerate(MANY):
        own = figure(COMMUNE, indicator, numerator, denominator)
        fires = alert(domain, own, severity)
        told_at = None if row == 2 else NOW - timedelta(days=7)
        alerts.append(replace(fires, told_at=told_at, reason=reason))
        near[own.key] = own
        for number, other in enumerate(others):
            size = denominator * (20 + number) // 25
            one = figure(other, indicator, size * (30 + 3 * number) // 100, size)
            near[one.key] = one
        assert own.value is not None
        steps = (-1, 0, 1, -1, 1, 0, -1)[row]
        days[own.key] = [
            Milestone(
                NOW.date() - timedelta(days=ago),
                two_decimals(own.value + steps * Decimal(ago) / 20),
            )
            for ago in range(100, 0, -4)
        ]
    former = write(alerts, near, domain, is_reminder=False, now=NOW - timedelta(days=7))
    caught_up = alert(domain, figure(COMMUNE, "dc.2.1", 900, 1_000), "info")
    gone = write([caught_up], {}, domain, is_reminder=False, now=NOW).alerts
    last = former.model_copy(update={"alerts": (*map(_a_week_ago, former.alerts), *gone)})
    letter = write(
        alerts,
        near,
        domain,
        is_reminder=True,
        now=NOW,
        background=Background(
            days=days,
            last=last,
            recovered=frozenset({caught_up.id}),
            page_url="https://nhipso.example.vn/areas/2025:02647",
            acknowledge_url="https://nhipso.example.vn/acknowledge?token=x",
        ),
    )
    return letter.model_copy(update={"patience_days": 14})


def _a_week_ago(one: LetterAlert) -> LetterAlert:
    if one.value is None or one.gap_people is None:
        return one
    former = {"value": one.value - Decimal("1.2"), "gap_people": one.gap_people + 312}
    return one.model_copy(update=former)


@pytest.fixture
def escalated(commune: Letter) -> Letter:
    return commune.model_copy(
        update={
            "is_reminder": False,
            "escalated_to": "Tỉnh Lào Cai",
            "addressee": "Ủy ban nhân dân tỉnh Lào Cai",
            "addressee_en": "People's Committee of Lào Cai province",
        }
    )


@pytest.fixture
def above(domain: Domain) -> Letter:
    """To the province, about two communes that do not answer."""
    alerts = [
        alert(domain, figure("2025:02671", "ds.smartphone", 9_000, 31_000), "warning"),
        alert(domain, figure("2025:02671", "ds.fibre", 5_020, 7_200), "warning"),
        alert(domain, figure(COMMUNE, "ds.digital-skills", 1_204, 9_876), "critical"),
    ]
    page = "https://nhipso.example.vn/areas/2025:15"
    return write_above(alerts, domain.areas["2025:15"], domain, now=NOW, page_url=page)


@pytest.fixture
def promised(many: Letter) -> Letter:
    """After a promise that was broken, with an office to ask."""
    (broken,) = [one for one in many.alerts if one.reason == Reason.PROMISE_BROKEN]
    (fibre,) = [one for one in many.alerts if one.indicator == "ds.fibre"]
    return many.model_copy(
        update={
            "alerts": (broken.model_copy(update={"promised_on": date(2026, 11, 20)}), fibre),
            "recovered": (),
            "is_reminder": False,
            "contact": "Sở Khoa học và Công nghệ, điện thoại 0214 3 000 000",
        }
    )


@pytest.fixture
def units(domain: Domain) -> Letter:
    """To a group, about three units; one came since the last letter, one has caught up."""

    def lags(area: str, numerator: int, severity: str = "warning") -> Alert:
        return alert(domain, figure(area, "ds.smartphone", numerator, 31_000), severity)

    first = [lags(COMMUNE, 9_000), lags("2025:02671", 12_000), lags("2025:02680", 13_000)]
    to = "group:chuyen-doi-so"
    last = write_units(first, to, domain, is_reminder=False, now=NOW - timedelta(days=1))
    alerts = [
        replace(first[0], standing=lags(COMMUNE, 9_310).standing),
        first[1],
        lags("2025:02683", 8_000, "critical"),
        awaited("report-missing.2026-Q3", date(2026, 10, 15), Reason.REPORT_MISSING),
    ]
    background = Background(
        last=last,
        recovered=frozenset({first[2].id}),
        page_url="https://nhipso.example.vn/areas/2025:15",
        acknowledge_url="https://nhipso.example.vn/acknowledge?token=x",
    )
    letter = write_units(alerts, to, domain, is_reminder=False, now=NOW, background=background)
    return letter.model_copy(
        update={
            "addressee": "chuyen-doi-so",
            "addressee_en": "chuyen-doi-so",
            "since": since_last(letter, background, domain),
            "contact": "Sở Khoa học và Công nghệ, điện thoại 0214 3 000 000",
        }
    )


LETTERS: Final = (
    "above",
    "units",
    "promised",
    "source",
    "province",
    "commune",
    "operators",
    "reports",
    "reports_again",
    "many",
    "escalated",
)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", LETTERS)
def test_reads_as_it_was_approved(
    name: str, language: Language, request: pytest.FixtureRequest
) -> None:
    letter: Letter = request.getfixturevalue(name)
    for suffix, text in (
        ("txt", f"{letter.subject_in(language)}\n\n{as_text(letter, language)}"),
        ("html", as_html(letter, language)),
    ):
        path = GOLDEN / f"{name}.{'' if language == 'vi' else f'{language}.'}{suffix}"
        if os.environ.get("NHIPSO_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs"


def test_stands_worst_first(province: Letter) -> None:
    found = [one.indicator for one in province.alerts]
    assert found == ["ds.schools", "ds.smartphone", "ds.fibre"]


def test_a_letter_about_several_units_names_each_and_has_no_link_of_one(above: Letter) -> None:
    assert list(above.units) == [COMMUNE, "2025:02671"]
    text = as_text(above)
    assert "Phường Cam Đường: 2 chỉ tiêu chậm tiến độ" in text
    assert above.acknowledge_url is None


def test_a_letter_about_many_units_does_not_grow_without_end(units: Letter) -> None:
    (one, *_) = units.alerts
    everywhere = tuple(
        one.model_copy(update={"area": f"2025:{number:05}", "area_name": f"Xã Thứ {number}"})
        for number in range(1, 3_322)
    )
    long = units.model_copy(update={"alerts": everywhere})
    assert long.subject == "[Nhịp Số] 3321 đơn vị tại tỉnh Lào Cai: 3321 chỉ tiêu chậm tiến độ"
    text = as_text(long)
    assert "200. Xã Thứ 200: 1 chỉ tiêu chậm tiến độ" in text
    assert "Và 3121 đơn vị khác." in text
    # Beyond 102 KB a large mail provider cuts a page off.
    assert len(as_html(long).encode()) < 100_000


def test_units_of_one_name_are_not_one_unit(units: Letter) -> None:
    namesakes = tuple(one.model_copy(update={"area_name": "Xã Tân Lập"}) for one in units.alerts)
    assert len(units.model_copy(update={"alerts": namesakes}).units) == len(units.units)


def test_a_promise_that_was_broken_is_named_first(promised: Letter) -> None:
    assert promised.subject.startswith("[Nhịp Số] Quá hẹn ngày 20/11/2026: Phường Lào Cai")
    _, preface, *_ = as_text(promised).split("\n\n")
    assert preface.startswith("Đã quá ngày hẹn hoàn thành")
    assert "hẹn ngày 20/11/2026" in preface


def test_says_which_target_was_missed(many: Letter) -> None:
    (missed,) = [one for one in many.alerts if one.reason == Reason.TARGET_MISSED]
    known = missed.model_copy(update={"missed_on": date(2025, 12, 31)})
    text = as_text(many.model_copy(update={"alerts": (known,)}))
    assert "Đã qua ngày 31/12/2025 mà chưa đạt mục tiêu đặt ra cho ngày đó." in text


def test_survives_the_store(province: Letter, many: Letter) -> None:
    for letter in (province, many):
        assert Letter.model_validate_json(letter.model_dump_json()) == letter


def test_a_letter_of_former_times_is_still_read(province: Letter) -> None:
    kept = json.loads(province.model_dump_json())
    for name in ("addressee_en", "recovered", "page_url", "acknowledge_url", "escalated_to"):
        del kept[name]
    for one in kept["alerts"]:
        for name in one.keys() - FORMER_NAMES:
            del one[name]
    text = as_text(Letter.model_validate(kept), "en")
    assert "Cơ sở giáo dục" in text


def test_the_worst_are_told_in_full_and_the_others_in_a_line(many: Letter) -> None:
    text = as_text(many)
    assert text.count("   Mục tiêu: ") == IN_FULL
    for number in range(1, len(MANY) + 1):
        assert f"{number}. " in text
    assert [one.trend is None for one in many.alerts][IN_FULL:] == [True] * (len(MANY) - IN_FULL)


def test_charts_come_with_the_mail_and_say_in_words_what_they_show(many: Letter) -> None:
    message = message_from_bytes(content(many).as_bytes(), policy=default)
    text, related = message.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == (
        "text/plain",
        "multipart/related",
    )
    page, *images = related.iter_parts()
    html = page.get_content()
    wanted = re.findall(r'src="cid:([^"]+)"', html)
    # Of few people nothing is drawn.
    assert len(wanted) == IN_FULL - 1
    assert [image["Content-ID"] for image in images] == [f"<{one}>" for one in wanted]
    for image in images:
        assert image.get_content_type() == "image/png"
        assert image.get_content_disposition() == "inline"
        assert image.get_content().startswith(b"\x89PNG")
    alternatives = re.findall(r'alt="([^"]+)"', html)
    assert len(alternatives) == len(wanted)
    assert all(one.startswith("Biểu đồ 90 ngày qua, từ ngày 24/08/2026") for one in alternatives)
    assert len(re.findall("[▁▂▃▄▅▆▇█]{14}", text.get_content())) == len(wanted)


def test_fetches_nothing(many: Letter) -> None:
    html = as_html(many)
    assert not re.findall(r'src="(?!cid:)', html)
    assert "<link" not in html
    assert "url(" not in html
    # Beyond 102 KB a large mail provider cuts a page off.
    assert len(html.encode()) < 60_000


def test_is_read_in_english_by_who_wants_that(many: Letter) -> None:
    identifier = UUID("00000000-0000-4000-8000-000000000001")
    delivery = Delivery(identifier, identifier, "email:x", 1, NOW, many)
    settings = SmtpSettings(host="mail.example.vn", sender="nhip-so@laocai.example.vn")
    receiver = EmailReceiver("email:x", "ubnd@laocai.example.vn", language="en")
    read = message_from_bytes(compose(receiver, delivery, settings).as_bytes(), policy=default)
    assert read["Content-Language"] == "en"
    subject = "[Nhịp Số] Reminder: Lào Cai ward: indicators behind pace or falling: 7"
    assert read["Subject"] == subject


def test_escapes_what_is_not_ours_in_html(province: Letter) -> None:
    tricky = province.model_copy(update={"addressee": "<script>A & B</script>"})
    assert "&lt;script&gt;A &amp; B" in as_html(tricky)
    assert "<script>A & B" in as_text(tricky)


def test_the_mail_says_who_when_and_in_which_tongue(province: Letter) -> None:
    identifier = UUID("00000000-0000-4000-8000-000000000001")
    delivery = Delivery(identifier, identifier, "email:x", 1, NOW, province)
    settings = SmtpSettings(
        host="mail.example.vn",
        sender="nhip-so@laocai.example.vn",
        reply_to="so-khcn@laocai.example.vn",
    )
    receiver = EmailReceiver("email:x", "ubnd@laocai.example.vn")
    sent = compose(receiver, delivery, settings).as_bytes()
    read = message_from_bytes(sent, policy=default)
    assert read["Message-ID"] == f"<{identifier}@laocai.example.vn>"
    assert read["From"] == "Nhịp Số <nhip-so@laocai.example.vn>"
    assert read["To"] == "ubnd@laocai.example.vn"
    assert read["Reply-To"] == "so-khcn@laocai.example.vn"
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


def test_the_webhook_speaks_the_language_of_its_receiver(province: Letter) -> None:
    data = json.loads(body(province, "en"))["data"]
    assert data["subject"] == province.subject_in("en")
    assert data["text"] == as_text(province, "en")
    assert data["text"].startswith("To: People's Committee of")
