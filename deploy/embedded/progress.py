"""What the stack tells about itself while it starts, runs and stops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """What happened to a program, or to the stack as a whole."""

    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    DIED = "died"
    STOPPING = "stopping"
    STOPPED = "stopped"
    NOTE = "note"
    RUNNING = "running"


@dataclass(frozen=True)
class Progress:
    """One thing that happened.

    `name` is the program's, or `stack`. `seconds` count from the beginning of `up`. `detail` is a
    sentence for people. `addresses` come with the stack's RUNNING: what for, and where.
    """

    name: str
    state: State
    seconds: float
    detail: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)


Report = Callable[[Progress], None]
