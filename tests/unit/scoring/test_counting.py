"""Counting: only differences go to the counters, so nothing counts twice."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.core.counting import Deltas
from services.scoring.core.evaluation import NOWHERE, Standing
from tests.unit.scoring.saying import BIT_OF, CATALOGUE

_BITS = [bit.bit_length() - 1 for bit in BIT_OF.values()]


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    area_id = draw(st.sampled_from([None, "2025:02647", "2025:04252"]))
    if area_id is None:
        return NOWHERE
    population = sum(1 << bit for bit in draw(st.sets(st.sampled_from(_BITS))))
    # Whoever is in a numerator is in its population.
    return Standing(area_id, population, population & draw(st.integers(0, 2**63 - 1)))


def totals(deltas: Deltas) -> dict[tuple[str, str], tuple[int, int]]:
    return {(area, name): (top, below) for area, name, top, below in deltas.rows(CATALOGUE)}


def counted(*held: Standing) -> dict[tuple[str, str], tuple[int, int]]:
    """A plain recount of subjects that stand somewhere."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for one in held:
        for name, bit in BIT_OF.items():
            if one.area_id is not None and one.population & bit:
                top, below = found.get((one.area_id, name), (0, 0))
                satisfied = bool(one.numerator & bit)
                found[one.area_id, name] = (top + satisfied, below + 1)
    return found


@settings(deadline=None)
@given(st.lists(standings(), min_size=1, max_size=6))
def test_the_sum_of_all_differences_is_the_last_standing(path: list[Standing]) -> None:
    deltas = Deltas()
    before = NOWHERE
    for after in path:
        deltas.move(before, after)
        before = after
    assert totals(deltas) == counted(path[-1])


@settings(deadline=None)
@given(st.lists(st.lists(standings(), min_size=1, max_size=4), max_size=5))
def test_subjects_add_up(paths: list[list[Standing]]) -> None:
    deltas = Deltas()
    for path in paths:
        before = NOWHERE
        for after in path:
            deltas.move(before, after)
            before = after
    assert totals(deltas) == counted(*(path[-1] for path in paths))


def test_staying_counts_nothing() -> None:
    deltas = Deltas()
    deltas.move(Standing("2025:02647", 7, 3), Standing("2025:02647", 7, 3, due=800_000))
    assert deltas.rows(CATALOGUE) == []


def test_a_move_takes_the_old_bits_from_the_old_unit() -> None:
    smartphone = BIT_OF["ds.smartphone"]
    deltas = Deltas()
    deltas.move(
        Standing("2025:02647", smartphone, smartphone), Standing("2025:04252", smartphone, 0)
    )
    assert deltas.rows(CATALOGUE) == [
        ("2025:02647", "ds.smartphone", -1, -1),
        ("2025:04252", "ds.smartphone", 0, 1),
    ]


def test_a_bit_whose_indicator_was_given_up_is_forgotten() -> None:
    deltas = Deltas()
    deltas.move(Standing("2025:02647", 1 << 62, 1 << 62), NOWHERE)
    assert deltas.rows(CATALOGUE) == []
