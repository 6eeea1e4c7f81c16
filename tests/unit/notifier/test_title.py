"""Whom letters and digests are addressed to: what entries of the receivers file say of it."""

from pathlib import Path

import pytest

from services.notifier.core.title import Title
from services.notifier.receivers.reading import ReceiversError
from tests.provincial_files import receivers_of

GROUP = "group: chuyen-doi-so, email: a@example.vn"
OFFICE = "Sở Khoa học và Công nghệ tỉnh Lào Cai"


@pytest.mark.parametrize(
    ("said", "vi", "en"),
    [
        (f'"{OFFICE}"', OFFICE, None),
        (f'{{vi: "{OFFICE}"}}', OFFICE, None),
        (f'{{vi: "{OFFICE}", en: "Department of Science"}}', OFFICE, "Department of Science"),
        (f'"  {OFFICE}\u00a0 "', OFFICE, None),
    ],
)
def test_a_title_is_a_text_or_one_in_each_language(
    tmp_path: Path, said: str, vi: str, en: str | None
) -> None:
    found = receivers_of(tmp_path, f"{GROUP}, title: {said}")
    assert found.title("group:chuyen-doi-so") == Title(vi=vi, en=en)
    assert found.title("operators") is None


@pytest.mark.parametrize(
    ("entry", "audience"),
    [
        ('area: "2025:02647", email: a@example.vn', "unit:2025:02647"),
        ('area: "2025:02647", leaders: true, email: a@example.vn', "leaders:2025:02647"),
        ("agency: so-y-te, email: a@example.vn", "agency:so-y-te"),
        ("operators: true, email: a@example.vn", "operators"),
        ('group: a, zalo: "1234567890"', "group:a"),
    ],
)
def test_every_audience_may_have_one(tmp_path: Path, entry: str, audience: str) -> None:
    found = receivers_of(tmp_path, f'{entry}, title: "{OFFICE}"')
    assert found.title(audience) == Title(vi=OFFICE)


def test_leaders_are_called_otherwise_than_their_unit(tmp_path: Path) -> None:
    found = receivers_of(
        tmp_path,
        'area: "2025:15", email: a@example.vn',
        'area: "2025:15", leaders: true, email: b@example.vn, title: "Thường trực Tỉnh ủy"',
    )
    assert found.title("unit:2025:15") is None
    assert found.title("leaders:2025:15") == Title(vi="Thường trực Tỉnh ủy")


def test_one_entry_of_several_may_say_it(tmp_path: Path) -> None:
    other = "group: chuyen-doi-so, email: b@example.vn"
    for entries in (
        (GROUP, f'{other}, title: "{OFFICE}"'),
        (f'{GROUP}, title: "{OFFICE}"', f'{other}, title: "{OFFICE}"'),
    ):
        assert receivers_of(tmp_path, *entries).title("group:chuyen-doi-so") == Title(vi=OFFICE)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ('""', r"receivers\.0\.title\.vi: want 1 to 200 characters"),
        (f'"{"x" * 201}"', r"receivers\.0\.title\.vi: want 1 to 200 characters"),
        (r'"Sở\x07"', r"receivers\.0\.title\.vi: want 1 to 200 characters"),
        ('{en: "Department"}', r"receivers\.0\.title\.vi: is missing"),
        ('{vi: "Sở", fr: "Bureau"}', r"receivers\.0\.title\.fr: there is no such key here"),
        ('{vi: "Sở", en: ""}', r"receivers\.0\.title\.en: want 1 to 200 characters"),
        ("2026", r"receivers\.0\.title: want a text in quotes, or {vi: …, en: …}"),
        ('["Sở"]', r"receivers\.0\.title: want a text in quotes"),
    ],
)
def test_a_wrong_title_is_refused_with_its_place(tmp_path: Path, said: str, message: str) -> None:
    with pytest.raises(ReceiversError, match=message):
        receivers_of(tmp_path, f"{GROUP}, title: {said}")


def test_two_titles_of_one_audience_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ReceiversError, match=r"receivers\.1\.title: group:chuyen-doi-so has another title"
    ):
        receivers_of(
            tmp_path,
            f'{GROUP}, title: "{OFFICE}"',
            'group: chuyen-doi-so, email: b@example.vn, title: "Văn phòng"',
        )


def test_an_alertmanager_has_none(tmp_path: Path) -> None:
    entry = 'area: "2025:15", alertmanager: {url: "http://alertmanager:9093"}'
    with pytest.raises(ReceiversError, match=r"receivers\.0: .* leave out the title"):
        receivers_of(tmp_path, f'{entry}, title: "{OFFICE}"')
