"""The fold: the same events in any order, any number of times, give the same facts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.subjects import SubjectKind
from services.scoring.core.facts import Change, Register, later, latest, pack, unpack
from tests.unit.scoring.lives import lives
from tests.unit.scoring.saying import EVALUATORS, change, fold

CITIZEN = SubjectKind.CITIZEN
TABLE = EVALUATORS[CITIZEN].table


@settings(deadline=None)
@given(lives(furthest_days=2), st.data())
def test_any_order_and_any_number_of_times(life: list[Change], data: st.DataObject) -> None:
    repeated = life + data.draw(
        st.lists(st.sampled_from(life), max_size=5) if life else st.just([])
    )
    shuffled = data.draw(st.permutations(repeated))
    assert pack(fold(CITIZEN, list(shuffled))) == pack(fold(CITIZEN, life))


@settings(deadline=None)
@given(lives(furthest_days=2), st.integers(0, 12))
def test_two_halves_merge_to_the_whole(life: list[Change], cut: int) -> None:
    """Registers merge slot by slot, so a subject folded in two places can be made one."""
    one, other = fold(CITIZEN, life[:cut]), fold(CITIZEN, life[cut:])
    merged = [latest([mine, theirs]) for mine, theirs in zip(one, other, strict=True)]
    assert merged == fold(CITIZEN, life)


@settings(deadline=None)
@given(lives(furthest_days=2))
def test_a_fold_tells_whether_anything_changed(life: list[Change]) -> None:
    facts = TABLE.empty()
    for one in life:
        before = pack(facts)
        assert TABLE.fold(facts, one) == (pack(facts) != before)


@settings(deadline=None)
@given(lives())
def test_packed_facts_are_read_back(life: list[Change]) -> None:
    facts = fold(CITIZEN, life)
    assert unpack(pack(facts), TABLE.width) == facts


def test_facts_packed_by_a_smaller_catalogue_are_widened() -> None:
    stored = pack([Register(1, "a", {"active": True})])
    assert unpack(stored, 3) == [Register(1, "a", {"active": True}), None, None]


def test_facts_packed_by_a_larger_catalogue_keep_what_is_not_known_here() -> None:
    stored = pack([None, None, Register(1)])
    assert pack(unpack(stored, 1)) == stored


def test_of_two_at_the_same_time_the_greater_id_holds() -> None:
    data = {"level": 2, "activated": True}
    one = change("identity.eid-changed.v1", data, event_id="b")
    other = change("identity.eid-changed.v1", {"level": 0, "activated": False}, event_id="a")
    assert fold(CITIZEN, [one, other])[4] == Register(one.time, "b", data)


def test_of_two_with_the_same_time_and_id_the_greater_canonical_data_hold() -> None:
    """`{"activated":true,"level":0}` comes after `{"activated":false,"level":2}`."""
    one = change("identity.eid-changed.v1", {"level": 2, "activated": False})
    other = change("identity.eid-changed.v1", {"level": 0, "activated": True})
    assert fold(CITIZEN, [one, other]) == fold(CITIZEN, [other, one])
    assert fold(CITIZEN, [one, other])[4] == Register(one.time, "e", dict(other.data))


def test_ids_are_ordered_by_code_points_as_the_store_orders_them() -> None:
    private_use, beyond_the_basic_plane = "\ue000", "\U0001f600"
    assert later(Register(1, beyond_the_basic_plane), Register(1, private_use))


def test_a_submission_sets_one_fact_and_a_self_service_one_another() -> None:
    any_submission, self_service = 8, 9
    aided = change("public-service.dossier-submitted.v1", {"self_service": False}, days_ago=1)
    unaided = change("public-service.dossier-submitted.v1", {"self_service": True}, days_ago=9)
    facts = fold(CITIZEN, [aided, unaided])
    assert facts[any_submission] == Register(aided.time)
    assert facts[self_service] == Register(unaided.time)


def test_an_event_that_no_fact_of_the_kind_comes_from_changes_nothing() -> None:
    assert not TABLE.fold(TABLE.empty(), change("registry.subject-closed.v1", {"reason": "x"}))
