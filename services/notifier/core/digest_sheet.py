"""A digest in words, as values that templates set."""

from dataclasses import dataclass

from contracts.updates import Severity
from services.notifier.core.sheet import Link, Listing
from services.notifier.core.wording import Language


@dataclass(frozen=True, slots=True)
class DigestEntry:
    """An indicator that lags. `cells` are what `standing` says: now, pace, change, what is missing.

    `share` and `pace` are those of a bar, in percent; None: figures of few, nothing is drawn.
    """

    title: str
    severity: Severity
    label: str
    standing: str
    cells: tuple[str, str, str, str]
    promise: str
    is_overdue: bool
    share: float | None
    pace: float | None
    listing: Listing | None = None


@dataclass(frozen=True, slots=True)
class DigestUnit:
    """A unit in the table; `cells` go with the headings, `said` is its row as a sentence."""

    name: str
    cells: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class DigestTable:
    """The units below. `sets` are the columns, before those of the change and of missing reports."""

    heading: str
    note: str
    unit: str
    sets: tuple[str, ...]
    change: str
    reports: str
    rows: tuple[DigestUnit, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The headings of the table of indicators that lag."""

    indicator: str
    now: str
    pace: str
    bar: str
    change: str
    gap: str


@dataclass(frozen=True, slots=True)
class DigestSheet:
    """A whole digest in words. `summary` says in a few lines how things stand, for leaders."""

    language: Language
    subject: str
    title: str
    area: str
    greeting: str
    opening: str
    measured: str
    summary: tuple[str, ...]
    heading: str | None
    columns: Columns
    entries: tuple[DigestEntry, ...]
    notes: tuple[str, ...]
    listings: tuple[Listing, ...]
    table: DigestTable | None
    attached: str | None
    regards: str
    footer: str
    page_footer: str
    link: Link | None = None
    contact: str | None = None
