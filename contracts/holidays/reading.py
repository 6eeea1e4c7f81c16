"""Read public holidays from YAML and refuse what does not hold together."""

from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts import yaml_file

_SATURDAY: Final = 6
_DECEMBER: Final = 12


class HolidaysError(ValueError):
    """A file of holidays that cannot be used, with the place that is wrong."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date
    certain: bool = True
    note: str | None = None


class DayOff(_Row):
    """A day on which offices are closed; `certain` False: it was not certain when written."""

    name: Annotated[str, Field(min_length=1)]


class WorkingDay(_Row):
    """A Saturday or Sunday on which offices work, for a day off elsewhere."""

    @model_validator(mode="after")
    def _of_the_weekend(self) -> Self:
        if self.day.isoweekday() < _SATURDAY:
            raise ValueError(f"{self.day} is no Saturday or Sunday: it is worked anyway")
        return self


class _Year(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    days_off: tuple[DayOff, ...]
    working_days: tuple[WorkingDay, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Literal["VN"]
    years: dict[int, _Year]

    @model_validator(mode="after")
    def _each_once_in_its_year(self) -> Self:
        for number, year in self.years.items():
            days = [row.day for row in (*year.days_off, *year.working_days)]
            for day in days:
                if day.year != number:
                    raise ValueError(f"{day} stands under {number}; put it under its year")
                if days.count(day) > 1:
                    raise ValueError(f"{day} is there twice; leave one")
        return self


class Holidays:
    """The holidays of some years. A year that is not there has none that are known."""

    def __init__(self, years: dict[int, _Year]) -> None:
        self.years = frozenset(years)
        self._off = {row.day: row for year in years.values() for row in year.days_off}
        self._working = {row.day for year in years.values() for row in year.working_days}

    def on(self, day: date) -> DayOff | None:
        """The public holiday of a day, or None."""
        return self._off.get(day)

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a public holiday."""
        return day in self._off

    def is_made_up(self, day: date) -> bool:
        """Whether a day of the weekend is worked."""
        return day in self._working

    def missing(self, today: date) -> list[int]:
        """The years that are wanted and not there: this one, and from December on the next."""
        wanted = [today.year, *([today.year + 1] if today.month == _DECEMBER else [])]
        return [year for year in wanted if year not in self.years]


def load(path: Path | None = None) -> Holidays:
    """The holidays of a file, or those that ship.

    Raises:
        HolidaysError: the file cannot be read, or a row is wrong; with its place.
    """
    return _shipped() if path is None else _read(path)


def _read(path: Path) -> Holidays:
    return Holidays(
        yaml_file.read(path, _File, HolidaysError, name=f"the holidays in {path}").years
    )


@cache
def _shipped() -> Holidays:
    with resources.as_file(resources.files("contracts") / "holidays") as folder:
        return _read(folder / "vietnam.yaml")
