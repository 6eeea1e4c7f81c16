"""What has a place in the number of an event's data, and what has none."""

from services.scoring.core import coding


def test_numbers_of_things_are_not_listed_one_by_one() -> None:
    count = {"type": "integer", "minimum": 0, "maximum": 2**53}
    assert coding._kind_of(count) is None
    level = coding._kind_of(count | {"maximum": 2})
    assert level is not None
    assert level[:2] == ("(0, 1, 2)", 3)
