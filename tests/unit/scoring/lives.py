"""Hypothesis strategies: invented lives of citizens, with ties, repetitions and late events."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from contracts.events import TYPE_PREFIX
from tests.unit.scoring.saying import TODAY, Event, at_noon

_BIRTHS = st.one_of(
    st.sampled_from(["2011-11-22", "2012-02-29", "2008-11-24", "1966-12-01", "2026-11-01"]),
    st.dates(date(1930, 1, 1), TODAY).map(date.isoformat),
)

_DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "identity.citizen-registered.v1": st.fixed_dictionaries(
        {"birth_date": _BIRTHS, "area": st.just("02647")},
        optional={"party_member": st.booleans()},
    ),
    "identity.residence-changed.v1": st.fixed_dictionaries({"area": st.just("04252")}),
    "identity.citizen-departed.v1": st.just({"reason": "died"}),
    "identity.party-membership-changed.v1": st.fixed_dictionaries({"member": st.booleans()}),
    "identity.eid-changed.v1": st.fixed_dictionaries(
        {"level": st.integers(0, 2), "activated": st.booleans()}
    ),
    "public-service.dossier-submitted.v1": st.fixed_dictionaries(
        {"portal": st.just("national"), "self_service": st.booleans()}
    ),
    "public-service.account-changed.v1": st.fixed_dictionaries(
        {"portal": st.sampled_from(["national", "provincial"]), "active": st.booleans()}
    ),
    "payment.transaction-completed.v1": st.just({"method": "card", "purpose": "fee"}),
    "telecom.subscription-changed.v1": st.fixed_dictionaries(
        {"own_name": st.booleans(), "smartphone": st.booleans(), "internet": st.booleans()}
    ),
    "community.handbook-changed.v1": st.fixed_dictionaries({"active": st.booleans()}),
}


_FEW_IDS = st.sampled_from(["a", "b"])

#: Ids of all forms that columns know: short and long texts, UUIDs, 32 digits, and what is like them.
IDS: st.SearchStrategy[str] = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda one: str(one).upper()),
    st.uuids().map(lambda one: one.hex),
    st.uuids().map(lambda one: one.hex.upper()),
    st.text("ab", min_size=1, max_size=40),
    st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30
    ),
)

#: Whom an event is about, by number, and the event.
Told = tuple[int, Event]


@st.composite
def _events(draw: st.DrawFn, furthest_days: int, ids: st.SearchStrategy[str]) -> Event:
    name = draw(st.sampled_from(sorted(_DATA)))
    # Days after the reform of 1 July 2025, on which the codes above are valid.
    day = TODAY - timedelta(days=draw(st.integers(0, furthest_days)))
    return Event(TYPE_PREFIX + name, at_noon(day), draw(ids), draw(_DATA[name]))


def lives(
    furthest_days: int = 400, most: int = 12, ids: st.SearchStrategy[str] = _FEW_IDS
) -> st.SearchStrategy[list[Event]]:
    """Events about one citizen; the fewer the days, the more ties."""
    return st.lists(_events(furthest_days, ids), max_size=most)


@st.composite
def several_lives(
    draw: st.DrawFn, furthest_days: int = 2, ids: st.SearchStrategy[str] = _FEW_IDS
) -> list[Told]:
    """Events about three citizens, mixed; by default within two days, so that there are ties."""
    one_life = lives(furthest_days, 8, ids)
    told = [(number, one) for number in range(3) for one in draw(one_life)]
    return draw(st.permutations(told))


@st.composite
def in_batches(draw: st.DrawFn, told: list[Told]) -> list[list[Told]]:
    """The same events in the same order, in batches."""
    cuts = draw(st.sets(st.integers(0, len(told)), max_size=4))
    return [told[first:last] for first, last in pairwise([0, *sorted(cuts), len(told)])]


@st.composite
def repeated(draw: st.DrawFn, told: list[Told]) -> list[list[Told]]:
    """The same events in another order, some of them again, in batches."""
    again = draw(st.lists(st.sampled_from(told), max_size=6)) if told else []
    return draw(in_batches(draw(st.permutations(told + again))))
