"""Texts in columns: what is read together is what the contract's parsers read one by one."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.times import epoch_microseconds, local_day, parse_rfc3339
from services.scoring.core.texts import (
    HEX,
    LONG,
    NO_ID,
    SHORT,
    UUID,
    Ids,
    local_ordinals,
    read_pseudonyms,
    read_times,
)
from tests.unit.scoring.test_twin import CLOSE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENTS = [epoch_microseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in (2000, 9001)]
_OFFSETS = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-23 * 60 - 59, 23 * 60 + 59)
)


@st.composite
def written(draw: st.DrawFn) -> str:
    """A moment in one of the many forms that RFC 3339 allows."""
    moment: datetime = draw(st.datetimes(timezones=st.just(UTC) | _OFFSETS))
    text: str = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    digits = draw(st.integers(0, 9))
    if digits:
        text += "." + str(draw(st.integers(0, 10**digits - 1))).zfill(digits)
    # A whole number of minutes, as the form wants it.
    offset = moment.isoformat()[-6:]
    zone: str = draw(st.sampled_from(["Z", "z", "+00:00", "-00:00", offset, offset]))
    between: str = draw(st.sampled_from(["T"] * 8 + ["t", " "]))
    return text.replace("T", between) + zone


@st.composite
def nearly_written(draw: st.DrawFn) -> str:
    """A time of which one character is another."""
    text: str = draw(written())
    place = draw(st.integers(0, len(text) - 1))
    other: str = draw(st.sampled_from([*"0123456789-+:.TtZz /", "", "é", "٣", "\n", "😀"]))
    return text[:place] + other + text[place + 1 :]


def plainly(text: str) -> int | None:
    try:
        return epoch_microseconds(parse_rfc3339(text))
    except ValueError:
        return None


_TIMES = written() | nearly_written() | st.sampled_from([str(one) for one in CLOSE])


@settings(deadline=None, max_examples=500)
@given(st.lists(_TIMES, max_size=12))
@example(["2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z"])
@example(["2000-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z"])
@example(["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999-00:01"])
@example(["2016-12-31T23:59:60Z", "2026-11-22T08:30:00,5Z", "２０26-11-22T08:30:00Z"])
@example(["2026-04-31T00:00:00Z", "2026-00-10T00:00:00Z", "2026-11-00T00:00:00Z"])
def test_times_that_are_read_are_those_of_the_contract(texts: list[str]) -> None:
    times, read = read_times(texts)
    for text, moment, was_read in zip(texts, times.tolist(), read.tolist(), strict=True):
        expected = plainly(text)
        if was_read and expected is None:
            # The first and the last moments of the calendar are far from any that is taken.
            assert abs(moment) > epoch_microseconds(datetime(9000, 1, 1, tzinfo=UTC)) or (
                moment < epoch_microseconds(datetime(1, 1, 3, tzinfo=UTC))
            )
        elif was_read:
            assert moment == expected


@settings(deadline=None)
@given(st.lists(st.datetimes(timezones=st.just(UTC) | _OFFSETS), min_size=1, max_size=6))
def test_usual_times_are_read_together(moments: list[datetime]) -> None:
    texts = [one.isoformat() for one in moments] + [
        one.replace(tzinfo=None).isoformat() + "Z" for one in moments
    ]
    times, read = read_times(texts)
    assert read.all()
    assert times[: len(moments)].tolist() == [epoch_microseconds(one) for one in moments]


def test_no_times() -> None:
    times, read = read_times([])
    assert (len(times), len(read)) == (0, 0)


@given(st.integers(_MOMENTS[0], _MOMENTS[1]))
def test_local_days_are_those_of_the_contract(moment: int) -> None:
    (day,) = local_ordinals(np.array([moment]))
    assert date.fromordinal(int(day)) == local_day(_EPOCH + timedelta(microseconds=moment))


_HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
_UUIDS = st.uuids().map(str)
_IDS = st.one_of(
    _UUIDS,
    _UUIDS.map(str.upper),
    _UUIDS.map(lambda text: text.replace("-", "")),
    _UUIDS.map(lambda text: text.replace("-", "_")),
    _UUIDS.map(lambda text: text[1:] + "g"),
    _HEX,
    _HEX.map(str.upper),
    st.text(st.characters(exclude_characters="\0"), max_size=40),
    st.text("ab", max_size=20),
    st.sampled_from(["", "é" * 8, "é" * 9, "😀" * 4, "😀" * 5, "\ud800", "a" * 16, "a" * 17]),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(_IDS, max_size=20))
def test_ids_come_back_as_they_were(texts: list[str]) -> None:
    ids = Ids()
    forms, words = ids.read(texts)
    back = [ids.text(int(form), *map(int, two)) for form, two in zip(forms, words, strict=True)]
    assert back == texts


@settings(deadline=None, max_examples=300)
@given(st.lists(_IDS, max_size=20), st.lists(_IDS, max_size=20))
def test_ids_are_equal_in_columns_when_they_are_equal(some: list[str], more: list[str]) -> None:
    """Also in different batches."""
    ids = Ids()
    columns = [ids.read(some), ids.read(more + some)]
    seen: dict[str, tuple[int, ...]] = {}
    for texts, (forms, words) in zip((some, more + some), columns, strict=True):
        for text, form, two in zip(texts, forms.tolist(), words.tolist(), strict=True):
            assert seen.setdefault(text, (form, *two)) == (form, *two)
    assert len(set(seen.values())) == len(seen)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("c0ffee00-c0ff-ee00-c0ff-ee00c0ffee00", UUID),
        ("C0FFEE00-c0ff-ee00-c0ff-ee00c0ffee00", LONG),
        ("c0ffee00c0ffee00c0ffee00c0ffee00", HEX),
        ("c0ffee00c0ffee00c0ffee00c0ffee0G", LONG),
        ("a" * 16, SHORT),
        ("a" * 17, LONG),
        ("é" * 8, SHORT),
        ("é" * 9, LONG),
    ],
)
def test_most_ids_take_sixteen_bytes(text: str, form: int) -> None:
    assert Ids().read([text])[0].tolist() == [form]


def test_a_register_without_an_id_has_no_text() -> None:
    assert Ids().text(NO_ID, 0, 0) == ""


def test_long_ids_are_kept_once_and_only_while_they_are_used() -> None:
    ids = Ids()
    one, two, three = "a" * 40, "b" * 40, "c" * 40
    ids.read([one, two, one, three, two])
    assert ids.long == [one, two, three]
    ids.keep_only([1, 2])
    assert ids.long == [two, three]
    assert [ids.keep(text) for text in (three, two, one)] == [1, 0, 2]


_SUBJECTS = st.one_of(
    _HEX.map(lambda text: f"citizen:{text}"),
    _HEX.map(lambda text: f"citizen:{text[:-1]}G"),
    _HEX.map(lambda text: f"citizen:{text.upper()}"),
    _HEX.map(lambda text: f"Citizen:{text}"),
    _HEX.map(lambda text: f"citizen-{text}"),
    _HEX.map(lambda text: f"citizen:{text[:-1]}é"),
    st.text(min_size=40, max_size=40),
)


@settings(deadline=None)
@given(st.lists(_SUBJECTS, max_size=10))
def test_pseudonyms_are_read_as_the_words_they_are(texts: list[str]) -> None:
    words, good = read_pseudonyms(texts, "citizen:")
    for text, (high, low), read in zip(texts, words.tolist(), good.tolist(), strict=True):
        name, _, identifier = text.partition(":")
        usual = name == "citizen" and len(identifier) == 32
        assert read == (usual and not set(identifier) - set("0123456789abcdef"))
        if read:
            assert f"{high:016x}{low:016x}" == identifier
