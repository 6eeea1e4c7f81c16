"""The digest on paper, read back with the library of another program."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from services.notifier.core.digest import (
    Digest,
    DigestCell,
    DigestLine,
    DigestRow,
    DigestSet,
)
from services.notifier.core.wording import Language
from services.notifier.receivers.digest.page import LONGEST, as_pdf, file_name

NOW = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)


def line(number: int) -> DigestLine:
    return DigestLine(
        indicator=f"x.{number}",
        indicator_name=f"Người dân có tài khoản định danh điện tử mức {number} được cấp và sử dụng",
        indicator_name_en=f"People with an electronic identity of level {number}",
        value=Decimal("45.20"),
        before=Decimal("44.00"),
        change=Decimal("1.20"),
        pace=Decimal(60),
        target=Decimal(90),
        gap_people=12_345,
        noun="người",
        noun_en="people",
        severity="critical",
        promised_on=date(2026, 11, 20),
        is_overdue=True,
    )


def digest(*, units: int = 99, lagging: int = 8) -> Digest:
    """An invented province of so many units."""
    sets = ("Công dân số", "Xã hội số", "Chuyển đổi số", "Đặc trưng xã hội số")
    lines = tuple(map(line, range(lagging)))
    rows = tuple(
        DigestRow(
            area=f"2025:{number:05}",
            area_name=f"Xã Nguyễn Thượng Hiền {number}",
            cells=(DigestCell(judged=9, lagging=3),) * len(sets) if number % 7 else (),
            lagging=12,
            change=Decimal("-0.35"),
            missing_reports=number % 2,
        )
        for number in range(units)
    )
    return Digest(
        audience="leaders:2025:15",
        form="leaders",
        cadence="monthly",
        period="2026-11",
        since=date(2026, 11, 1),
        until=date(2026, 11, 30),
        area="2025:15",
        area_name="Tỉnh Lào Cai",
        addressee="Lãnh đạo Ủy ban nhân dân tỉnh Lào Cai",
        addressee_en="The leaders of the People's Committee of Lào Cai province",
        written_at=NOW,
        measured_at=NOW,
        compared_on=date(2026, 11, 2),
        judged=38,
        lagging=lines,
        better=lines[:5],
        worse=lines[:5],
        reports=(),
        silent=("community",),
        unjudged=3,
        sets=tuple(DigestSet(set=name, name=name, name_en="A set") for name in sets),
        units=rows,
        best=rows[:5],
        worst=rows[:5],
    )


def read(content: bytes) -> list[str]:
    """The text of each page, with its lines joined."""
    with pypdfium2.PdfDocument(content) as document:
        pages = []
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            pages.append(" ".join(text.get_text_bounded().split()))
        return pages


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("vi", ["Bản tin tháng 11/2026", "8 trong 38 chỉ tiêu được đánh giá đang chậm tiến độ"]),
        ("vi", ["Quá hẹn: đã hẹn xong trước ngày 20/11/2026", "45,20%", "12.345 người"]),
        ("vi", ["Nguồn dữ liệu ngừng gửi", "Tổ công nghệ số cộng đồng", "Giảm nhiều nhất"]),
        ("en", ["Digest of November 2026", "Lào Cai province", "Fell most", "12,345 people"]),
        ("en", ["Community digital technology teams", "Overdue: promised by 20 November 2026"]),
    ],
)
def test_the_first_page_says_how_it_stands(language: Language, said: list[str]) -> None:
    first, *_ = read(as_pdf(digest(), language))
    for sentence in said:
        assert sentence in first


@pytest.mark.parametrize("lagging", [0, 8, 30])
def test_a_province_has_two_pages_with_all_its_units(lagging: int) -> None:
    pages = read(as_pdf(digest(lagging=lagging)))
    assert len(pages) == 2
    for number in range(99):
        assert f"Xã Nguyễn Thượng Hiền {number} " in pages[1]


def test_no_letter_is_missing_and_every_font_comes_along() -> None:
    content = as_pdf(digest())
    with pypdfium2.PdfDocument(content) as document:
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            assert "\ufffd" not in text.get_text_bounded()
            fonts = [
                pdfium.FPDFTextObj_GetFont(one.raw)
                for one in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT])
            ]
            assert fonts
            assert all(pdfium.FPDFFont_GetIsEmbedded(font) == 1 for font in fonts)
    assert set(re.findall(rb"Libertinus\w+|DejaVu\w+|NewCM\w+", content)) <= {b"LibertinusSerif"}


def test_the_same_digest_makes_the_same_file() -> None:
    assert as_pdf(digest(units=3)) == as_pdf(digest(units=3))
    # A clock tells more than seconds, a PDF does not.
    precise = digest().model_copy(update={"written_at": NOW.replace(microsecond=123_456)})
    assert as_pdf(precise).startswith(b"%PDF")
    assert file_name(digest()) == "nhipso-2025-15-2026-11.pdf"


def test_what_is_too_long_for_paper_is_counted() -> None:
    first, *_ = read(as_pdf(digest(lagging=LONGEST + 4)))
    assert "Và 4 chỉ tiêu chậm tiến độ khác" in first


def test_text_is_text_and_no_markup() -> None:
    evil = digest(units=1).units[0].model_copy(update={"area_name": 'Xã #read("/x") *A* $b$'})
    pages = read(as_pdf(digest().model_copy(update={"units": (evil,)})))
    assert 'Xã #read("/x") *A* $b$' in pages[1]


def test_a_digest_with_nothing_below_is_set_too() -> None:
    empty = digest(units=0, lagging=0).model_copy(update={"sets": (), "silent": ()})
    assert "Không có chỉ tiêu nào chậm tiến độ" in read(as_pdf(empty))[0]
