"""Writes the events of one subject: ties in time, ids used twice, fields that nobody listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Final

from tests.e2e.hard.moments import REFORM, Moments, local_day

Event = dict[str, Any]

#: Event domain → the local source that may send it. Source: wire contract, "The embedded stack".
SOURCES: Final = {
    "identity": "urn:nhipso:source:vneid",
    "public-service": "urn:nhipso:source:dvc",
    "payment": "urn:nhipso:source:payments",
    "health": "urn:nhipso:source:ehr",
    "telecom": "urn:nhipso:source:telecom",
    "community": "urn:nhipso:source:community",
    "registry": "urn:nhipso:source:registry",
    "report": "urn:nhipso:source:report",
}


@dataclass(frozen=True)
class Codes:
    """Commune codes that were valid before and since the reform."""

    before: Sequence[str]
    since: Sequence[str]


class Desk:
    """What all pens share: chance, moments, codes, and ids that are unique in the stream."""

    def __init__(self, seed: int, now: datetime, codes: Codes) -> None:
        self.rng = Random(seed)
        self.moments = Moments(self.rng, now)
        self.codes = codes
        self._seed = seed
        self._numbers = count()

    def new_id(self) -> str:
        """An id; capitals, other scripts and lengths that sort differently in careless orders."""
        number = next(self._numbers)
        form = self.rng.choice(("{:d}", "E{:d}", "e-{:06d}", "ố-{:d}", "{:d}.z", "\U0001f4c7{:d}"))
        return f"{form.format(number)}/{self._seed}"

    def area(self, moment: datetime) -> str:
        """A code that some commune bore on the local day of a moment."""
        codes = self.codes.before if local_day(moment) < REFORM else self.codes.since
        if self.rng.random() < 0.3:  # codes of before that are used again since
            return self.rng.choice(self.codes.since)
        return self.rng.choice(codes)


class Pen:
    """Writes about one subject, whose events meet at a few moments again and again."""

    def __init__(self, desk: Desk, subject: str) -> None:
        self.desk = desk
        self.rng = desk.rng
        self.subject = subject
        self.events: list[Event] = []
        self._meetings = [desk.moments.draw() for _ in range(self.rng.randint(1, 4))]

    def moment(self) -> datetime:
        """A moment; often one at which something else has happened too."""
        if self.rng.random() < 0.5:
            return self.rng.choice(self._meetings)
        return self.desk.moments.draw()

    def write(self, name: str, data: dict[str, Any], moment: datetime) -> None:
        """Write an event of type ``vn.nhipso.<name>.v1``."""
        rng = self.rng
        event_id = self.desk.new_id()
        if self.events and rng.random() < 0.08:
            event_id = rng.choice(self.events)["id"]  # the source has used the id twice
        event: Event = {
            "specversion": "1.0",
            "id": event_id,
            "source": SOURCES[name.partition(".")[0]],
            "type": f"vn.nhipso.{name}.v1",
            "subject": self.subject,
            "time": self.desk.moments.written(moment),
            "data": self._shuffled(data),
        }
        if rng.random() < 0.7:
            event["datacontenttype"] = "application/json"
        if rng.random() < 0.05:
            event["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        self.events.append(event)

    def again(self, event: Event) -> Event:
        """The same event as it is sent once more, its time perhaps written in another way."""
        if self.rng.random() < 0.7:
            return event
        moment = datetime.fromisoformat(event["time"].upper())
        return {**event, "time": self.desk.moments.written(moment)}

    def _shuffled(self, data: dict[str, Any]) -> dict[str, Any]:
        fields = list(data.items())
        if self.rng.random() < 0.15:
            fields += [("colour", "đỏ"), ("nested", {"deep": [1, None]})]
        if self.rng.random() < 0.05:
            # Nobody listed this field, so it is dropped, and the number in it must go with it.
            fields.append(("owner", self.subject.partition(":")[2]))
        self.rng.shuffle(fields)
        return dict(fields)
