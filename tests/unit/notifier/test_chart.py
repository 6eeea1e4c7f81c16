"""The chart of a trend."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image

from services.notifier.core.parts import LetterPoint, LetterTrend
from services.notifier.receivers.email import chart

TODAY = date(2026, 11, 22)


def trend(*shares: tuple[str, str | None]) -> LetterTrend:
    first = TODAY - timedelta(days=7 * (len(shares) - 1))
    points = tuple(
        LetterPoint(
            on=first + timedelta(days=7 * number),
            value=Decimal(share),
            pace=None if pace is None else Decimal(pace),
        )
        for number, (share, pace) in enumerate(shares)
    )
    return LetterTrend(points=points, outlook="not-at-this-pace", slope=None, met_on=None)


@pytest.mark.parametrize(
    "shares",
    [
        (("10", "70"), ("12", "70.5"), ("14", "71")),
        (("10", None), ("12", None)),
        (("10", "10"), ("10", "10")),
        (("0", None), ("0", "100")),
        (("0.01", "99.99"), ("100", "0")),
    ],
)
def test_draws_a_small_picture_on_a_light_ground(
    shares: tuple[tuple[str, str | None], ...],
) -> None:
    drawn = chart.drawn(trend(*shares))
    image = Image.open(BytesIO(drawn)).convert("RGB")
    assert image.size == (2 * chart.WIDTH, 2 * chart.HEIGHT)
    assert image.getpixel((0, 0)) == (255, 255, 255)
    colours = {colour for _, colour in image.getcolors(maxcolors=100_000) or []}
    assert (0x17, 0x5C, 0xD3) in colours
    assert len(drawn) < 10_000


def test_the_same_trend_gives_the_same_picture() -> None:
    one = trend(("10", "70"), ("12", "70.5"))
    assert chart.drawn(one) == chart.drawn(one)
    assert chart.drawn(one, "vi") != chart.drawn(trend(("10.5", "70"), ("12", "70.5")), "vi")
