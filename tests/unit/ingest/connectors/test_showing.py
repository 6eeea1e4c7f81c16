"""What is shown of a cursor is bounded, and says what it leaves out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.connectors.showing import shown

SHORT: list[Any] = [
    None,
    7,
    {},
    [],
    {str(partition): 1_042 for partition in range(12)},
    {"file": "a.csv", "identity": "0a" * 32, "line": 500, "ended": False},
    {"identity": "1.1", "under_way": {"after": ["2026-03-01", "(0,1)"]}},
    {"Patient": {"reached": "2026-03-01T01:10:00Z", "recent": {"a1": 1}}, "filled": True},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: (
        st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=100), inner, max_size=30)
    ),
)


@pytest.mark.parametrize("cursor", SHORT)
def test_a_short_one_is_shown_as_it_is(cursor: Any) -> None:
    assert shown(cursor) == cursor


def test_of_many_members_the_first_are_shown_and_the_others_counted() -> None:
    recent = {f"{number:016x}": number for number in range(2_000)}
    found = shown({"Patient": {"reached": None, "recent": recent}})["Patient"]["recent"]
    assert list(found) == [*list(recent)[:12], "…"]
    assert found["…"] == "1,988 more"
    assert shown([*range(13)]) == [*range(12), "… 1 more"]


def test_a_long_text_is_cut() -> None:
    assert shown({"token": "x" * 81}) == {"token": "x" * 80 + "…"}


def test_what_lies_deep_is_counted() -> None:
    assert shown([[[[1, 2]]]]) == [[["2 members"]]]


def within_bounds(value: Any, levels: int) -> bool:
    if isinstance(value, str):
        return len(value) <= 81
    if not isinstance(value, dict | list) or not value:
        return True
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    return (
        levels > 0
        and len(value) <= 13
        and all(within_bounds(member, levels - 1) for member in inner)
    )


@given(JSON)
def test_it_is_bounded_whatever_it_is(cursor: Any) -> None:
    assert within_bounds(shown(cursor), 3)
