"""What a run of the notifier's fault suite came to."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    """What a run came to."""

    seed: int
    alerts: int
    kills: int = 0
    stops: int = 0
    """Processes that slept past their lease and their session, and woke up."""
    ended: int = 0
    """Connections that the server ended while an outcome was being committed."""
    unsure: int = 0
    """Messages of which the sender could not know that they had been taken."""
    repeats: int = 0
    """Messages that came again under the same id, as at-least-once allows."""
    starts: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note what is not as it must be."""
        if found != wanted:
            self.wrong.append(f"{what}: {found} instead of {wanted}")

    def table(self) -> str:
        """The verdict."""
        rows = [
            ("alerts", self.alerts),
            ("processes killed", self.kills),
            ("processes stopped, and woken", self.stops),
            ("connections ended during COMMIT", self.ended),
            ("messages without an answer", self.unsure),
            ("processes started", self.starts),
            ("messages repeated under their id", self.repeats),
        ]
        lines = [f"{what:<40}{number:>8}" for what, number in rows]
        said = "0 lost, 0 told twice" if not self.wrong else f"{len(self.wrong)} differences:"
        shown = [f"  {one}" for one in self.wrong[:20]]
        return "\n".join([*lines, "", f"seed {self.seed}, {self.seconds:.0f} s: {said}", *shown])
