"""One alert of a letter in words: in full, or as a line."""

from decimal import Decimal
from typing import Final

from contracts.disclosure import SMALLEST, is_few
from services.notifier.core.decide import Reason
from services.notifier.core.parts import LetterAlert, LetterTrend
from services.notifier.core.sheet import Chart, Fact, Listing, Section
from services.notifier.core.speech import Speech

_BARS: Final = "▁▂▃▄▅▆▇█"
_FEWEST_POINTS: Final = 2
_MONTH: Final = 30

#: Being behind pace needs no reason of its own.
_REASONS: Final = frozenset(
    {Reason.TARGET_MISSED, Reason.FALLING, Reason.RECOVERING, Reason.PROMISE_BROKEN}
)


def section(speech: Speech, title: str, alert: LetterAlert, *, is_new: bool) -> Section:
    """An alert in full; `is_new`: it stands among others that have been told before."""
    label = speech.say(alert.severity)
    if is_new:
        label = f"{label} ({speech.say('new')})"
    return Section(
        title=title,
        severity=alert.severity,
        label=label,
        notes=tuple(_notes(speech, alert)),
        standing=tuple(_standing(speech, alert)),
        facts=_facts(speech, alert),
        chart=_chart(speech, alert),
        outlook=tuple(_outlook(speech, alert)),
        listings=tuple(_listings(speech, alert)),
    )


def _notes(speech: Speech, alert: LetterAlert) -> list[str]:
    said = []
    if alert.reason == Reason.TARGET_MISSED and alert.missed_on is not None:
        said.append(speech.say("missed", day=speech.day(alert.missed_on)))
    elif alert.reason == Reason.PROMISE_BROKEN and alert.promised_on is not None:
        said.append(speech.say("broken_on", day=speech.day(alert.promised_on)))
    elif alert.reason in _REASONS:
        said.append(speech.say(f"reason_{alert.reason}"))
    return said


def _standing(speech: Speech, alert: LetterAlert) -> list[str]:
    pace = speech.percent(alert.pace)
    said = [_share_in_words(speech, alert, pace)]
    if alert.target is not None and alert.target_on is not None:
        target, due = speech.percent(alert.target), speech.day(alert.target_on)
        said.append(speech.say(f"target_{alert.aim}_text", target=target, day=due))
    if alert.gap_people:
        gap = speech.count(alert.gap_people)
        said.append(speech.say("gap_text", gap=gap, noun=speech.noun(alert)))
    elif alert.is_gap_few:
        said.append(speech.say("gap_few", few=SMALLEST, noun=speech.noun(alert)))
    return said


def _share_in_words(speech: Speech, alert: LetterAlert, pace: str) -> str:
    denominator = speech.count(alert.denominator or 0)
    noun = speech.noun(alert)
    match alert.withheld:
        case "few-counted":
            return speech.say("few_counted")
        case "few-missing":
            return speech.say(
                "few_missing", few=SMALLEST, denominator=denominator, noun=noun, pace=pace
            )
        case "few-reached":
            share = speech.percent(alert.value_below)
            return speech.say(
                "few_reached",
                share=share,
                few=SMALLEST,
                denominator=denominator,
                noun=noun,
                pace=pace,
            )
        case None:
            counts = ""
            if alert.numerator is not None and alert.denominator is not None:
                numerator = speech.count(alert.numerator)
                counts = speech.say(
                    "counts", numerator=numerator, denominator=denominator, noun=noun
                )
            value = speech.percent(alert.value)
            return speech.say("value_text", value=value, counts=counts, pace=pace)


def _facts(speech: Speech, alert: LetterAlert) -> tuple[Fact, ...]:
    """The figures at a glance; none where they are told in words alone."""
    if alert.withheld is not None or alert.value is None:
        return ()
    noun = speech.noun(alert)
    note = ""
    if alert.numerator is not None and alert.denominator is not None:
        note = f"{speech.count(alert.numerator)} / {speech.count(alert.denominator)} {noun}"
    facts = [
        Fact(speech.say("value"), speech.percent(alert.value), note),
        Fact(speech.say("pace"), speech.percent(alert.pace)),
    ]
    if alert.gap_people:
        facts.append(Fact(speech.say("gap"), speech.count(alert.gap_people), noun))
    elif alert.is_gap_few:
        facts.append(Fact(speech.say("gap"), f"< {SMALLEST}", noun))
    if alert.target is not None and alert.target_on is not None:
        due = speech.say("target_by", day=speech.day(alert.target_on))
        label = speech.say(f"target_{alert.aim}")
        facts.append(Fact(label, speech.percent(alert.target), due))
    return tuple(facts)


def _chart(speech: Speech, alert: LetterAlert) -> Chart | None:
    trend = alert.trend
    if trend is None or len(trend.points) < _FEWEST_POINTS:
        return None
    first, last = trend.points[0], trend.points[-1]
    pace = ""
    if last.pace is not None:
        pace = speech.say("chart_pace", pace=speech.percent(last.pace))
    words = {
        "days": (last.on - first.on).days,
        "from": speech.day(first.on),
        "to": speech.day(last.on),
        "first": speech.percent(first.value),
        "last": speech.percent(last.value),
        "pace": pace,
    }
    return Chart(
        f"trend.{alert.id}@nhipso",
        trend,
        speech.say("chart", **words),
        bars([one.value for one in trend.points]),
    )


def _outlook(speech: Speech, alert: LetterAlert) -> list[str]:
    said = []
    other = alert.other_line
    if other is not None and other.pace is not None:
        pace, target = speech.percent(other.pace), speech.percent(other.target)
        said.append(speech.say(f"other_line_{other.aim}", pace=pace, target=target))
    if alert.before is not None:
        said.append(_since(speech, alert))
    if alert.trend is not None:
        said.extend(_trend(speech, alert, alert.trend))
    if alert.per_month is not None:
        number = speech.count(alert.per_month)
        said.append(speech.say("per_month", number=number, noun=speech.noun(alert)))
    if alert.similar is not None:
        similar = alert.similar
        said.append(
            speech.say(
                "similar",
                count=similar.count,
                median=speech.percent(similar.median),
                best=speech.unit_within(similar.best_name),
                best_value=speech.percent(similar.best_value),
            )
        )
    return said


def _since(speech: Speech, alert: LetterAlert) -> str:
    before = alert.before
    if before is None or alert.value is None:
        return ""
    moved = alert.value - before.value
    gap = ""
    if (
        before.gap_people
        and alert.gap_people
        and before.gap_people != alert.gap_people
        and not is_few(before.gap_people - alert.gap_people)
        and not is_few(alert.gap_people - before.gap_people)
    ):
        gap = speech.say(
            "since_gap",
            before=speech.count(before.gap_people),
            now=speech.count(alert.gap_people),
            noun=speech.noun(alert),
        )
    return speech.say(
        f"since_{_direction(moved)}",
        day=speech.day(before.on),
        points=speech.points(moved),
        gap=gap,
    )


def _trend(speech: Speech, alert: LetterAlert, trend: LetterTrend) -> list[str]:
    if trend.slope is None:
        return [speech.say("too_short")]
    first, last = trend.points[0], trend.points[-1]
    said = [
        speech.say(
            f"trend_{_direction(last.value - first.value)}",
            days=(last.on - first.on).days,
            first=speech.percent(first.value),
            last=speech.percent(last.value),
            month=speech.points(trend.slope * _MONTH),
        )
    ]
    if trend.outlook == "on-the-way" and trend.met_on is not None:
        late = alert.target_on is not None and trend.met_on > alert.target_on
        day = speech.day(trend.met_on)
        said.append(speech.say("late" if late else "on_time", day=day))
    elif trend.outlook == "not-at-this-pace":
        said.append(speech.say("never"))
    return said


def _listings(speech: Speech, alert: LetterAlert) -> list[Listing]:
    """What holds the unit back: criteria, units below, or else who is missing."""
    held, noun = alert.held_back_by, speech.noun(alert)
    found = []
    if held.criteria:
        lines = tuple(
            speech.say("criterion", name=speech.name(one), value=speech.percent(one.value))
            for one in held.criteria
        )
        found.append(Listing(speech.say("criteria"), lines))
    if held.areas:
        lines = tuple(
            speech.holding(one.area_name, one.gap_people, noun, one.value) for one in held.areas
        )
        found.append(Listing(speech.say("areas"), lines))
    if not found and alert.missing and alert.denominator:
        line = speech.say(
            "missing",
            missing=speech.count(alert.missing),
            denominator=speech.count(alert.denominator),
            noun=noun,
        )
        found.append(Listing(line, ()))
    return found


def line(speech: Speech, alert: LetterAlert) -> str:
    """An alert that is not told in full."""
    if alert.withheld == "few-reached":
        value = speech.say("below", share=speech.percent(alert.value_below))
    elif alert.withheld == "few-missing" and alert.denominator is not None:
        denominator = speech.count(alert.denominator)
        noun = speech.noun(alert)
        few = speech.say("few_missing_short", few=SMALLEST, denominator=denominator, noun=noun)
        return f"{speech.name(alert)}: {few}"
    elif alert.withheld is not None or alert.value is None:
        return f"{speech.name(alert)}: {speech.say('few_counted_short')}"
    else:
        value = speech.percent(alert.value)
    gap = ""
    if alert.gap_people:
        number = speech.count(alert.gap_people)
        gap = speech.say("other_gap", gap=number, noun=speech.noun(alert))
    return speech.say(
        "other", name=speech.name(alert), value=value, pace=speech.percent(alert.pace), gap=gap
    )


def bars(values: list[Decimal]) -> str:
    """A line of bars of text, from the lowest value to the highest; flat where nothing moved."""
    lowest, span = min(values), max(values) - min(values)
    if not span:
        return _BARS[0] * len(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[int((value - lowest) * steps / span)] for value in values)


def _direction(moved: Decimal) -> str:
    if moved > 0:
        return "up"
    return "down" if moved < 0 else "same"
