"""Draw a trend as a small PNG: the unit's line, the pace dashed, shares and days.

The picture has a light ground of its own, so its lines are read in a dark mailbox too. Blue and
orange differ for colour-blind eyes, and one of the lines is dashed.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from itertools import pairwise
from typing import Final

from PIL import Image, ImageColor, ImageDraw, ImageFont

from services.notifier.core import wording
from services.notifier.core.parts import LetterTrend
from services.notifier.core.wording import Language

WIDTH: Final = 440
HEIGHT: Final = 140
"""As shown, in CSS pixels; twice as many are drawn, for sharp screens."""

_SCALE: Final = 2
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 14, 28
_FONT_SIZE: Final = 12
_GROUND: Final = "#ffffff"
_FRAME: Final = "#d0d5dd"
_TEXT: Final = "#344054"
_LINE: Final = "#175cd3"
_PACE: Final = "#b54708"
_DASH: Final = 7
_LEAST_SPAN: Final = 1.0
_SHADES: Final = 11

Point = tuple[float, float]


def drawn(trend: LetterTrend, language: Language = "vi") -> bytes:
    """The chart of a trend of two points or more."""
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _GROUND)
    draw = ImageDraw.Draw(image)
    scale = _Scale(trend)
    font = ImageFont.load_default(_FONT_SIZE * _SCALE)
    for value in scale.marks:
        y = scale.y(value)
        draw.line([(_LEFT * _SCALE, y), ((WIDTH - _RIGHT) * _SCALE, y)], _FRAME, _SCALE)
        share = wording.percent(value, language)
        draw.text(((_LEFT - 8) * _SCALE, y), share, _TEXT, font, anchor="rm")
    first, last = trend.points[0].on, trend.points[-1].on
    below = (HEIGHT - _BOTTOM + 8) * _SCALE
    for day, anchor in ((first, "la"), (last, "ra")):
        draw.text((scale.x(day), below), f"{day:%d/%m}", _TEXT, font, anchor=anchor)
    pace = [(scale.x(one.on), scale.y(one.pace)) for one in trend.points if one.pace is not None]
    for start, end in _dashes(pace):
        draw.line([start, end], _PACE, 2 * _SCALE)
    line = [(scale.x(one.on), scale.y(one.value)) for one in trend.points]
    draw.line(line, _LINE, 3 * _SCALE, joint="curve")
    draw.circle(line[-1], 5 * _SCALE, _LINE)
    out = BytesIO()
    image.quantize(palette=_palette(), dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


@cache
def _palette() -> Image.Image:
    """The colours of all charts: looking for those of each takes ten times as long as drawing it.

    Only text has soft edges, so there are shades of it alone.
    """
    ends = list(zip(ImageColor.getrgb(_GROUND), ImageColor.getrgb(_TEXT), strict=True))
    parts = [part for one in (_GROUND, _FRAME, _LINE, _PACE) for part in ImageColor.getrgb(one)]
    parts += [
        round(light + (dark - light) * step / _SHADES)
        for step in range(1, _SHADES + 1)
        for light, dark in ends
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette(parts)
    return palette


class _Scale:
    """Where days and shares lie in the picture."""

    def __init__(self, trend: LetterTrend) -> None:
        shares = [one.value for one in trend.points]
        shares += [one.pace for one in trend.points if one.pace is not None]
        self.marks: Sequence[Decimal] = sorted({min(shares), max(shares)})
        span = float(max(shares) - min(shares))
        self._lowest = float(min(shares)) - max(0.0, _LEAST_SPAN - span) / 2
        self._span = max(span, _LEAST_SPAN)
        self._first = trend.points[0].on
        self._days = (trend.points[-1].on - self._first).days

    def x(self, day: date) -> float:
        """From the left, in drawn pixels."""
        share = (day - self._first).days / self._days
        return (_LEFT + 6 + share * (WIDTH - _LEFT - _RIGHT - 14)) * _SCALE

    def y(self, value: Decimal) -> float:
        """From the top, in drawn pixels."""
        share = (float(value) - self._lowest) / self._span
        return (HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)) * _SCALE


def _dashes(line: Sequence[Point]) -> Iterable[tuple[Point, Point]]:
    """Cut a line that runs from left to right into dashes of the same width."""
    dash = _DASH * _SCALE
    if not line:
        return
    left = line[0][0]
    while left < line[-1][0]:
        right = min(left + dash, line[-1][0])
        yield (left, _height(line, left)), (right, _height(line, right))
        left += 2 * dash


def _height(line: Sequence[Point], x: float) -> float:
    """How high the line lies at a place."""
    for (left, start), (right, end) in pairwise(line):
        if x <= right:
            return start + (end - start) * (x - left) / (right - left)
    return line[-1][1]
