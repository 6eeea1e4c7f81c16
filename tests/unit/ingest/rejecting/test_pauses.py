"""A source of which more than half is refused is paused, and nobody else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from contracts.tokens import Principal, Role
from services.ingest.core.windows import LEAST_RECORDS, Window
from services.ingest.pauses import Pause, Pauses

A, B, FOREIGN = "urn:nhipso:source:a", "urn:nhipso:source:b", "urn:nhipso:source:foreign"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def _caller(*sources: str) -> Principal:
    return Principal(sub="somebody", role=Role.SOURCE, sources=frozenset(sources))


def _latest(batches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The fewest latest batches with enough records, counted the slow way."""
    found: list[tuple[int, int]] = []
    for batch in reversed(batches):
        if sum(accepted + refused for accepted, refused in found) >= LEAST_RECORDS:
            break
        found.append(batch)
    return found


_COUNTS = st.one_of(st.integers(0, 3), st.integers(0, 700), st.sampled_from([500, 1000, 5000]))


@given(st.lists(st.tuples(_COUNTS, _COUNTS).filter(any), max_size=60))
def test_a_window_counts_the_latest_batches_exactly(batches: list[tuple[int, int]]) -> None:
    window = Window()
    for count, (accepted, refused) in enumerate(batches, start=1):
        window.add(accepted, refused)
        latest = _latest(batches[:count])
        assert window.counted == sum(a + r for a, r in latest)
        assert window.refused == sum(r for _, r in latest)
        enough = window.counted >= LEAST_RECORDS
        assert window.is_mostly_refused == (enough and window.refused > window.counted / 2)


@given(st.lists(st.booleans(), min_size=1, max_size=2_500))
def test_records_that_come_singly_are_counted_over_exactly_the_last_thousand(
    refused: list[bool],
) -> None:
    window = Window()
    for count, is_refused in enumerate(refused, start=1):
        window.add(not is_refused, is_refused)
        last = refused[max(0, count - LEAST_RECORDS) : count]
        assert (window.counted, window.refused) == (len(last), sum(last))


_EVENTS = st.lists(st.tuples(st.sampled_from([A, B, FOREIGN, None]), st.booleans()), max_size=900)


@given(st.lists(_EVENTS, max_size=8))
def test_a_source_is_paused_exactly_when_most_of_its_window_was_refused(
    requests: list[list[tuple[str | None, bool]]],
) -> None:
    pauses, windows = Pauses(), {A: Window(), B: Window()}
    paused: set[str] = set()
    for events in requests:
        accepted = [source for source, is_taken in events if is_taken and source is not None]
        refused = [source for source, is_taken in events if not is_taken]
        pauses.note(_caller(A, B), accepted=accepted, refused=refused)
        for source in {A, B} - paused:
            if source in accepted or source in refused:
                windows[source].add(accepted.count(source), refused.count(source))
            if windows[source].is_mostly_refused:
                paused.add(source)
    assert pauses.among([A, B, FOREIGN]) == paused
    assert (pauses.paused([A, B]) is not None) == (paused == {A, B})


def test_half_is_not_more_than_half() -> None:
    pauses = Pauses()
    pauses.note(_caller(A), accepted=[A] * 500, refused=[A] * 500)
    assert pauses.paused([A]) is None
    pauses.note(_caller(A), accepted=[], refused=[A])
    # One record of the first batch is still needed, so all of it still counts.
    assert pauses.paused([A]) is not None


def test_fewer_than_a_thousand_records_pause_nobody() -> None:
    pauses = Pauses()
    pauses.note(_caller(A), accepted=[], refused=[A] * 999)
    assert pauses.paused([A]) is None
    assert not pauses.begun_one.is_set()


def test_a_source_that_the_caller_may_not_use_is_not_paused() -> None:
    pauses = Pauses()
    pauses.note(_caller(A), accepted=[], refused=[B] * 5_000)
    pauses.note(_caller(A), accepted=[], refused=[None] * 5_000)
    assert pauses.among([A, B]) == frozenset()


def test_one_bad_source_of_a_token_does_not_pause_the_others() -> None:
    pauses = Pauses()
    pauses.note(_caller(A, B), accepted=[B] * 10, refused=[A] * 1_000)
    assert pauses.paused([A, B]) is None
    assert pauses.among([A, B]) == {A}
    why = pauses.paused([A])
    assert why is not None
    assert A in why
    assert "1,000" in why


def test_nobody_is_paused_who_has_no_source() -> None:
    assert Pauses().paused([]) is None


def _pause(number: int, *, ended: bool = False) -> Pause:
    pause = Pause(number, A, NOW, counted=1_000, refused=600, ended_at=None, ended_by=None)
    return replace(pause, ended_at=NOW, ended_by="an operator") if ended else pause


def test_a_pause_stands_until_it_is_written_and_then_as_long_as_postgresql_says() -> None:
    pauses = Pauses()
    pauses.note(_caller(A), accepted=[], refused=[A] * 1_000)
    pauses.know([], written=[])
    assert pauses.paused([A]) is not None
    begun = pauses.begun()
    assert [(one.source, one.counted, one.refused, one.after) for one in begun] == [
        (A, 1_000, 1_000, 0)
    ]
    pauses.know([_pause(1)], written=begun)
    assert pauses.begun() == []
    why = pauses.paused([A])
    assert why is not None
    assert "2026-11-22" in why
    pauses.know([_pause(1, ended=True)], written=[])
    assert pauses.paused([A]) is None


def test_counting_starts_anew_after_a_pause_whoever_began_it() -> None:
    pauses = Pauses()
    pauses.note(_caller(A), accepted=[], refused=[A] * 999)
    # It began and ended in another process, between two looks of this one.
    pauses.know([_pause(7, ended=True)], written=[])
    pauses.note(_caller(A), accepted=[], refused=[A] * 999)
    assert pauses.paused([A]) is None
    pauses.note(_caller(A), accepted=[], refused=[A])
    assert [one.after for one in pauses.begun()] == [7]


def test_what_was_on_its_way_when_the_pause_began_does_not_count_after_it() -> None:
    pauses = Pauses()
    pauses.know([_pause(1)], written=[])
    pauses.note(_caller(A), accepted=[], refused=[A] * 5_000)
    pauses.know([_pause(1, ended=True)], written=[])
    pauses.note(_caller(A), accepted=[], refused=[A] * 999)
    assert pauses.paused([A]) is None
