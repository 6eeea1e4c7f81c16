"""Hypothesis strategies: invented lives of citizens, with ties, repetitions and late events."""

from datetime import date, timedelta
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


@st.composite
def _events(draw: st.DrawFn, furthest_days: int) -> Event:
    name = draw(st.sampled_from(sorted(_DATA)))
    # Days after the reform of 1 July 2025, on which the codes above are valid.
    day = TODAY - timedelta(days=draw(st.integers(0, furthest_days)))
    event_id = draw(st.sampled_from(["a", "b"]))
    return Event(TYPE_PREFIX + name, at_noon(day), event_id, draw(_DATA[name]))


def lives(furthest_days: int = 400, most: int = 12) -> st.SearchStrategy[list[Event]]:
    """Events about one citizen; the fewer the days, the more ties."""
    return st.lists(_events(furthest_days), max_size=most)
