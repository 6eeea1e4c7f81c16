"""How one language says sentences, numbers, days and names."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from services.notifier.core import wording
from services.notifier.core.parts import LetterAlert, LetterName
from services.notifier.core.sentences import SENTENCES
from services.notifier.core.wording import Language


class Speech:
    """One language."""

    def __init__(
        self,
        language: Language,
        sentences: Mapping[Language, Mapping[str, str]] = SENTENCES,
    ) -> None:
        """`sentences` are those of letters, or others."""
        self.language = language
        self._sentences = sentences[language]

    def say(self, sentence: str, /, **places: object) -> str:
        """A sentence with its places filled."""
        return self._sentences[sentence].format(**places)

    def percent(self, value: Decimal | None) -> str:
        """A share; a dash where there is none."""
        return "–" if value is None else wording.percent(value, self.language)

    def points(self, value: Decimal) -> str:
        """Percentage points, without a sign."""
        return wording.points(value, self.language)

    def count(self, number: int) -> str:
        """A count."""
        return wording.count(number, self.language)

    def day(self, moment: date) -> str:
        """A day."""
        return wording.day(moment, self.language)

    def clock(self, moment: datetime) -> str:
        """A moment."""
        return wording.clock(moment, self.language)

    def span(self, time: timedelta) -> str:
        """How long something lasts."""
        return wording.span(time, self.language)

    def name(self, one: LetterName) -> str:
        """What an indicator is called."""
        if self.language == "vi":
            return one.indicator_name
        return one.indicator_name_en or one.indicator_name

    def noun(self, alert: LetterAlert) -> str:
        """What an alert's indicator counts."""
        return alert.noun if self.language == "vi" else alert.noun_en or alert.noun

    def unit(self, name: str) -> str:
        """A unit at the beginning of a line."""
        return name if self.language == "vi" else wording.unit_en(name)

    def holding(self, area_name: str, gap: int, noun: str, value: Decimal | None) -> str:
        """A unit that holds another back: what it lacks, and where it stands."""
        return self.say(
            "area",
            name=self.unit(area_name),
            gap=self.count(gap),
            noun=noun,
            value=self.percent(value),
        )

    def unit_within(self, name: str) -> str:
        """A unit within a sentence."""
        return wording.within(name) if self.language == "vi" else wording.unit_en(name)
