"""As many conditions as there are bits, and one more."""

from typing import Any

import pytest

from contracts.catalogue import CatalogueError
from contracts.subjects import SubjectKind
from services.scoring.core.rules import Rules
from tests.unit.scoring.catalogues import FREE_BIT, Edit, changed
from tests.unit.scoring.saying import AREAS, TODAY, event, fold, stands

CITIZEN = SubjectKind.CITIZEN
SHIPPED = len({*Rules(changed(), AREAS).evaluators[CITIZEN]._conditions._bit_of})


def ages(count: int) -> Edit:
    """An indicator for which so many ages are asked of a citizen, each by a condition."""

    def edit(said: dict[str, Any]) -> None:
        names = [f"exactly-{age}" for age in range(20, 20 + count)]
        for age, name in enumerate(names, start=20):
            said["conditions"][name] = {"age": {"from": age, "to": age}}
        like = next(one for one in said["indicators"] if one["id"] == "ds.smartphone")
        new = {"id": "ds.ages", "bit": FREE_BIT, "numerator": {"any": names}}
        said["indicators"].append(like | new)

    return edit


def test_the_last_bit_is_of_use() -> None:
    rules = Rules(changed(ages(63 - SHIPPED)), AREAS)
    for age in (20, 20 + 62 - SHIPPED, 20 + 63 - SHIPPED):
        data = {"birth_date": f"{TODAY.year - age}-01-01", "area": "02647"}
        told = event("identity.citizen-registered.v1", data)
        found = stands(fold(CITIZEN, [told], rules=rules), CITIZEN, TODAY)
        assert found.numerator >> FREE_BIT == (age < 20 + 63 - SHIPPED)


def test_more_are_refused_when_rules_are_made() -> None:
    with pytest.raises(CatalogueError, match="more than 63 different conditions"):
        Rules(changed(ages(64 - SHIPPED)), AREAS)
