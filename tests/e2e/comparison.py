"""Holds what scoring shows over HTTP against the oracle, figure by figure."""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, Final

import aiohttp

from tests.e2e.hard.moments import local_day
from tests.e2e.line import Line
from tests.oracle.figures import Expected, Figures, figures
from tests.oracle.reports import Report

#: Half of the second decimal: values are rounded to two.
_ROUNDING: Final = Fraction(5, 1000)
_AT_ONCE: Final = 8
_POLL_SECONDS: Final = 0.25


class Oracle:
    """The figures that a log of accepted events must lead to, whatever day it is."""

    def __init__(self, events: Iterable[dict[str, Any]]) -> None:
        self._events = list(events)
        self._by_day: dict[date, Figures] = {}

    def today(self) -> Figures:
        """The figures of the present local day; after midnight they are computed anew."""
        today = local_day(datetime.now(UTC))
        if today not in self._by_day:
            self._by_day[today] = figures(self._events, today)
        return self._by_day[today]


async def settled_differences(line: Line, oracle: Oracle, seconds: float) -> list[str]:
    """Wait until the line shows what the oracle says; what still differs after so many seconds.

    The province is watched first, which tells of every unit below it; then all units are compared.
    """
    deadline = time.monotonic() + seconds
    async with aiohttp.ClientSession(headers=line.bearer("operator")) as http:
        while True:
            expected = oracle.today()
            try:
                found = await _differences(line, http, expected)
            except aiohttp.ClientError as error:
                found = [f"scoring cannot be read: {error!r}"]
            if oracle.today() is not expected:
                continue  # midnight has passed in between
            if not found or time.monotonic() > deadline:
                return found
            await asyncio.sleep(_POLL_SECONDS)


async def _differences(line: Line, http: aiohttp.ClientSession, expected: Figures) -> list[str]:
    by_area: dict[str, dict[str, Expected]] = {}
    for (area_id, indicator), figure in expected.items():
        by_area.setdefault(area_id, {})[indicator] = figure
    # The province comes last into the oracle and first into the comparison: it tells the most.
    *communes, province = sorted(by_area, key=len, reverse=True)
    found = await _of_area(line, http, province, by_area[province])
    if found:
        return found
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(area_id: str) -> list[str]:
        async with free:
            return await _of_area(line, http, area_id, by_area[area_id])

    return [text for texts in await asyncio.gather(*map(one, communes)) for text in texts]


async def _of_area(
    line: Line, http: aiohttp.ClientSession, area_id: str, expected: dict[str, Expected]
) -> list[str]:
    url = f"{line.endpoints()['scoring']}/v1/areas/{area_id}/indicators"
    async with http.get(url) as answer:
        if answer.status != 200:
            return [f"{area_id}: scoring answers {answer.status}"]
        shown = {one["id"]: one for one in (await answer.json())["indicators"]}
    if shown.keys() != expected.keys():
        return [f"{area_id}: other indicators: {sorted(shown.keys() ^ expected.keys())}"]
    return [
        f"{area_id} {indicator} {field}: {told!r} is shown, {_plain(wanted)!r} is right"
        for indicator, figure in expected.items()
        for field, told, wanted in _unlike(shown[indicator], figure)
    ]


def _unlike(shown: dict[str, Any], figure: Expected) -> list[tuple[str, Any, Any]]:
    pairs: list[tuple[str, Any, Any]] = [
        ("basis", shown["basis"], figure.basis),
        ("numerator", shown["numerator"], figure.numerator),
        ("denominator", shown["denominator"], figure.denominator),
        ("period", shown.get("period"), figure.period),
        ("value", shown["value"], figure.value),
    ]
    beside, said = shown.get("reported"), figure.beside
    if beside is None or said is None:
        pairs.append(("reported", beside, said))
    else:
        pairs += [(f"reported {field}", beside[field], _field(said, field)) for field in _FIELDS]
    return [pair for pair in pairs if not _same(*pair)]


_FIELDS: Final = ("period", "numerator", "denominator", "value")


def _field(report: Report, name: str) -> Any:
    return getattr(report, name)


def _plain(wanted: Any) -> Any:
    return float(wanted) if isinstance(wanted, Fraction) else wanted


def _same(field: str, told: Any, wanted: Any) -> bool:
    if not field.endswith("value") or told is None or wanted is None:
        return bool(told == wanted)
    return abs(Fraction(str(told)) - Fraction(wanted)) <= _ROUNDING
