"""Who gets digests: what the receivers file says of them."""

from pathlib import Path

import pytest

from services.notifier.receivers.reading import ReceiversError
from tests.provincial_files import receivers_of

EMAIL = "email: a@example.vn"
COMMUNE = 'area: "2025:02647"'
AGENCY = "agency: so-y-te"


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
    found = receivers_of(tmp_path, entry)
    assert [(one.audience, one.cadence) for one in found.digests] == subscribed
    for one in found.digests:
        assert found.by_name["digest-email:a@example.vn"] is one.receiver


def test_leaders_get_no_letters(tmp_path: Path) -> None:
    found = receivers_of(tmp_path, f"{COMMUNE}, {EMAIL}, leaders: true")
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
        receivers_of(tmp_path, entry)


def test_the_same_leaders_twice_are_refused(tmp_path: Path) -> None:
    entry = f"{COMMUNE}, {EMAIL}, leaders: true"
    with pytest.raises(ReceiversError, match=r"receivers\.1: .* there twice"):
        receivers_of(tmp_path, entry, entry)
