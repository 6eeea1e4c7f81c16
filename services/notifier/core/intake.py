"""What a batch of indicator events comes to: the newest figures, and which feeds were heard."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.catalogue import Catalogue
from contracts.pace import Milestone
from contracts.times import local_day
from contracts.updates import IndicatorUpdated, IndicatorUpdatedData
from services.notifier.core.figure import Figure, FigureKey


@dataclass(frozen=True, slots=True)
class Batch:
    """The newest figure of each key, with the first value of the batch, and feeds heard."""

    figures: tuple[Figure, ...]
    heard: dict[str, datetime]


def digest(events: Iterable[IndicatorUpdated], catalogue: Catalogue) -> Batch:
    """Bring a batch together; the order of the events does not matter."""
    newest: dict[FigureKey, Figure] = {}
    oldest: dict[FigureKey, tuple[int, Milestone]] = {}
    heard: dict[str, datetime] = {}
    for event in events:
        data = event.data
        figure = _figure(data)
        key = figure.key
        if key not in newest or newest[key].version < figure.version:
            newest[key] = figure
        if data.value is not None and (key not in oldest or data.version < oldest[key][0]):
            oldest[key] = (data.version, Milestone(local_day(data.updated_at), data.value))
        _hear(heard, data, catalogue)
    figures = tuple(
        replace(figure, first=oldest[key][1]) if key in oldest else figure
        for key, figure in newest.items()
    )
    return Batch(figures, heard)


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
