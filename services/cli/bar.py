"""A bar in text that shows a value and, as a mark in it, the pace it is held against."""

from decimal import Decimal
from typing import Final

from rich.text import Text

WIDTH: Final = 24


def pace_bar(value: Decimal | None, pace: Decimal | None, width: int = WIDTH) -> Text:
    """A bar from 0 to 100 %: filled up to the value, ``┃`` where the pace is.

    Green at or above the pace, red below it, blue without one.
    """
    if value is None:
        return Text("no data", style="dim")
    filled = _cells(value, width)
    style = "blue" if pace is None else "green" if value >= pace else "red"
    bar = Text()
    mark = None if pace is None else min(_cells(pace, width), width - 1)
    for at in range(width):
        if at == mark:
            bar.append("┃", style="bold yellow")
        elif at < filled:
            bar.append("█", style=style)
        else:
            bar.append("·", style="dim")
    return bar


def _cells(percent: Decimal, width: int) -> int:
    return int(min(max(percent, Decimal(0)), Decimal(100)) * width / 100)
