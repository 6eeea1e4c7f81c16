"""Formulas agree with the plain reading of an expression, whatever it is."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import All, AnyOf, Catalogue, Expression, Not, load
from services.scoring.core.formulas import formula

NAMES = ("a", "b", "c", "d", "e")
CATALOGUE: Catalogue = load()

expressions: st.SearchStrategy[Expression] = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(all=tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(any=tuple(parts))),
        inner.map(lambda part: Not.model_validate({"not": part})),
    ),
    max_leaves=6,
)


def plainly(expression: Expression, bits: int) -> bool:
    match expression:
        case All(all=parts):
            return all(plainly(part, bits) for part in parts)
        case AnyOf(any=parts):
            return any(plainly(part, bits) for part in parts)
        case Not(negated=part):
            return not plainly(part, bits)
        case str(name):
            return bits >> NAMES.index(name) & 1 == 1
    raise AssertionError(expression)


@given(expressions)
def test_a_formula_holds_where_its_expression_does(expression: Expression) -> None:
    compiled = formula(expression, CATALOGUE, NAMES.index)
    for bits in range(1 << len(NAMES)):
        assert compiled.holds(bits) == plainly(expression, bits)


def test_what_all_must_hold_is_one_mask() -> None:
    compiled = formula(All(all=("a", "c", "e")), CATALOGUE, NAMES.index)
    assert (compiled.required, compiled.forbidden, compiled.clauses) == (0b10101, 0, ())


def test_a_contradiction_holds_nowhere() -> None:
    never = All(all=("a", Not.model_validate({"not": "a"})))
    compiled = formula(never, CATALOGUE, NAMES.index)
    assert not any(compiled.holds(bits) for bits in range(1 << len(NAMES)))
