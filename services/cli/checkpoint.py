"""How far the demonstration's simulator has come, kept beside `endpoints.json`.

The file lets a second `nhipso up` go on instead of filling the province again. It may be behind by
what was on the way when the process died: that is sent twice, which changes nothing.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from contracts.times import format_rfc3339, parse_rfc3339

FILE_NAME: Final = "simulator.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A stream by what makes it repeatable, and how much of it has been answered.

    `filled` counts events of the filling. `lived` is the first step of the living that was surely
    not sent: it is written ahead, because a step must not be used twice with different times.
    """

    seed: int
    citizens: int
    started_at: datetime
    filled: int = 0
    fill_done: bool = False
    lived: int = 0

    def is_of(self, seed: int, citizens: int) -> bool:
        """Whether it belongs to the stream with this seed and size."""
        return (self.seed, self.citizens) == (seed, citizens)

    def after_filling(self, events: int) -> "Checkpoint":
        """With so many more events of the filling answered."""
        return replace(self, filled=self.filled + events)

    def living_from(self, step: int) -> "Checkpoint":
        """With the filling done and all steps before this one used up."""
        return replace(self, fill_done=True, lived=step)


def read_checkpoint(file: Path) -> Checkpoint | None:
    """The checkpoint in a file; None when there is none or it cannot be used any more."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Checkpoint(
            seed=int(content["seed"]),
            citizens=int(content["citizens"]),
            started_at=parse_rfc3339(content["started_at"]),
            filled=int(content["filled"]),
            fill_done=bool(content["fill_done"]),
            lived=int(content["lived"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_checkpoint(file: Path, checkpoint: Checkpoint) -> None:
    """Replace the file as a whole, so that a reader never sees half of it."""
    content = asdict(checkpoint) | {"started_at": format_rfc3339(checkpoint.started_at)}
    draft = file.with_suffix(".json.new")
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draft.replace(file)
