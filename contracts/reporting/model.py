"""The form of a reporting calendar: who reports which indicators for which periods, and by when."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contracts.areas import Level
from contracts.reporting.days import When, resolve
from contracts.reporting.periods import PeriodKind, kind_of, last_day
from contracts.reporting.window import Window


class Entry(BaseModel):
    """Frozen; a key that the form does not know is an error, because it is a misspelt date."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Chosen(Entry):
    """Which indicators: those of whole sets and single ones, without some."""

    sets: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.sets and not self.ids:
            raise ValueError("name at least one set or indicator")
        return self


class Override(Entry):
    """Other days for one period; what is left out stays as the schedule says."""

    opens: date | None = None
    due: date | None = None
    closes: date | None = None
    grace_days: Annotated[int | None, Field(ge=0, le=90)] = None
    reason: str


class Schedule(Entry):
    """Periods of one kind, for units of some levels.

    `opens` is the first day on which a period is reported, `due` the last on which a report is in
    time (with `grace_days` behind it that are not held against the unit), `closes` the last on
    which it is taken at all. `remind_days` before the due day a unit is reminded; `since` is the
    first period that is asked for.
    """

    kind: PeriodKind
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]
    indicators: Chosen
    opens: When
    due: When
    closes: When
    grace_days: Annotated[int, Field(ge=0, le=90)] = 0
    remind_days: tuple[Annotated[int, Field(ge=0, le=90)], ...] = ()
    since: str | None = None
    overrides: Mapping[str, Override] = Field(default_factory=dict)

    def window(self, period: str) -> Window:
        """The days of a period.

        Raises:
            ValueError: the period is of another kind, or its days are not in order.
        """
        if kind_of(period) != self.kind:
            raise ValueError(f"{period} is no {self.kind}")
        other = self.overrides.get(period) or Override(reason="")
        grace = self.grace_days if other.grace_days is None else other.grace_days
        end = last_day(period)
        due = other.due or resolve(self.due, end)
        opens = other.opens or resolve(self.opens, end)
        return Window(
            period=period,
            kind=self.kind,
            opens=opens,
            due=due,
            grace_until=due + timedelta(days=grace),
            closes=other.closes or resolve(self.closes, end),
            reminders=tuple(
                sorted({max(opens, due - timedelta(days=days)) for days in self.remind_days})
            ),
        )

    def is_asked_for(self, period: str) -> bool:
        """Whether a period of this kind does not lie before the first one."""
        return self.since is None or last_day(period) >= last_day(self.since)

    @field_validator("since")
    @classmethod
    def _is_period(cls, value: str | None) -> str | None:
        if value is not None:
            kind_of(value)
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and kind_of(self.since) != self.kind:
            raise ValueError(f"since: {self.since} is no {self.kind}")
        # Months differ in length; a whole leap cycle shows every way in which days can lie.
        sample = (f"{year}" for year in range(2024, 2028))
        suffixes = {
            "month": [f"-{number:02d}" for number in range(1, 13)],
            "quarter": [f"-Q{number}" for number in range(1, 5)],
            "half": ["-H1", "-H2"],
            "year": [""],
        }[self.kind]
        for period in [year + suffix for year in sample for suffix in suffixes]:
            self._check(period)
        for period in self.overrides:
            self._check(period)
        return self

    def _check(self, period: str) -> None:
        window = self.window(period)
        if not window.opens <= window.due <= window.grace_until <= window.closes:
            raise ValueError(
                f"{period} opens {window.opens}, is due {window.due} (with grace "
                f"{window.grace_until}) and closes {window.closes}; bring these into this order"
            )


class CalendarFile(Entry):
    """The whole file."""

    version: Annotated[int, Field(ge=1)]
    schedules: tuple[Schedule, ...]

    @model_validator(mode="after")
    def _one_schedule_each(self) -> Self:
        seen: set[tuple[str, str]] = set()
        for schedule in self.schedules:
            for level in schedule.levels:
                if (schedule.kind, level) in seen:
                    raise ValueError(
                        f"two schedules say what a {level} reports for a {schedule.kind}; keep one"
                    )
                seen.add((schedule.kind, level))
        return self
