"""The mutants: which texts of the sources they replace, and what must catch them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


class MutationError(Exception):
    """The sources no longer hold the text that a mutant replaces; adapt the mutant."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something that catches mutants: tests by their path, or the fault suite with a plan."""

    tests: str | None = None
    plan: str | None = None

    def __str__(self) -> str:
        return self.tests or f"the fault suite ({self.plan})"


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
                "[record for record in records if record.offset >= position.next_offset]",
                "list(records)",
            ),
        ),
        (
            Check(plan="kill consumer.before-kafka-commit; stop shard.before-transaction"),
            Check(tests="tests/integration/scoring/test_shard_transaction.py"),
        ),
    ),
    Mutant(
        "counters added without their masks",
        (
            Edit(
                "services/scoring/shard.py",
                "(name, packed, standing.area_id, standing.population, standing.numerator, due)",
                "(name, packed, None, 0, 0, due)",
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
                '        failpoint("outbox.after-acknowledgement")\n'
                "        columns = [\n"
                '            [row[name] for row in rows] for name in ("area_id", "indicator", '
                '"basis", "version")\n'
                "        ]\n"
                '        await connection.execute(_SQL["mark_figures_told"], *columns)\n',
                "",
            ),
            Edit(
                "services/scoring/publishing.py",
                '        failpoint("outbox.before-send")\n',
                "        columns = [\n"
                '            [row[name] for row in rows] for name in ("area_id", "indicator", '
                '"basis", "version")\n'
                "        ]\n"
                '        await connection.execute(_SQL["mark_figures_told"], *columns)\n'
                '        failpoint("outbox.before-send")\n',
            ),
        ),
        (Check(plan="kill outbox.before-send"),),
    ),
    Mutant(
        "older events overwrite newer",
        (
            Edit(
                "services/scoring/core/facts.py",
                "            if old is None or later(new, old):\n",
                "            if old != new:\n",
            ),
        ),
        (_ANY_STRIKE, Check(tests="tests/unit/scoring/test_fold.py")),
    ),
)
