"""What is stored of a shard is read back to the same state, whole or in pieces, also later on."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.areas import Area, Areas
from contracts.subjects import SubjectKind
from services.scoring.core.coding import coding
from services.scoring.core.packing import Pack, PackError, decode, encode
from services.scoring.core.reading import Reader
from services.scoring.core.rules import Rules
from services.scoring.core.state import ShardState
from tests.unit.scoring.catalogues import (
    Edit,
    changed,
    no_health_records,
    no_households,
    no_telehealth,
)
from tests.unit.scoring.lives import IDS, Told, in_batches, several_lives
from tests.unit.scoring.saying import (
    AREAS,
    CATALOGUE,
    NOWHERE,
    RULES,
    TODAY,
    Content,
    content,
    counted,
    event,
    fold,
    record,
    standings_of,
    take,
)

CITIZEN, HOUSEHOLD = SubjectKind.CITIZEN, SubjectKind.HOUSEHOLD
LIVES = several_lives(furthest_days=400, ids=IDS)
FIBRE = {"area": "02647", "covered": True, "subscribed": False}


def restored(*stored: Sequence[bytes], rules: Rules = RULES) -> ShardState:
    """A state that has taken in what is stored, some of it at a time."""
    state = ShardState(rules)
    for some in stored:
        state.restore(some)
    return state


def taken(state: ShardState, batches: Iterable[list[Told]]) -> list[bytes]:
    """Let a shard take batches; what it writes to the journal."""
    journal = []
    for batch in batches:
        change = take(state, [record(CITIZEN, one, number) for number, one in batch])
        journal.append(change.packed)
    return [packed for packed in journal if packed]


@settings(deadline=None)
@given(LIVES)
def test_a_snapshot_is_read_back(told: list[Told]) -> None:
    state = ShardState(RULES)
    taken(state, [told])
    back = restored(list(state.snapshot()))
    assert content(back) == content(state)
    assert (back.recount() == state.counts).all()
    assert back.due() == state.due()


@settings(deadline=None)
@given(LIVES, st.data())
def test_a_journal_is_read_back_whole_or_in_pieces(told: list[Told], data: st.DataObject) -> None:
    state = ShardState(RULES)
    journal = taken(state, data.draw(in_batches(told)))
    cuts = data.draw(st.sets(st.integers(0, len(journal)), max_size=3))
    pieces = [journal[a:b] for a, b in pairwise([0, *sorted(cuts), len(journal)])]
    for back in (restored(journal), restored(*pieces)):
        assert content(back) == content(state)
        assert (back.recount() == state.counts).all()


@settings(deadline=None)
@given(LIVES, st.data())
def test_a_journal_goes_on_from_a_snapshot(told: list[Told], data: st.DataObject) -> None:
    state = ShardState(RULES)
    snapshot: list[bytes] = []
    journal: list[bytes] = []
    for batch in data.draw(in_batches(told)):
        journal += taken(state, [batch])
        if data.draw(st.booleans()):
            snapshot, journal = list(state.snapshot()), []
    days = data.draw(st.integers(0, 400))
    packed = state.step((TODAY + timedelta(days=days)).toordinal()).packed
    back = restored(snapshot, journal + [packed] * bool(packed))
    assert content(back) == content(state)
    assert (back.recount() == state.counts).all()
    # Both go on alike.
    more = record(
        CITIZEN, event("identity.residence-changed.v1", {"area": "04252"}, 0, "z" * 50), 1
    )
    take(state, [more])
    take(back, [more])
    assert content(back) == content(state)


@settings(deadline=None)
@given(LIVES, st.data())
def test_entries_of_a_journal_give_the_same_facts_in_any_order(
    told: list[Told], data: st.DataObject
) -> None:
    state = ShardState(RULES)
    journal = taken(state, data.draw(in_batches(told)))
    back = restored(data.draw(st.permutations(journal)), journal)
    assert content(back) == content(state)


@settings(deadline=None, max_examples=50)
@given(LIVES, LIVES, st.data())
def test_long_ids_that_nothing_holds_any_more_are_forgotten(
    before: list[Told], told: list[Told], data: st.DataObject
) -> None:
    batches = [before, *data.draw(in_batches(told))]
    plain, tidy = ShardState(RULES), ShardState(RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.scoring.core.state._MANY_LONG", 0)
        tidy._tidied = 0
        journals = [taken(tidy, [batch]) for batch in batches]
    assert [taken(plain, [batch]) for batch in batches] == journals
    assert content(tidy) == content(plain)
    assert set(tidy.ids.long) <= set(plain.ids.long)
    assert content(restored([one for journal in journals for one in journal])) == content(plain)


def test_a_snapshot_has_parts_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.scoring.core.state.PART", 2)
    state = ShardState(RULES)
    moved = event("identity.residence-changed.v1", {"area": "04252"}, event_id="x" * 40)
    take(state, [record(CITIZEN, moved, number) for number in range(5)])
    take(state, [record(HOUSEHOLD, event("telecom.fibre-changed.v1", FIBRE), 9)])
    parts = list(state.snapshot())
    assert [len(decode(part)[0].keys) // 16 for part in parts] == [2, 2, 1, 1]
    assert content(restored(parts)) == content(state)
    assert content(restored(*([part] for part in parts))) == content(state)


def test_nothing_is_stored_of_nobody() -> None:
    assert list(ShardState(RULES).snapshot()) == []
    assert content(restored([])) == {}


# What the contract, the catalogue or the units say otherwise by now.


def formerly(stored: bytes, *, fingerprint: str = "former") -> bytes:
    """A pack as it was when fields stood in the opposite order, each with a bit to spare."""
    packs = decode(stored)
    for pack in packs:
        rules = CATALOGUE.by_kind[SubjectKind(pack.kind)]
        types = {fact.slot: fact.event_type for fact in rules.facts if fact.keeps == "latest"}
        codes = np.frombuffer(pack.codes, "<i8").tolist()
        slots = np.frombuffer(pack.slots, "<u1").tolist()
        for at, slot in enumerate(slots):
            if slot in types:
                now = {place.name: place for place in coding(types[slot]).places}
                codes[at] = sum(
                    (codes[at] >> now[name].shift & now[name].mask) << shift
                    for name, shift, _, _ in former_fields(types[slot])
                )
        pack.codes = np.array(codes, "<i8").tobytes()
        pack.layout = fingerprint
    return encode(packs)


def former_fields(event_type: str) -> list[tuple[str, int, int, str]]:
    found = []
    shift = 0
    for place in reversed(coding(event_type).places):
        found.append((place.name, shift, place.bits + 1, place.kind))
        shift += place.bits + 1
    return found


def former_layout(*without: tuple[str, int]) -> bytes:
    """The layout of `formerly`, but that the data of some (kind, slot) were not kept."""
    return msgspec.msgpack.encode(
        {
            rules.kind.value: {
                fact.slot: former_fields(fact.event_type)
                for fact in rules.facts
                if fact.keeps == "latest" and (rules.kind.value, fact.slot) not in without
            }
            for rules in CATALOGUE.subjects
        }
    )


LEARNT = Rules(CATALOGUE, AREAS)
LEARNT.layouts.know("former", former_layout())


@settings(deadline=None, max_examples=50)
@given(LIVES)
def test_what_was_coded_otherwise_is_read(told: list[Told]) -> None:
    state = ShardState(RULES)
    taken(state, [told])
    stored = [formerly(part) for part in state.snapshot()]
    assert content(restored(stored, rules=LEARNT)) == content(state)


def test_a_layout_that_nobody_knows_is_told() -> None:
    state = fold(CITIZEN, [event("identity.residence-changed.v1", {"area": "04252"})])
    stored = [formerly(part, fingerprint="unknown") for part in state.snapshot()]
    with pytest.raises(PackError, match="layout unknown, which is not in the store"):
        restored(stored)


def test_data_that_were_not_kept_once_say_nothing() -> None:
    level_2 = event("identity.eid-changed.v1", {"level": 2, "activated": True})
    state = fold(CITIZEN, [level_2])
    rules = Rules(CATALOGUE, AREAS)
    rules.layouts.know("former", former_layout(("citizen", 4)))
    back = restored([formerly(part) for part in state.snapshot()], rules=rules)
    ((known, _),) = content(back).values()
    assert known == {4: (level_2.time, "e", {})}


def also_care(said: dict[str, Any]) -> None:
    """A fact beyond all others, of which only the last time is kept."""
    citizen = next(one for one in said["subjects"] if one["kind"] == "citizen")
    care = {"name": "care", "slot": 40, "event": "health.teleconsultation-completed.v1"}
    citizen["facts"].append(care | {"keeps": "last-time", "where": {"mode": "care"}})


def also_records_beyond(said: dict[str, Any]) -> None:
    """A fact beyond all others, of which the data are kept."""
    citizen = next(one for one in said["subjects"] if one["kind"] == "citizen")
    citizen["facts"].append({"name": "more", "slot": 40, "event": "health.record-changed.v1"})


@pytest.mark.parametrize("beyond", [also_care, also_records_beyond])
@pytest.mark.parametrize("many", [1, 3])
def test_facts_that_a_catalogue_has_given_up_are_left_out(beyond: Edit, many: int) -> None:
    larger = Rules(changed(beyond), AREAS)
    state = ShardState(larger)
    told = [
        event("health.teleconsultation-completed.v1", {"mode": "care"}),
        event("health.record-changed.v1", {"active": True}),
        event("identity.residence-changed.v1", {"area": "04252"}),
    ]
    values = [record(CITIZEN, one, number) for number in range(many) for one in told]
    state.take(Reader(larger).read(values, state.ids).writes, TODAY.toordinal())
    assert all(40 in known for known, _ in content(state, larger).values())
    smaller = Rules(CATALOGUE, AREAS)
    smaller.layouts.know(larger.layouts.fingerprint, larger.layouts.stored)
    back = content(restored(list(state.snapshot()), rules=smaller))
    expected = content(fold_all(values))
    assert {key: known for key, (known, _) in back.items()} == {
        key: known for key, (known, _) in expected.items()
    }


def fold_all(values: list[bytes]) -> ShardState:
    state = ShardState(RULES)
    take(state, values)
    return state


SMALLER = [Rules(changed(edit), AREAS) for edit in (no_health_records, no_telehealth)]


@pytest.mark.parametrize("rules", SMALLER, ids=["no health records", "no telehealth"])
@settings(deadline=None, max_examples=40)
@given(told=LIVES)
def test_a_smaller_catalogue_keeps_all_other_facts(rules: Rules, told: list[Told]) -> None:
    rules.layouts.know(RULES.layouts.fingerprint, RULES.layouts.stored)
    state = ShardState(RULES)
    taken(state, [told])
    slots = {fact.slot for fact in rules.catalogue.by_kind[CITIZEN].facts}
    back = content(restored(list(state.snapshot()), rules=rules))
    assert {key: known for key, (known, _) in back.items()} == {
        key: {slot: one for slot, one in known.items() if slot in slots}
        for key, (known, _) in content(state).items()
    }


def test_units_are_stored_by_their_ids() -> None:
    """So that a list of units in another order, or without some, is no matter."""

    def unit(area_id: str) -> Area:
        return Area(
            area_id, area_id[2:], "Xã Ví Dụ", "commune", "a:15", None, None, None, None, None
        )

    top = Area("a:15", "15", "Tỉnh Ví Dụ", "province", None, None, None, None, None, None)
    one, two = unit("a:00001"), unit("a:00002")
    before = Rules(CATALOGUE, Areas([top, one, two], []))
    state = ShardState(before)
    values = [
        record(HOUSEHOLD, event("telecom.fibre-changed.v1", FIBRE | {"area": code}), number)
        for number, code in enumerate(("00001", "00002"))
    ]
    state.take(Reader(before).read(values, state.ids).writes, TODAY.toordinal())
    stored = list(state.snapshot())
    turned = Rules(CATALOGUE, Areas([two, one, top], []))
    back = restored(stored, rules=turned)
    assert content(back, turned) == content(state, before)
    assert counted(back.recount(), turned) == counted(state.counts, before)
    fewer = Rules(CATALOGUE, Areas([top, two], []))
    stood = standings_of(restored(stored, rules=fewer).subjects[HOUSEHOLD].standings, fewer)
    assert sorted(one.area_id or "" for one in stood) == ["", "a:00002"]
    assert NOWHERE.area_id is None


@pytest.mark.parametrize(
    "stored",
    [b"", b"\xff", b"\xc1", b"{}", msgspec.msgpack.encode("text"), msgspec.msgpack.encode([[1]])],
)
def test_foreign_bytes_are_told(stored: bytes) -> None:
    with pytest.raises(PackError, match="stored state cannot be read"):
        restored([stored])


def one_pack() -> Pack:
    state = fold(CITIZEN, [event("identity.residence-changed.v1", {"area": "04252"})])
    ((pack,),) = [decode(part) for part in state.snapshot()]
    return pack


def test_bytes_that_are_cut_off_are_told() -> None:
    whole = encode([one_pack()])
    for length in range(0, len(whole), 7):
        with pytest.raises(PackError):
            restored([whole[:length]])


def test_a_form_of_another_version_is_told() -> None:
    pack = one_pack()
    pack.form = 2
    with pytest.raises(PackError, match="has the form 2, this version reads 1"):
        restored([encode([pack])])


def test_a_kind_of_subject_that_a_catalogue_has_given_up_is_left_out() -> None:
    state = fold(HOUSEHOLD, [event("telecom.fibre-changed.v1", FIBRE)])
    take(state, [record(CITIZEN, event("community.handbook-changed.v1", {"active": True}))])
    rules = Rules(changed(no_households), AREAS)
    rules.layouts.know(RULES.layouts.fingerprint, RULES.layouts.stored)
    back: Content = content(restored(list(state.snapshot()), rules=rules), rules)
    assert {kind for kind, _ in back} == {CITIZEN}
