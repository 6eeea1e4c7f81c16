"""What a batch of indicator events comes to: the newest figures, and which feeds were heard."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from contracts.catalogue import Catalogue
from contracts.pace import Milestone
from contracts.times import local_day
from contracts.updates import IndicatorUpdated, IndicatorUpdatedData
from services.notifier.core.figure import Figure, FigureKey, is_judged


@dataclass(frozen=True, slots=True)
class Day:
    """The newest value of a figure on one local day."""

    key: FigureKey
    version: int
    point: Milestone


@dataclass(frozen=True, slots=True)
class Batch:
    """The newest figure of each key, with the first value of the batch, and feeds heard.

    `days` are of figures that are judged.
    """

    figures: tuple[Figure, ...]
    heard: dict[str, datetime]
    days: tuple[Day, ...] = ()


def digest(events: Iterable[IndicatorUpdated], catalogue: Catalogue) -> Batch:
    """Bring a batch together; the order of the events does not matter."""
    newest: dict[FigureKey, Figure] = {}
    oldest: dict[FigureKey, tuple[int, Milestone]] = {}
    heard: dict[str, datetime] = {}
    days: dict[tuple[FigureKey, date], Day] = {}
    for event in events:
        data = event.data
        figure = _figure(data)
        key = figure.key
        if key not in newest or newest[key].version < figure.version:
            newest[key] = figure
        if data.value is not None and (key not in oldest or data.version < oldest[key][0]):
            oldest[key] = (data.version, Milestone(local_day(data.updated_at), data.value))
        _hear(heard, data, catalogue)
        _keep_day(days, figure, catalogue)
    figures = tuple(
        replace(figure, first=oldest[key][1]) if key in oldest else figure
        for key, figure in newest.items()
    )
    return Batch(figures, heard, tuple(days.values()))


def _keep_day(
    days: dict[tuple[FigureKey, date], Day], figure: Figure, catalogue: Catalogue
) -> None:
    indicator = catalogue.by_id.get(figure.key.indicator)
    if indicator is None or figure.value is None or not is_judged(indicator, figure.key.basis):
        return
    on = local_day(figure.updated_at)
    known = days.get((figure.key, on))
    if known is None or known.version < figure.version:
        days[figure.key, on] = Day(figure.key, figure.version, Milestone(on, figure.value))


def _figure(data: IndicatorUpdatedData) -> Figure:
    return Figure(
        key=FigureKey(data.area, data.indicator, data.basis),
        version=data.version,
        numerator=data.numerator,
        denominator=data.denominator,
        value=data.value,
        updated_at=data.updated_at,
        first=None,
    )


def _hear(heard: dict[str, datetime], data: IndicatorUpdatedData, catalogue: Catalogue) -> None:
    """`fresh_at` is the longest silent feed's: each of the others has been heard then or later."""
    indicator = catalogue.by_id.get(data.indicator)
    if indicator is None or data.fresh_at is None:
        return
    feeds = catalogue.feeds_of(indicator) if data.basis == "events" else frozenset({"report"})
    for feed in feeds:
        if feed not in heard or heard[feed] < data.fresh_at:
            heard[feed] = data.fresh_at
