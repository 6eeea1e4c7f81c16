"""What digests say, word for word. After a wanted change, write the golden files anew:
``NHIPSO_WRITE_GOLDEN=1 pytest tests/unit/notifier/test_digest.py``, and read them aloud."""

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from email.header import decode_header, make_header
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from openpyxl import load_workbook

from contracts import agencies
from contracts.updates import Severity
from services.notifier.core.alert import NOBODY, Alert, advance
from services.notifier.core.causes import Domain
from services.notifier.core.decide import Decision, Reason
from services.notifier.core.digest import Digest, Reader
from services.notifier.core.digest_lines import Measures
from services.notifier.core.digest_speech import DigestSpeech
from services.notifier.core.figure import Figure, FigureKey, standing
from services.notifier.core.occasion import Timetable, latest
from services.notifier.core.reviewing import write
from services.notifier.core.title import Title
from services.notifier.core.wording import Language
from services.notifier.receivers.digest import page, workbook
from services.notifier.receivers.digest.rendering import as_html, as_text
from services.notifier.receivers.digest.sending import body, compose
from services.notifier.receivers.digest.workbook import as_workbook
from services.notifier.receivers.email.sending import EmailReceiver
from services.notifier.settings import SmtpSettings
from services.notifier.store.deliveries import Delivery

NOW = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden"
COMMUNE, OTHER, PROVINCE = "2025:02647", "2025:02671", "2025:15"
UNIT = Reader(f"unit:{COMMUNE}", "unit", COMMUNE)
LEADERS = Reader(f"leaders:{PROVINCE}", "leaders", PROVINCE)
HEALTH = Reader("agency:so-y-te", "agency", PROVINCE)


def figure(area: str, indicator: str, numerator: int, denominator: int) -> Figure:
    value = (Decimal(100 * numerator) / denominator).quantize(Decimal("0.01"))
    return Figure(FigureKey(area, indicator, "events"), 1, numerator, denominator, value, NOW, None)


def keyed(figures: Iterable[Figure]) -> dict[FigureKey, Figure]:
    return {one.key: one for one in figures}


def lag(domain: Domain, of: Figure, severity: Severity) -> Alert:
    indicator = domain.catalogue.by_id[of.key.indicator]
    step = advance(
        None,
        Decision("firing", Reason.BEHIND_PACE, severity),
        kind="pace",
        key=of.key,
        standing=standing(indicator, of, NOW.date()),
        now=NOW,
    )
    assert step is not None
    return step.alert


def awaited(area: str) -> Alert:
    step = advance(
        None,
        Decision("firing", Reason.REPORT_MISSING, "warning"),
        kind="report",
        key=FigureKey(area, "report-missing.2026-Q3", "reported"),
        standing=replace(NOBODY, numerator=1, denominator=3),
        now=NOW,
        due_on=date(2026, 10, 15),
    )
    assert step is not None
    return step.alert


def silent(feed: str) -> Alert:
    step = advance(
        None,
        Decision("firing", Reason.SOURCE_SILENT, "warning"),
        kind="source-silent",
        key=FigureKey(PROVINCE, f"source.{feed}", "events"),
        standing=NOBODY,
        now=NOW,
    )
    assert step is not None
    return step.alert


THEN = (
    figure(COMMUNE, "ds.smartphone", 9_000, 31_000),
    figure(COMMUNE, "ds.fibre", 5_000, 8_000),
    figure(COMMUNE, "ds.health-record", 4_000, 31_000),
    figure(OTHER, "ds.smartphone", 10_400, 24_000),
    figure(OTHER, "ds.fibre", 4_000, 6_000),
    figure(PROVINCE, "ds.smartphone", 270_000, 498_002),
)
NOW_ON = (
    figure(COMMUNE, "ds.smartphone", 9_310, 31_000),
    figure(COMMUNE, "ds.fibre", 6_000, 8_000),
    figure(COMMUNE, "ds.health-record", 3_900, 31_000),
    # Of so few, nothing may be told.
    figure(COMMUNE, "ds.schools", 3, 12),
    figure(COMMUNE, "ds.digital-skills", 7, 9_876),
    figure(OTHER, "ds.smartphone", 10_000, 24_000),
    figure(OTHER, "ds.fibre", 4_100, 6_000),
    figure(PROVINCE, "ds.smartphone", 271_340, 498_002),
)
MEASURES = Measures(NOW, keyed(NOW_ON), keyed(THEN), date(2026, 11, 24))


@pytest.fixture
def domain(domain: Domain) -> Domain:
    """With the agencies that ship."""
    return replace(domain, agencies=agencies.load(None, domain.catalogue))


@pytest.fixture
def unit_digest(domain: Domain) -> Digest:
    smartphone = lag(domain, NOW_ON[0], "critical")
    health = lag(domain, NOW_ON[2], "critical")
    few = lag(domain, NOW_ON[4], "warning")
    digest = write(
        UNIT,
        latest("weekly", Timetable(weekday=2, hour=8, late=NOW - NOW), NOW),
        MEASURES,
        domain,
        alerts=[few, smartphone, health, awaited(COMMUNE), lag(domain, NOW_ON[5], "critical")],
        promises={smartphone.id: date(2026, 12, 15), health.id: date(2026, 11, 20)},
        now=NOW,
    )
    assert digest is not None
    return digest.model_copy(
        update={
            "page_url": f"https://nhipso.example.vn/areas/{COMMUNE}",
            "contact": "Sở Khoa học và Công nghệ, điện thoại 0214 3 000 000",
        }
    )


@pytest.fixture
def leaders_digest(domain: Domain) -> Digest:
    digest = write(
        LEADERS,
        latest("monthly", Timetable(weekday=1, hour=8, late=NOW - NOW), NOW),
        Measures(NOW, keyed(NOW_ON), keyed(THEN), date(2026, 11, 2)),
        domain,
        alerts=[
            lag(domain, NOW_ON[7], "critical"),
            lag(domain, NOW_ON[0], "critical"),
            lag(domain, NOW_ON[2], "critical"),
            lag(domain, NOW_ON[5], "critical"),
            awaited(OTHER),
            silent("community"),
        ],
        promises={},
        now=NOW,
    )
    assert digest is not None
    # Golden files with all communes of the province would hide what they show.
    return digest.model_copy(update={"units": digest.units[:3]})


@pytest.fixture
def agency_digest(domain: Domain) -> Digest:
    province = (
        figure(PROVINCE, "ds.health-record", 90_000, 498_002),
        figure(PROVINCE, "ds.telehealth", 248_000, 498_002),
        *NOW_ON,
    )
    digest = write(
        HEALTH,
        latest("weekly", Timetable(weekday=2, hour=8, late=NOW - NOW), NOW),
        Measures(
            NOW,
            keyed(province),
            keyed((figure(PROVINCE, "ds.health-record", 88_000, 498_002), *THEN)),
            date(2026, 11, 24),
        ),
        domain,
        alerts=[
            lag(domain, province[0], "critical"),
            lag(domain, NOW_ON[2], "critical"),
            # Others answer for these.
            lag(domain, NOW_ON[7], "critical"),
            lag(domain, NOW_ON[0], "critical"),
            awaited(PROVINCE),
            silent("community"),
        ],
        promises={},
        now=NOW,
    )
    assert digest is not None
    return digest


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", ["unit_digest", "leaders_digest", "agency_digest"])
def test_reads_as_it_was_approved(
    name: str, language: Language, request: pytest.FixtureRequest
) -> None:
    digest: Digest = request.getfixturevalue(name)
    name = name if language == "vi" else f"{name}.{language}"
    subject = DigestSpeech(language).subject(digest)
    for suffix, text in (
        ("txt", f"{subject}\n\n{as_text(digest, language)}"),
        ("html", as_html(digest, language)),
    ):
        path = GOLDEN / f"{name}.{suffix}"
        if os.environ.get("NHIPSO_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs"


def test_worst_first_with_what_got_better_and_worse(unit_digest: Digest) -> None:
    assert [one.indicator for one in unit_digest.lagging] == [
        "ds.health-record",
        "ds.smartphone",
        "ds.digital-skills",
    ]
    assert [one.indicator for one in unit_digest.better] == ["ds.fibre", "ds.smartphone"]
    assert [one.indicator for one in unit_digest.worse] == ["ds.health-record"]
    assert [one.is_overdue for one in unit_digest.lagging] == [True, False, False]


def test_figures_of_few_are_not_told(unit_digest: Digest) -> None:
    said = unit_digest.model_dump_json() + as_text(unit_digest) + body(unit_digest)
    assert "ds.schools" not in said
    assert unit_digest.lagging[2].value is None
    assert unit_digest.lagging[2].gap_people is None
    assert "9876" not in said
    assert "9.876" not in said


def test_leaders_see_units_by_set(leaders_digest: Digest) -> None:
    first, second, _ = leaders_digest.units
    sets = [one.set for one in leaders_digest.sets]
    society = sets.index("digital-society")
    assert (first.area, first.cells[society].lagging, first.cells[society].judged) == (
        COMMUNE,
        2,
        3,
    )
    assert (second.area, second.missing_reports) == (OTHER, 1)
    assert [row.area for row in leaders_digest.best] == [COMMUNE]
    assert leaders_digest.silent == ("community",)
    assert "Tổ công nghệ số cộng đồng" in as_text(leaders_digest)


def test_an_agency_is_told_of_what_it_answers_for(agency_digest: Digest) -> None:
    (lags,) = agency_digest.lagging
    assert (lags.indicator, lags.units_lagging, lags.units_judged) == ("ds.health-record", 1, 1)
    assert [one.area for one in lags.held_back] == [COMMUNE]
    assert [one.indicator for one in agency_digest.others] == ["ds.telehealth"]
    assert (agency_digest.reports, agency_digest.units, agency_digest.silent) == ((), (), ())
    assert agency_digest.addressee == "Sở Y tế"


def test_an_agency_answers_for_its_indicators_whoever_there_is_addressed(
    agency_digest: Digest,
) -> None:
    office = Title(vi="Văn phòng Sở", en="The office")
    titled = agency_digest.model_copy(update=office.addressed)
    text = as_text(titled)
    assert text.startswith("Kính gửi: Văn phòng Sở\n")
    assert f"do {agency_digest.addressee} phụ trách" in text
    speech = DigestSpeech("vi")
    assert speech.subject(titled) == speech.subject(agency_digest)


def test_an_agency_is_told_what_it_cannot_be_told(domain: Domain) -> None:
    occasion = latest("weekly", Timetable(weekday=2, hour=8, late=NOW - NOW), NOW)
    feed = domain.catalogue.by_id["ds.health-record"].feed
    figures = keyed((figure(PROVINCE, "ds.health-record", 90_000, 498_002),))
    digest = write(
        HEALTH,
        occasion,
        Measures(NOW, figures, {}, None),
        domain,
        alerts=[silent(feed), silent("community")],
        promises={},
        now=NOW,
    )
    assert digest is not None
    assert (digest.unjudged, digest.silent, digest.judged) == (1, (feed,), 0)


def test_an_unknown_agency_is_refused(domain: Domain) -> None:
    occasion = latest("weekly", Timetable(weekday=2, hour=8, late=NOW - NOW), NOW)
    reader = Reader("agency:so-x", "agency", PROVINCE)
    with pytest.raises(LookupError, match="so-x"):
        write(reader, occasion, MEASURES, domain, alerts=[], promises={}, now=NOW)


def test_what_an_older_notifier_wrote_is_still_read(leaders_digest: Digest) -> None:
    old = leaders_digest.model_dump(mode="json")
    for name in ("addressee_en", "others"):
        del old[name]
    old["silent"] = ["Tổ công nghệ số cộng đồng"]
    for row in old["units"]:
        for cell in row["cells"]:
            cell["set_name"] = "Xã hội số"
    assert as_text(Digest.model_validate(old)) == as_text(leaders_digest)


def test_what_is_under_its_pace_and_does_not_lag_is_counted(domain: Domain) -> None:
    """A share under the pace beside "none lags" would not be believed."""
    digest = write(
        UNIT,
        latest("weekly", Timetable(weekday=2, hour=8, late=NOW - NOW), NOW),
        MEASURES,
        domain,
        alerts=[lag(domain, NOW_ON[0], "critical")],
        promises={},
        now=NOW,
    )
    assert digest is not None
    assert (len(digest.lagging), digest.below_pace) == (1, 2)
    assert "2 chỉ tiêu đang thấp hơn tiến độ" in as_text(digest)


def test_a_silent_source_makes_no_unit_look_bad(domain: Domain) -> None:
    feed = domain.catalogue.by_id["ds.smartphone"].feed
    digest = write(
        UNIT,
        latest("weekly", Timetable(weekday=1, hour=8, late=NOW - NOW), NOW),
        MEASURES,
        domain,
        alerts=[lag(domain, NOW_ON[0], "critical"), silent(feed)],
        promises={},
        now=NOW,
    )
    assert digest is not None
    assert digest.lagging == ()
    said = {one.indicator for one in (*digest.better, *digest.worse)}
    assert "ds.smartphone" not in said
    assert digest.unjudged > 0
    assert "không được đánh giá vì nguồn dữ liệu ngừng gửi" in as_text(digest)


def test_nothing_to_say_is_not_said(domain: Domain) -> None:
    occasion = latest("weekly", Timetable(weekday=1, hour=8, late=NOW - NOW), NOW)
    none = Measures(NOW, {}, {}, None)
    for reader in (UNIT, LEADERS, HEALTH):
        assert write(reader, occasion, none, domain, alerts=[], promises={}, now=NOW) is None


def test_the_first_one_compares_with_nothing(domain: Domain) -> None:
    occasion = latest("weekly", Timetable(weekday=1, hour=8, late=NOW - NOW), NOW)
    alone = Measures(NOW, keyed(NOW_ON), {}, None)
    digest = write(UNIT, occasion, alone, domain, alerts=[], promises={}, now=NOW)
    assert digest is not None
    assert (digest.compared_on, digest.better, digest.worse) == (None, (), ())
    assert "chưa có số liệu trước đó" in as_text(digest)


def test_the_workbook_reads_back(leaders_digest: Digest) -> None:
    evil = leaders_digest.units[0].model_copy(update={"area_name": "=1+1"})
    digest = leaders_digest.model_copy(update={"units": (evil, *leaders_digest.units[1:])})
    book = load_workbook(BytesIO(as_workbook(digest)))
    assert book.sheetnames == ["Đơn vị", "Chỉ tiêu", "Nguồn ngừng gửi"]
    rows = list(book["Đơn vị"].iter_rows(min_row=4, values_only=True))
    assert rows[0][:2] == ("Đơn vị", "Mã")
    assert rows[1][:2] == ("=1+1", COMMUNE)
    assert book["Đơn vị"]["A5"].data_type == "s"
    assert float(str(rows[1][-2])) == pytest.approx(float(leaders_digest.units[0].change or 0))
    lines = list(book["Chỉ tiêu"].iter_rows(min_row=5, values_only=True))
    assert lines[0][0] == "Chậm tiến độ"
    assert lines[0][2] == "ds.smartphone"


def test_the_message_carries_pages_and_workbook(
    leaders_digest: Digest, unit_digest: Digest
) -> None:
    settings = SmtpSettings(host="localhost")
    receiver = EmailReceiver("email:a@example.vn", "a@example.vn")
    delivery = Delivery(UUID(int=1), UUID(int=2), receiver.name, 1, NOW, leaders_digest)
    message = compose(receiver, delivery, settings)
    files = {part.get_filename(): part for part in message.walk() if part.get_filename()}
    assert list(files) == [page.file_name(leaders_digest), workbook.file_name(leaders_digest)]
    assert [part.get_content_type() for part in files.values()] == [
        page.MEDIA_TYPE,
        workbook.MEDIA_TYPE,
    ]
    assert message["Message-ID"] == f"<{UUID(int=1)}@localhost>"
    plain = compose(receiver, replace(delivery, letter=unit_digest), settings)
    assert plain.get_content_type() == "multipart/alternative"
    assert plain["Content-Language"] == "vi"


def test_a_message_is_in_the_language_of_its_receiver(leaders_digest: Digest) -> None:
    receiver = EmailReceiver("email:a@example.vn", "a@example.vn", language="en")
    delivery = Delivery(UUID(int=1), UUID(int=2), receiver.name, 1, NOW, leaders_digest)
    message = compose(receiver, delivery, SmtpSettings(host="localhost"))
    assert message["Content-Language"] == "en"
    assert "Digest of November 2026" in str(make_header(decode_header(message["Subject"])))
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in message.walk()}
    text, file = parts["text/plain"], parts[workbook.MEDIA_TYPE]
    assert isinstance(text, bytes)
    assert isinstance(file, bytes)
    assert text.startswith(b"To: The leaders of the People's Committee of")
    assert load_workbook(BytesIO(file)).sheetnames == ["Units", "Indicators", "Silent sources"]


def test_a_webhook_gets_plain_json(unit_digest: Digest) -> None:
    said = json.loads(body(unit_digest))
    assert said["type"] == "vn.nhipso.digest.v1"
    assert said["data"]["period"] == "2026-11-30"
    assert said["data"]["text"] == as_text(unit_digest)
    assert Digest.model_validate(said["data"]) == unit_digest


def test_a_webhook_gets_the_words_of_its_language(unit_digest: Digest) -> None:
    data = json.loads(body(unit_digest, "en"))["data"]
    assert data["subject"] == DigestSpeech("en").subject(unit_digest)
    assert data["text"] == as_text(unit_digest, "en")
    assert data["text"].startswith("To: People's Committee of")
