"""Who gets digests: what the receivers file says of them."""

from pathlib import Path

import pytest

from contracts import agencies, areas, catalogue
from services.notifier.receivers import reading
from services.notifier.receivers.reading import Receivers, ReceiversError

EMAIL = "email: a@example.vn"
COMMUNE = 'area: "2025:02647"'
AGENCY = "agency: so-y-te"


def read(folder: Path, *entries: str) -> Receivers:
    path = folder / "receivers.yaml"
    lines = [f"  - {{{entry}}}\n" for entry in entries]
    path.write_text("receivers:\n" + "".join(lines), encoding="utf-8")
    known = catalogue.load()
    return reading.read(path, areas.load(), agencies.load(None, known))


@pytest.mark.parametrize(
    ("entry", "subscribed"),
    [
        (f"{COMMUNE}, {EMAIL}", [("unit:2025:02647", "weekly")]),
        (f"{COMMUNE}, {EMAIL}, digest: monthly", [("unit:2025:02647", "monthly")]),
        (f"{COMMUNE}, {EMAIL}, digest: none", []),
        (f"{COMMUNE}, {EMAIL}, leaders: true", [("leaders:2025:02647", "monthly")]),
        (f"{COMMUNE}, {EMAIL}, leaders: true, digest: weekly", [("leaders:2025:02647", "weekly")]),
        (f"operators: true, {EMAIL}", []),
        (f"{AGENCY}, {EMAIL}", [("agency:so-y-te", "weekly")]),
        (f"{AGENCY}, {EMAIL}, digest: monthly", [("agency:so-y-te", "monthly")]),
        (f"{AGENCY}, {EMAIL}, digest: none", []),
        (f'{AGENCY}, zalo: "1234567890"', []),
        (f'{COMMUNE}, zalo: "1234567890"', []),
    ],
)
def test_units_by_the_week_and_leaders_by_the_month(
    tmp_path: Path, entry: str, subscribed: list[tuple[str, str]]
) -> None:
    found = read(tmp_path, entry)
    assert [(one.audience, one.cadence) for one in found.digests] == subscribed
    for one in found.digests:
        assert found.by_name["digest-email:a@example.vn"] is one.receiver


def test_leaders_get_no_letters(tmp_path: Path) -> None:
    found = read(tmp_path, f"{COMMUNE}, {EMAIL}, leaders: true")
    assert found.audiences == []
    assert list(found.by_name) == ["digest-email:a@example.vn"]


@pytest.mark.parametrize(
    "entry",
    [
        f"operators: true, {EMAIL}, digest: weekly",
        f"operators: true, {EMAIL}, leaders: true",
        f"{AGENCY}, {EMAIL}, leaders: true",
        f"group: a, {EMAIL}, digest: weekly",
        f"{COMMUNE}, {EMAIL}, leaders: true, digest: none",
        f"{COMMUNE}, {EMAIL}, digest: daily",
        f'{COMMUNE}, zalo: "1234567890", digest: weekly',
        f'{COMMUNE}, zalo: "1234567890", leaders: true',
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(ReceiversError, match=r"receivers\.0"):
        read(tmp_path, entry)


def test_the_same_leaders_twice_are_refused(tmp_path: Path) -> None:
    entry = f"{COMMUNE}, {EMAIL}, leaders: true"
    with pytest.raises(ReceiversError, match=r"receivers\.1: .* there twice"):
        read(tmp_path, entry, entry)
