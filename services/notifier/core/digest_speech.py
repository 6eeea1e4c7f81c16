"""How one language says what a digest is made of."""

from decimal import Decimal

from services.notifier.core import wording
from services.notifier.core.digest import Digest, DigestLine, DigestSet
from services.notifier.core.digest_sentences import DIGEST_SENTENCES
from services.notifier.core.speech import Speech
from services.notifier.core.wording import Language


class DigestSpeech(Speech):
    """One language."""

    def __init__(self, language: Language) -> None:
        super().__init__(language, DIGEST_SENTENCES)

    def subject(self, digest: Digest) -> str:
        """The subject line."""
        whose = self.unit(digest.area_name)
        if digest.form == "agency":
            within = self.unit_within(digest.area_name)
            whose = self.say("whose_agency", agency=self.agency(digest), within=within)
        parts = [self.say("n_lagging", n=len(digest.lagging))]
        if digest.reports:
            parts.append(self.say("n_reports", n=len(digest.reports)))
        return self.say("subject", period=self.period(digest), whose=whose, parts=", ".join(parts))

    def period(self, digest: Digest) -> str:
        """The period of a digest."""
        if digest.cadence == "monthly":
            return self.say("month", month=wording.month(digest.until, self.language))
        since = f"{digest.since:%d/%m}" if self.language == "vi" else self.day(digest.since)
        return self.say("week", since=since, until=self.day(digest.until))

    def measured(self, digest: Digest) -> str:
        """When the figures were measured, and what they are compared with."""
        clock = self.clock(digest.measured_at)
        if digest.compared_on is None:
            return self.say("measured_alone", clock=clock)
        return self.say("measured", clock=clock, day=self.day(digest.compared_on))

    def addressee(self, digest: Digest) -> str:
        """Whom a digest is addressed to."""
        return self._either(digest.addressee, digest.addressee_en)

    def agency(self, digest: Digest) -> str:
        """Who answers for the indicators; in digests of former times, whom they are addressed to."""
        return digest.agency or self.addressee(digest)

    def set_name(self, one: DigestSet) -> str:
        """A set of indicators."""
        return self._either(one.name, one.name_en)

    def counted(self, line: DigestLine) -> str:
        """What an indicator counts."""
        return self._either(line.noun, line.noun_en)

    def source(self, feed: str) -> str:
        """A source of data."""
        return wording.feed_name(feed, self.language)

    def signed(self, change: Decimal | None) -> str:
        """``+1,20``: a change without its unit; a dash where there is none."""
        if change is None:
            return "–"
        text = f"{change:+.2f}" if change else f"{abs(change):.2f}"
        text = text.replace("-", "−")
        return text.replace(".", ",") if self.language == "vi" else text

    def change(self, change: Decimal) -> str:
        """``+1,20 điểm``: a change in percentage points."""
        return self.say("points", change=self.signed(change))

    def report(self, name: str, name_en: str) -> str:
        """What a report is called."""
        return self._either(name, name_en)

    def _either(self, vi: str, en: str) -> str:
        return vi if self.language == "vi" else en or vi
