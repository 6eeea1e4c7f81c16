"""The mutants: which texts of the sources they replace, and what must catch them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


class MutationError(Exception):
    """The sources no longer hold the text that a mutant replaces; adapt the mutant."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that catches mutants: tests by their path, or a fault suite.

    That of the whole line takes a plan, that of the notifier the points at which it is killed.
    """

    tests: str | None = None
    plan: str | None = None
    points: str | None = None

    def __str__(self) -> str:
        if self.tests is not None:
            return self.tests
        if self.plan is not None:
            return f"the fault suite ({self.plan})"
        return f"the notifier's fault suite ({self.points})"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What is run: a module of Python, and its arguments."""
        if self.tests is not None:
            return ("pytest", "-q", "-x", "-p", "no:cacheprovider", self.tests)
        if self.plan is not None:
            return ("tests.fault", "--seed=1", "--events=3000", f"--plan={self.plan}")
        size = ("--alerts=100", "--rounds=1", "--patience=60")
        return ("tests.fault.notifier", "--seed=1", *size, f"--points={self.points}")


@dataclass(frozen=True, slots=True)
class Edit:
    """One text that stands once in a file, and what takes its place."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken promise."""

    name: str
    edits: tuple[Edit, ...]
    caught_by: tuple[Check, ...]


def plant(mutant: Mutant, folder: Path) -> None:
    """Change the sources in a folder.

    Raises:
        MutationError: a text is not there, or not only once.
    """
    for edit in mutant.edits:
        file = folder / edit.file
        source = file.read_text(encoding="utf-8")
        times = source.count(edit.old)
        if times != 1:
            raise MutationError(
                f"mutant {mutant.name!r}: {edit.file} holds its text {times} times instead of "
                f"once; adapt tests/fault/mutations.py:\n{edit.old}"
            )
        file.write_text(source.replace(edit.old, edit.new), encoding="utf-8")


_ANY_STRIKE: Final = Check(plan="kill worker")

MUTANTS: Final = (
    Mutant(
        "Kafka commit first",
        (
            Edit(
                "services/scoring/consumer.py",
                "            positions = await asyncio.gather(\n",
                "            ends = {shard: records[-1].offset + 1 "
                "for shard, records in by_shard.items()}\n"
                "            await self._commit(ends)\n"
                "            await asyncio.gather(\n",
            ),
            Edit(
                "services/scoring/consumer.py",
                "            await self._commit(dict(zip(by_shard, positions, strict=True)))\n",
                "",
            ),
        ),
        (Check(plan="kill shard.before-commit"),),
    ),
    Mutant(
        "no compare-and-set",
        (
            Edit(
                "services/scoring/shard.py",
                "            if await store.lock(connection, shard) != (held.next_offset, held.batch):\n"
                "                raise _MovedError\n",
                "            _, held.batch = await store.lock(connection, shard)\n",
            ),
        ),
        (
            Check(plan="stop shard.before-transaction; stop shard.after-commit"),
            Check(tests="tests/integration/scoring/test_shard_transaction.py"),
        ),
    ),
    Mutant(
        "counters added without their masks",
        (
            Edit(
                "services/scoring/core/state.py",
                "        subjects.stand(rows, after)\n",
                "",
            ),
        ),
        (_ANY_STRIKE, Check(tests="tests/integration/scoring/test_shard_transaction.py")),
    ),
    Mutant(
        "HTTP answer before the broker's",
        (
            Edit(
                "services/ingest/pipeline.py",
                "            results = await asyncio.gather(\n",
                "            self._later = asyncio.gather(\n",
            ),
            Edit(
                "services/ingest/pipeline.py",
                "        for result in results:\n"
                "            if isinstance(result, BaseException):\n"
                "                raise result\n",
                "",
            ),
        ),
        (
            Check(plan="kill ingest.before-acknowledgement"),
            Check(tests="tests/integration/ingest/test_broker_away.py"),
        ),
    ),
    Mutant(
        "outbox marked before it is sent",
        (
            Edit(
                "services/scoring/publishing.py",
                '        await connection.execute(_SQL["mark_told"], rounds["rolled_up"])\n',
                "",
            ),
            Edit(
                "services/scoring/publishing.py",
                '        failpoint("outbox.before-send")\n',
                '        await connection.execute(_SQL["mark_told"], rounds["rolled_up"])\n'
                '        failpoint("outbox.before-send")\n',
            ),
        ),
        (Check(plan="join worker; kill outbox.before-send; kill outbox.before-send"),),
    ),
    Mutant(
        "older events overwrite newer",
        (
            Edit(
                "services/scoring/core/subjects.py",
                "        wins = writes.times[best] > times\n",
                "        wins = writes.times[best] != times\n",
            ),
        ),
        (_ANY_STRIKE, Check(tests="tests/unit/scoring/test_fold.py")),
    ),
)
