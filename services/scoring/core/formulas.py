"""Formulas: the catalogue's expressions over conditions, as tests of bits.

Each condition is a bit. An expression is brought into conjunctive normal form: every clause must
have one of its wanted bits set or one of its unwanted bits clear. Clauses of a single bit, nearly
all there are, melt into two masks, so that most formulas are two operations on integers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from contracts.catalogue import All, AnyOf, Catalogue, Expression, Not, Satisfied

#: A clause: bits of which one must be set, or bits of which one must be clear.
Clause = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over bits: all of `required`, none of `forbidden`, and every clause."""

    required: int = 0
    forbidden: int = 0
    clauses: tuple[Clause, ...] = ()

    def holds(self, bits: int) -> bool:
        """Whether the expression holds where these bits are set."""
        if bits & self.required != self.required or bits & self.forbidden:
            return False
        return all(bits & wanted or ~bits & unwanted for wanted, unwanted in self.clauses)


#: What holds for everybody.
ALWAYS = Formula()


def formula(expression: Expression, catalogue: Catalogue, bit_of: Callable[[str], int]) -> Formula:
    """Compile an expression.

    Args:
        expression: of a population or a numerator.
        catalogue: in which it stands, for the indicators that it names.
        bit_of: gives the number of a condition's bit.

    Raises:
        ValueError: when it names an indicator that only reports feed.
    """
    required = forbidden = 0
    clauses: list[Clause] = []
    for wanted, unwanted in sorted(_clauses(expression, catalogue, bit_of, negated=False)):
        if wanted & unwanted:
            continue  # one of the two always holds
        if not unwanted and wanted.bit_count() == 1:
            required |= wanted
        elif not wanted and unwanted.bit_count() == 1:
            forbidden |= unwanted
        else:
            clauses.append((wanted, unwanted))
    return Formula(required, forbidden, tuple(clauses))


def _clauses(
    expression: Expression, catalogue: Catalogue, bit_of: Callable[[str], int], *, negated: bool
) -> set[Clause]:
    def of(part: Expression) -> set[Clause]:
        return _clauses(part, catalogue, bit_of, negated=negated)

    match expression:
        case All(all=parts):
            sets = [of(part) for part in parts]
            return _either(sets) if negated else set().union(*sets)
        case AnyOf(any=parts):
            sets = [of(part) for part in parts]
            return set().union(*sets) if negated else _either(sets)
        case Not(negated=part):
            return _clauses(part, catalogue, bit_of, negated=not negated)
        case Satisfied(indicator=other):
            numerator = catalogue.by_id[other].numerator
            if numerator is None:
                raise ValueError(f"{other} is fed by reports and cannot be part of another")
            return of(numerator)
        case str(name):
            bit = 1 << bit_of(name)
            return {(0, bit) if negated else (bit, 0)}


def _either(sets: list[set[Clause]]) -> set[Clause]:
    """The clauses of "one of these": every way to take a clause of each."""
    combined: set[Clause] = {(0, 0)}
    for clauses in sets:
        combined = {
            (wanted | more, unwanted | less)
            for wanted, unwanted in combined
            for more, less in clauses
        }
    return combined
