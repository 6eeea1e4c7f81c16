"""The wording of forms: official names, and periods and units in words."""

import re
from pathlib import Path

import pytest

from contracts import areas, catalogue, forms
from contracts.forms import FormsError, compared_with, period_in_words, unit_in_words
from contracts.forms.reading import read

CATALOGUE = catalogue.load()
FORMS = forms.load(None, CATALOGUE)

#: The official text names both in one sentence: "trên địa bàn đô thị/ ngoài đô thị".
ALTERNATIVES = {"dt.soc.2a", "dt.soc.2b", "dt.soc.3a", "dt.soc.3b"}


def plain(text: str) -> str:
    return re.sub(r"[\s“”]+", " ", text).strip(" .").casefold()


@pytest.mark.parametrize("indicator", list(CATALOGUE), ids=lambda one: one.id)
def test_titles_are_those_of_the_official_text_or_the_catalogue(
    indicator: catalogue.Indicator,
) -> None:
    title = FORMS.indicators[indicator.id].title
    sentence = plain(indicator.source.sentence)
    official = {sentence}
    if indicator.id in ALTERNATIVES:
        urban, outside = "trên địa bàn đô thị/ ngoài đô thị", "ngoài đô thị"
        official = {
            sentence.replace(urban, "trên địa bàn đô thị"),
            sentence.replace(urban, outside),
        }
    named = any(plain(title) in text for text in official)
    assert named or title == indicator.name.vi


def test_a_ratio_says_what_is_counted_and_a_quantity_its_unit() -> None:
    assert FORMS.indicators["dt.eco.2"].unit == "triệu đồng/lao động"
    assert not FORMS.indicators["dt.eco.2"].percent
    for indicator in CATALOGUE:
        measure = FORMS.indicators[indicator.id]
        assert measure.is_ratio or measure.value
        if indicator.unit == "quantity":
            assert not measure.is_ratio


@pytest.mark.parametrize(
    ("period", "words", "beside"),
    [
        ("2026-10", "Tháng 10 năm 2026", ("2026-09", "2025-10")),
        ("2026-01", "Tháng 1 năm 2026", ("2025-12", "2025-01")),
        ("2026-Q3", "Quý III năm 2026", ("2026-Q2", "2025-Q3")),
        ("2026-Q1", "Quý I năm 2026", ("2025-Q4", "2025-Q1")),
        ("2026-Q4", "Quý IV năm 2026", ("2026-Q3", "2025-Q4")),
        ("2026-H1", "6 tháng đầu năm 2026", ("2025-H2", "2025-H1")),
        ("2026-H2", "6 tháng cuối năm 2026", ("2026-H1", "2025-H2")),
        ("2026", "Năm 2026", ("2025", "2024")),
    ],
)
def test_periods_in_words_and_what_they_are_read_beside(
    period: str, words: str, beside: tuple[str, ...]
) -> None:
    assert period_in_words(period) == words
    assert tuple(compared_with(period)) == beside


def test_units_bear_their_full_names() -> None:
    known = areas.load()
    assert unit_in_words(known["2025:15"], known) == "Tỉnh Lào Cai"
    assert unit_in_words(known["2025:02647"], known) == "Phường Lào Cai, Tỉnh Lào Cai"


def test_what_a_file_leaves_out_is_worded_from_the_catalogue(tmp_path: Path) -> None:
    few = "version: 1\nsections: [{prefix: nf., title: Khác}]\nindicators: {}\n"
    (tmp_path / "forms.yaml").write_text(few, encoding="utf-8")
    plain = forms.load(tmp_path, CATALOGUE)
    assert plain.indicators["nf.app"].title == "Dân số có tài khoản YenBai-S"
    assert plain.indicators["nf.app"].denominator == "Tổng số: Người dân"
    assert not plain.indicators["dt.eco.2"].is_ratio
    assert plain.section_of("nf.app") == "Khác"
    assert plain.section_of("dt.gov.1") == plain.headings[-1] == "Chỉ tiêu khác"


def test_the_shipped_wording_leaves_out_nothing() -> None:
    shipped = read(Path(forms.__file__).parent / "forms.yaml")
    assert shipped.indicators.keys() == CATALOGUE.by_id.keys()
    assert {shipped.section_of(name) for name in shipped.indicators} == set(shipped.headings[:-1])


def test_wording_of_an_unknown_indicator_is_refused(tmp_path: Path) -> None:
    text = (Path(forms.__file__).parent / "forms.yaml").read_text(encoding="utf-8")
    (tmp_path / "forms.yaml").write_text(text.replace("  nf.app:", "  nf.apple:"), encoding="utf-8")
    with pytest.raises(FormsError, match=r"names nf\.apple"):
        forms.load(tmp_path, CATALOGUE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nsections: []\nindicators:\n  a.b: {title: t, numerator: n}\n", "numerator"),
        ("version: 1\nsections: []\nindicators: {}\nother: 1\n", "other"),
        ("version: [", "no YAML"),
    ],
)
def test_a_file_that_is_wrong_names_what(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "forms.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FormsError, match=message):
        read(file)


def test_a_folder_without_wording_has_the_shipped_one(tmp_path: Path) -> None:
    assert forms.load(tmp_path, CATALOGUE) == FORMS
    with pytest.raises(FormsError, match=r"forms\.yaml"):
        read(tmp_path / "forms.yaml")
