"""What a letter says in a sentence beside its figures: of promises, of silent sources, of a change."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.notifier.core.parts import LetterAlert
from services.notifier.core.speech import Speech

_PROMISES: Final = 5
"""So many broken promises are named at the beginning."""


def moved(speech: Speech, alert: LetterAlert) -> str:
    """What a line says of the change since the last message, in brackets; nothing where none is known."""
    if alert.before is None or alert.value is None or alert.value == alert.before.value:
        return ""
    change = alert.value - alert.before.value
    return speech.say("moved_up" if change > 0 else "moved_down", points=speech.points(change))


def broken(speech: Speech, alerts: Sequence[LetterAlert]) -> str:
    """Which promises were not kept, each with its day, and what is asked."""
    items = [
        speech.say("promise", name=speech.name(one), day=speech.day(one.promised_on))
        for one in alerts[:_PROMISES]
        if one.promised_on is not None
    ]
    if len(alerts) > _PROMISES:
        items.append(speech.say("more_promises", n=len(alerts) - _PROMISES))
    return speech.say("promises_broken", promises="; ".join(items))


def silence(speech: Speech, alert: LetterAlert, now: datetime) -> Iterator[str]:
    """What is known of a silent source."""
    if alert.heard_at is None:
        yield speech.say("noticed", clock=speech.clock(alert.opened_at))
        return
    yield speech.say(
        "heard", clock=speech.clock(alert.heard_at), ago=speech.span(now - alert.heard_at)
    )
    if alert.silent_after is not None:
        yield speech.say("silent_after", limit=speech.span(timedelta(seconds=alert.silent_after)))
