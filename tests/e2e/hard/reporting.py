"""Reports of units and agencies: corrections, mixed periods, ratios beside values."""

from collections.abc import Sequence
from typing import Any, Final

from tests.e2e.hard.pen import Pen

AGENCIES: Final = ("so-tttt", "so-yt", "SO.GD_DT", "ubnd-tinh")
_PERIODS: Final = (
    *("2026", "2026-H2", "2026-Q4", "2026-12"),  # four periods with one end
    *("2026-H1", "2026-Q2", "2026-Q3", "2026-06", "2026-09", "2026-10", "2025", "2024-12"),
)


def write_reports(pen: Pen, indicators: Sequence[str]) -> None:
    """Write what one reporter says of a few indicators, and corrects."""
    rng = pen.rng
    for indicator in rng.sample(indicators, rng.randint(1, 8)):
        for period in rng.choices(_PERIODS, k=rng.randint(1, 3)):
            for _ in range(rng.choice((1, 1, 2, 3))):
                data = {"indicator": indicator, "period": period, **_figure(pen)}
                pen.write("report.figures-submitted", data, pen.moment())


def _figure(pen: Pen) -> dict[str, Any]:
    rng = pen.rng
    if rng.random() < 0.25:
        return {"value": rng.choice((0, 12, 12.0, 67.125, -3.5, round(rng.uniform(0, 500), 3)))}
    denominator = rng.randint(1, 2000)
    return {"numerator": rng.randint(0, denominator), "denominator": denominator}
