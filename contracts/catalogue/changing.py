"""What may change from one catalogue to the next, and what may not.

Stored state names facts by slot and indicators by bit. A slot or bit that changes its meaning would
be read as what it never was, so neither is ever given again: not to another fact or indicator, not
after its owner has gone. Everything else may change.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.catalogue.checking import CatalogueError
from contracts.catalogue.model import Catalogue


def dumped(catalogue: Catalogue) -> dict[str, Any]:
    """A catalogue as a JSON value, as it is kept beside what was counted under it."""
    return catalogue.model_dump(mode="json", by_alias=True)


def refuse_new_meanings(before: Mapping[str, Any], after: Catalogue) -> None:
    """Refuse a catalogue that gives a slot or a bit another meaning.

    Args:
        before: a former catalogue, as `dumped` gave it. It need not be valid any more.
        after: the new one.

    Raises:
        CatalogueError: naming every slot, bit and indicator that must be put right.
    """
    former = dict(_meanings(before))
    wrong = [
        f"{place} is {meaning}, and was {former[place]}"
        for place, meaning in _meanings(dumped(after))
        if former.get(place, meaning) != meaning
    ]
    if wrong:
        raise CatalogueError(
            f"{'; '.join(wrong)}. What is stored would be misread: give back what was, and use a "
            "slot or bit that was never given"
        )


def _meanings(catalogue: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What each slot and bit stands for, and where each indicator has its bit."""
    for rules in catalogue["subjects"]:
        for fact in rules["facts"]:
            where = ", ".join(f"{name}: {value}" for name, value in sorted(fact["where"].items()))
            kept = "the latest" if fact["keeps"] == "latest" else "the time of the latest"
            said = f"{kept} {fact['event']}" + (f" where {where}" if where else "")
            yield f"slot {fact['slot']} of a {rules['kind']}", said
    for indicator in catalogue["indicators"]:
        if indicator["bit"] is not None:
            yield f"bit {indicator['bit']}", f"{indicator['id']}"
            yield f"the bit of {indicator['id']}", f"{indicator['bit']}"
