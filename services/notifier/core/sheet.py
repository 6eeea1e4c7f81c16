"""A letter in words, as values that a template sets."""

from dataclasses import dataclass

from contracts.updates import Severity
from services.notifier.core.parts import LetterTrend
from services.notifier.core.wording import Language


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure under its label: ``Hiện đạt`` ``45,20%``; `note` stands below it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines under a heading."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """The trend of a section: what is drawn, its words for who does not see it, and bars of text.

    `id` names it within its letter.
    """

    id: str
    trend: LetterTrend
    alternative: str
    bars: str


@dataclass(frozen=True, slots=True)
class Section:
    """One alert: the figures at a glance, or the same as sentences, and what there is to say.

    `standing` says in words what `facts` show. `label` names the severity, `notes` say why it is
    told if it is not just behind.
    """

    title: str
    severity: Severity
    label: str
    standing: tuple[str, ...]
    notes: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    chart: Chart | None = None
    outlook: tuple[str, ...] = ()
    listings: tuple[Listing, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Sections with what is said before and after them."""

    opening: tuple[str, ...]
    sections: tuple[Section, ...]
    rest: Listing | None
    closing: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where a reader may go."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole letter in words."""

    language: Language
    subject: str
    greeting: str
    preface: str | None
    blocks: tuple[Block, ...]
    links: tuple[Link, ...]
    legend: str | None
    regards: str
    footer: str
    contact: str | None = None
