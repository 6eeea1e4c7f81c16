"""Lay a letter out in one language: which sentences it has, in which order. Templates only set them.

The worst alerts stand in full, each in a section; the others have a line each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from contracts.disclosure import SMALLEST
from services.notifier.core.detail import IN_FULL
from services.notifier.core.letter import Letter, counted
from services.notifier.core.parts import LetterAlert
from services.notifier.core.remarks import broken, moved, silence
from services.notifier.core.section import line, section
from services.notifier.core.sheet import Block, Link, Listing, Section, Sheet
from services.notifier.core.speech import Speech
from services.notifier.core.wording import Language

_RECEIVERS: Final = 20
"""So many receivers are named: with a mail server many fail at once."""

_UNITS: Final = 200
"""So many units have a line, more than any province has; a mail must not grow without end."""

_CAUGHT_UP: Final = 20
"""So many units that have caught up are named."""


def lay_out(letter: Letter, language: Language = "vi") -> Sheet:
    """The letter in words of one language."""
    return _Layout(letter, language).sheet()


class _Layout:
    """One letter in one language."""

    def __init__(self, letter: Letter, language: Language) -> None:
        self._letter = letter
        self._speech = Speech(language)
        self._unit = self._speech.unit(letter.area_name)
        self._within = self._speech.unit_within(letter.area_name)
        self._addressee = letter.addressee
        if language != "vi" and letter.addressee_en:
            self._addressee = letter.addressee_en

    def sheet(self) -> Sheet:
        letter = self._letter
        if letter.is_test:
            return self._test()
        blocks = [self._sources()] if letter.sources else []
        if letter.receivers:
            blocks.append(self._receivers())
        if letter.units:
            blocks.append(self._units())
        else:
            blocks += [self._reports()] if letter.reports else []
            blocks += [self._lagging()] if letter.lagging else []
        if letter.acknowledge_url is not None:
            blocks[-1] = replace(blocks[-1], closing=f"{blocks[-1].closing} {self._answer()}")
        charts = [section.chart for block in blocks for section in block.sections if section.chart]
        footer = [self._speech.say("automatic"), self._speech.say("sums", few=SMALLEST)]
        if not letter.is_for_operators and not letter.units:
            footer.insert(1, self._speech.say("one_letter"))
        return Sheet(
            language=self._speech.language,
            subject=letter.subject_in(self._speech.language),
            greeting=self._speech.say("dear", addressee=self._addressee),
            preface=self._preface(),
            blocks=tuple(blocks),
            links=tuple(self._links()),
            legend=self._speech.say("legend") if charts else None,
            regards=self._speech.say("regards"),
            contact=self._speech.say("contact", contact=letter.contact) if letter.contact else None,
            footer=" ".join(footer),
        )

    def _preface(self) -> str | None:
        """Why this letter is written, where it is not about what lags alone."""
        letter = self._letter
        if letter.units or letter.is_for_operators:
            return None
        if letter.escalated_to is not None:
            return self._speech.say("escalated", within=self._within)
        return broken(self._speech, letter.broken) if letter.broken else None

    def _answer(self) -> str:
        """What is asked of the reader, and what follows if nobody answers."""
        asked, days = self._speech.say("answer"), self._letter.patience_days
        return asked if not days else f"{asked} {self._speech.say('answer_within', days=days)}"

    def _links(self) -> Iterator[Link]:
        letter, speech = self._letter, self._speech
        if letter.acknowledge_url is not None:
            # Its page speaks both languages.
            url = f"{letter.acknowledge_url}&lang={speech.language}"
            yield Link(speech.say("acknowledge"), url)
        if letter.page_url is not None:
            yield Link(speech.say("page"), letter.page_url)

    def _sources(self) -> Block:
        alerts = self._letter.sources
        return Block(
            opening=(self._speech.say("sources", n=len(alerts)),),
            sections=tuple(
                Section(
                    _title(self._speech, number, alert),
                    alert.severity,
                    "",
                    tuple(silence(self._speech, alert, self._letter.written_at)),
                )
                for number, alert in enumerate(alerts, 1)
            ),
            rest=None,
            closing=self._speech.say("check_sources"),
        )

    def _receivers(self) -> Block:
        receivers = self._letter.receivers
        more = len(receivers) - _RECEIVERS
        return Block(
            opening=(self._speech.say("receivers", n=len(receivers)),),
            sections=tuple(
                Section(
                    _title(self._speech, number, alert), alert.severity, "", (self._fares(alert),)
                )
                for number, alert in enumerate(receivers[:_RECEIVERS], 1)
            ),
            rest=Listing(self._speech.say("more_receivers", n=more), ()) if more > 0 else None,
            closing=self._speech.say("check_receivers"),
        )

    def _fares(self, alert: LetterAlert) -> str:
        clock = self._speech.clock(alert.opened_at)
        return self._speech.say(f"receiver_{alert.reason}", clock=clock)

    def _test(self) -> Sheet:
        say = self._speech.say
        block = Block(opening=(say("test"),), sections=(), rest=None, closing=say("test_works"))
        return Sheet(
            language=self._speech.language,
            subject=self._letter.subject_in(self._speech.language),
            greeting=say("dear", addressee=say("test_addressee")),
            preface=None,
            blocks=(block,),
            links=(),
            legend=None,
            regards=say("regards"),
            footer=say("automatic"),
        )

    def _reports(self) -> Block:
        reports = self._letter.reports
        name = "reports_again" if self._letter.is_reminder else "reports"
        return Block(
            opening=(self._speech.say(name, unit=self._unit, n=len(reports)),),
            sections=tuple(
                Section(
                    _title(self._speech, number, alert), alert.severity, "", (self._report(alert),)
                )
                for number, alert in enumerate(reports, 1)
            ),
            rest=None,
            closing=self._speech.say("send_reports", addressee=self._addressee),
        )

    def _units(self) -> Block:
        """Several units, each with a line."""
        say, letter = self._speech.say, self._letter
        units = letter.units
        named = list(units.items())[:_UNITS]
        lines = [
            f"{number}. {self._of_unit(area, alerts)}"
            for number, (area, alerts) in enumerate(named, 1)
        ]
        if len(units) > len(named):
            lines.append(say("more_units", n=len(units) - len(named)))
        name = "units_again" if letter.is_reminder else "units"
        is_above = letter.escalated_to is not None
        opening = say(
            "above" if is_above else name,
            clock=self._speech.clock(letter.written_at),
            n=len(units),
            within=self._within,
            parts=counted(letter.alerts, self._speech.language),
        )
        return Block(
            opening=(opening, *self._since()),
            sections=(),
            rest=Listing(say("above_units"), tuple(lines)),
            closing=say("please_above" if is_above else "please_units", addressee=self._addressee),
        )

    def _since(self) -> Iterator[str]:
        """Which units came since the last letter about several, and which have caught up."""
        since, say = self._letter.since, self._speech.say
        if since is None:
            return
        day = self._speech.day(since.on)
        if since.new and self._letter.units:
            yield say("units_new", day=day, n=len(since.new))
        if since.recovered:
            names = [self._speech.unit_within(one.area_name) for one in since.recovered]
            if (more := len(names) - _CAUGHT_UP) > 0:
                names = [*names[:_CAUGHT_UP], say("more_units_named", n=more)]
            yield say("units_recovered", day=day, names="; ".join(names))

    def _of_unit(self, area: str, alerts: Sequence[LetterAlert]) -> str:
        """One of several units: how many of its alerts, and the worst of them."""
        say, since = self._speech.say, self._letter.since
        is_new = since is not None and area in since.new
        unit = self._speech.unit(alerts[0].area_name or area)
        said = say(
            "above_unit",
            unit=f"{unit} ({say('new')})" if is_new else unit,
            parts=counted(alerts, self._speech.language),
        )
        days = [one.promised_on for one in alerts if one.promised_on is not None]
        if days:
            said += " " + say("above_broken", day=self._speech.day(min(days)))
        worst = next((one for one in alerts if one.kind == "pace"), None)
        if worst is None:
            return said
        told = line(self._speech, worst) + moved(self._speech, worst)
        return f"{said} {say('above_worst', worst=told)}"

    def _report(self, alert: LetterAlert) -> str:
        return self._speech.say(
            "report",
            day=self._speech.day(alert.due_on) if alert.due_on else "",
            got=self._speech.count(alert.numerator or 0),
            wanted=self._speech.count(alert.denominator or 0),
        )

    def _lagging(self) -> Block:
        letter, lagging = self._letter, self._letter.lagging
        name = "lagging_or_falling" if letter.is_any_falling else "lagging"
        if letter.is_reminder:
            name += "_again"
        clock = self._speech.clock(letter.written_at)
        opening = [self._speech.say(name, clock=clock, within=self._within, n=len(lagging))]
        if len(lagging) > 1:
            opening[0] += " " + self._speech.say("order")
        if letter.recovered:
            names = "; ".join(self._speech.name(one) for one in letter.recovered)
            opening.append(self._speech.say("recovered", names=names))
        opening += self._since()
        please = "please" if letter.escalated_to is None else "please_escalated"
        others = tuple(
            f"{number}. {line(self._speech, alert)}"
            for number, alert in enumerate(lagging[IN_FULL:], IN_FULL + 1)
        )
        return Block(
            opening=tuple(opening),
            sections=tuple(
                self._in_full(number, alert) for number, alert in enumerate(lagging[:IN_FULL], 1)
            ),
            rest=Listing(self._speech.say("others"), others) if others else None,
            closing=self._speech.say(please, addressee=self._addressee, within=self._within),
        )

    def _in_full(self, number: int, alert: LetterAlert) -> Section:
        is_new = alert.is_new and self._letter.is_reminder
        return section(self._speech, _title(self._speech, number, alert), alert, is_new=is_new)


def _title(speech: Speech, number: int, alert: LetterAlert) -> str:
    return f"{number}. {speech.name(alert)}"
