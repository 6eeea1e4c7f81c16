"""How long the leader rests: fresh figures near the head, a tenth of the time far behind it."""

import pytest

from services.scoring.rhythm import Rhythm

ROLL_UP = Rhythm(0.5, 2.0)


@pytest.mark.parametrize(
    ("spent", "near", "behind"),
    [
        (0.0, 0.5, 2.0),
        (0.04, 0.46, 1.96),
        (0.1, 0.9, 1.9),
        # Near the head a busy machine makes figures no older than two intervals.
        (0.3, 1.0, 2.7),
        # However long a round takes, the others get as much time as it had.
        (1.5, 1.5, 13.5),
        (60.0, 20.0, 20.0),
    ],
)
def test_pauses(spent: float, near: float, behind: float) -> None:
    assert ROLL_UP.pause(spent, is_behind=False) == pytest.approx(near)
    assert ROLL_UP.pause(spent, is_behind=True) == pytest.approx(behind)
