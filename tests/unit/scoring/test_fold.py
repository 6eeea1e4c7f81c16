"""The fold: the same events in any order, any number of times, in any batches, give the same facts."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.subjects import SubjectKind
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState
from services.scoring.core.subjects import Subjects, Writes
from services.scoring.core.texts import NO_ID, Ids
from tests.unit.scoring.catalogues import changed, no_health_records
from tests.unit.scoring.lives import Told, lives, repeated, several_lives
from tests.unit.scoring.saying import (
    AREAS,
    CATALOGUE,
    RULES,
    TODAY,
    Event,
    Facts,
    Key,
    content,
    counted,
    event,
    facts,
    facts_of_all,
    fold,
    read,
    record,
    take,
)

CITIZEN = SubjectKind.CITIZEN
CITIZENS = CATALOGUE.by_kind[CITIZEN]
NEW = {"level": 2, "activated": True}
EID = 4


def folded(batches: Iterable[list[Told]]) -> ShardState:
    """A shard that has taken these batches."""
    state = ShardState(RULES)
    for batch in batches:
        take(state, [record(CITIZEN, one, number) for number, one in batch])
    return state


def known(state: ShardState) -> dict[Key, Facts]:
    return facts_of_all(state.subjects[CITIZEN])


def plainly(told: Iterable[Told]) -> dict[Key, Facts]:
    """The facts as the catalogue describes them: of each, the event that comes last."""
    found: dict[Key, Facts] = {}
    for number, one in told:
        for fact in CITIZENS.facts:
            asked = all(one.data.get(name) == value for name, value in fact.where.items())
            if fact.event_type != one.type or not asked:
                continue
            kept = fact.keeps == "latest"
            register = (one.time, one.id if kept else "", one.data if kept else {})
            mine = found.setdefault((0, number), {})
            mine[fact.slot] = max(register, mine.get(fact.slot, register), key=order)
    return found


def order(register: tuple[int, str, dict[str, object]]) -> tuple[int, str, str]:
    """By time, then by id, then by canonical data."""
    moment, event_id, data = register
    # Of these data, JSON is canonical when names are in order and nothing stands between them.
    said = ",".join(f'"{name}":{_json(value)}' for name, value in sorted(data.items()))
    return moment, event_id, f"{{{said}}}"


def _json(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@settings(deadline=None)
@given(several_lives())
def test_the_facts_are_the_last_of_each_kind(told: list[Told]) -> None:
    assert known(folded([told])) == plainly(told)


@settings(deadline=None)
@given(several_lives(), st.data())
def test_any_order_any_number_of_times_in_any_batches(
    told: list[Told], data: st.DataObject
) -> None:
    whole = folded([told])
    pieces = folded(data.draw(repeated(told)))
    assert content(pieces) == content(whole)
    for state in (whole, pieces):
        assert (state.counts == state.recount()).all()
    assert counted(pieces.counts) == counted(whole.counts)


@settings(deadline=None)
@given(several_lives(), st.integers(0, 24))
def test_two_halves_merge_to_the_whole(told: list[Told], cut: int) -> None:
    """Registers merge slot by slot, so subjects folded in two places can be made one."""
    merged = ShardState(RULES)
    for half in (told[:cut], told[cut:]):
        merged.restore(folded([half]).snapshot())
    assert known(merged) == known(folded([told]))


@settings(deadline=None)
@given(several_lives(), several_lives())
def test_a_fold_tells_what_has_changed(before: list[Told], told: list[Told]) -> None:
    """The subjects and registers that changed, and writes that would do the same alone."""
    ids = Ids()
    one, other = Subjects(CITIZENS, ids), Subjects(CITIZENS, ids)
    for events in (before, told):
        writes = read([record(CITIZEN, said, number) for number, said in events], ids).writes
        if CITIZEN not in writes:
            continue
        former = facts_of_all(one)
        rows, targets, whose = one.fold(writes[CITIZEN])
        now = facts_of_all(one)
        changed = {
            (key, slot)
            for key, mine in now.items()
            for slot, register in mine.items()
            if former.get(key, {}).get(slot) != register
        }
        key_of = [(int(high), int(low)) for high, low in one.keys]
        assert {(key_of[at // one.width], at % one.width) for at in targets} == changed
        taken = whose >= 0
        assert len(targets) == len(changed) == taken.sum()
        assert (one.keys[whose[taken]] == writes[CITIZEN].keys[taken]).all()
        assert [key_of[row] for row in rows] == sorted(
            {key for key, _ in changed}, key=key_of.index
        )
        other.fold(writes[CITIZEN].chosen(taken))
        assert facts_of_all(other) == {key: mine for key, mine in now.items() if mine}


@settings(deadline=None)
@given(lives(furthest_days=2))
def test_a_shard_tells_whether_anything_has_changed(life: list[Event]) -> None:
    state = ShardState(RULES)
    for one in life:
        before = known(state)
        change = take(state, [record(CITIZEN, one)])
        assert change.subjects == (known(state) != before)
        assert bool(change.packed) == (known(state) != before)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("turned", [True, False])
class TestTies:
    """Two events of one fact in the same microsecond, in one batch or two, in either order."""

    def held(self, one: Event, other: Event, together: bool, turned: bool) -> Facts:
        told = [(1, other), (1, one)] if turned else [(1, one), (1, other)]
        return known(folded([told] if together else [told[:1], told[1:]]))[0, 1]

    def test_the_greater_id_holds(self, together: bool, turned: bool) -> None:
        one = event("identity.eid-changed.v1", NEW, event_id="b")
        other = event("identity.eid-changed.v1", {"level": 0, "activated": False}, event_id="a")
        assert self.held(one, other, together, turned)[EID] == (one.time, "b", NEW)

    def test_with_the_same_id_the_greater_canonical_data_hold(
        self, together: bool, turned: bool
    ) -> None:
        """`{"activated":true,"level":0}` comes after `{"activated":false,"level":2}`."""
        one = event("identity.eid-changed.v1", {"level": 2, "activated": False})
        other = event("identity.eid-changed.v1", {"level": 0, "activated": True})
        assert self.held(one, other, together, turned)[EID] == (one.time, "e", other.data)

    @pytest.mark.parametrize(
        ("greater", "less"),
        [
            # As the store orders them: by code points, where UTF-16 would turn these about.
            ("\U0001f600", "\ue000"),
            ("é", "e"),
            ("ab", "a"),
            ("b", "a" * 100),
            # Ids of different forms: UUIDs, 32 hexadecimal digits, short and long ones.
            ("c0ffee00-c0ff-ee00-c0ff-ee00c0ffee01", "c0ffee00-c0ff-ee00-c0ff-ee00c0ffee00"),
            ("c0ffee00c0ffee00c0ffee00c0ffee00", "c0ffee00-c0ff-ee00-c0ff-ee00c0ffee00"),
            ("c0ffee00-c0ff-ee00-c0ff-ee00c0ffee00", "C0FFEE00-C0FF-EE00-C0FF-EE00C0FFEE00"),
            ("d", "c0ffee00c0ffee00c0ffee00c0ffee00"),
            ("c0ffee00c0ffee00c0ffee00c0ffee00", "c0ffee00c0ffee00"),
            ("z" * 17, "z" * 16),
            ("x" * 60 + "b", "x" * 60 + "a"),
        ],
    )
    def test_ids_are_ordered_by_code_points(
        self, greater: str, less: str, together: bool, turned: bool
    ) -> None:
        one = event("identity.eid-changed.v1", {"level": 0, "activated": False}, event_id=greater)
        other = event("identity.eid-changed.v1", NEW, event_id=less)
        assert self.held(one, other, together, turned)[EID] == (one.time, greater, one.data)


def test_of_many_at_the_same_time_the_greatest_holds() -> None:
    told = [
        (number, event("identity.eid-changed.v1", {"level": level, "activated": active}, 3, name))
        for number in range(3)
        for name in "acb"
        for level in (2, 0)
        for active in (False, True)
    ]
    earlier = [(number, event("identity.eid-changed.v1", NEW, 4, "z")) for number in range(3)]
    held = known(folded([told + earlier]))
    assert [mine[EID][1:] for mine in held.values()] == [("c", NEW)] * 3


def test_a_submission_sets_one_fact_and_a_self_service_one_another() -> None:
    any_submission, self_service = 8, 9
    name, portal = "public-service.dossier-submitted.v1", {"portal": "national"}
    aided = event(name, portal | {"self_service": False}, days_ago=1)
    unaided = event(name, portal | {"self_service": True}, days_ago=9)
    found = facts(fold(CITIZEN, [aided, unaided]), CITIZEN)
    assert found == {
        any_submission: (aided.time, "", {}),
        self_service: (unaided.time, "", {}),
    }


def test_an_event_that_no_fact_comes_from_changes_nothing() -> None:
    record_active = event("health.record-changed.v1", {"active": True})
    assert facts(fold(CITIZEN, [record_active]), CITIZEN)
    rules = Rules(changed(no_health_records), AREAS)
    assert facts(fold(CITIZEN, [record_active], rules=rules), CITIZEN) == {}


def keyed(high: int, low: int, moment: int, slot: int = EID) -> Writes:
    """One write about the subject of some key."""
    return Writes(
        np.array([[high, low]], np.uint64),
        np.array([slot]),
        np.array([moment]),
        np.array([NO_ID], np.uint8),
        np.zeros((1, 2), np.uint64),
        np.zeros(1, np.int64),
    )


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 2**63, 2**64 - 1]),
            st.sampled_from([0, 1, 2, 2**64 - 1]),
            st.integers(0, 5),
            st.sampled_from([0, EID, 21]),
        ),
        max_size=30,
    ),
    st.lists(st.integers(0, 30), max_size=3),
)
def test_keys_with_the_same_first_word_are_different_subjects(
    told: list[tuple[int, int, int, int]], cuts: list[int]
) -> None:
    subjects = Subjects(CITIZENS, Ids())
    expected: dict[Key, dict[int, int]] = {}
    bounds = [0, *sorted(cuts), len(told)]
    for first, last in pairwise(bounds):
        if told[first:last]:
            subjects.fold(Writes.joined([keyed(*one) for one in told[first:last]]))
    for high, low, moment, slot in told:
        mine = expected.setdefault((high, low), {})
        mine[slot] = max(moment, mine.get(slot, moment))
    found = {
        key: {slot: moment for slot, (moment, _, _) in mine.items()}
        for key, mine in facts_of_all(subjects).items()
    }
    assert found == expected
    keys = np.array([*expected, (7, 7)], np.uint64)
    rows = subjects.find(keys)
    assert (subjects.keys[rows[:-1]] == keys[:-1]).all()
    assert rows[-1] == -1


def test_an_empty_batch_changes_nothing() -> None:
    change = ShardState(RULES).take({}, TODAY.toordinal())
    assert (change.packed, change.subjects, len(change.differences.units)) == (b"", 0, 0)
