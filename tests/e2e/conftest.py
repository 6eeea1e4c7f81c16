"""A running line for the tests of a module, and the log of what they have sent through it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.e2e import line as lines
from tests.e2e.comparison import Oracle
from tests.e2e.hard.stream import Item


@dataclass
class Ledger:
    """Everything that tests have sent to the line, since each adds to what stands there."""

    items: list[Item] = field(default_factory=list)

    def oracle(self) -> Oracle:
        """What all accepted events lead to."""
        return Oracle(item.event for item in self.items if item.reason is None)


@dataclass(frozen=True)
class Sent:
    """A running line with its ledger."""

    line: lines.Line
    ledger: Ledger


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    with lines.running(tmp_path_factory.mktemp("line")) as line:
        yield Sent(line, Ledger())
