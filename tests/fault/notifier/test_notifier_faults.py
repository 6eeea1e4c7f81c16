"""The notifier's fault suite in its short form. The long one is `make test-fault-notifier`."""

import os
import secrets
from pathlib import Path
from typing import Final

import pytest

from services.chassis import failpoints
from tests.fault.notifier.striking import POINTS
from tests.fault.notifier.suite import Asked, run

ALERTS: Final = 300
SERVICES: Final = Path(failpoints.__file__).parents[1]


# The suite gives up by itself, and says on what.
@pytest.mark.timeout(900)
async def test_whatever_strikes_each_alert_is_told_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("FAULT_SEED", secrets.randbelow(10**6)))
    said: list[str] = []
    try:
        report = await run(tmp_path, Asked(seed, ALERTS), said.append)
    except Exception as error:
        error.add_note("\n".join([f"FAULT_SEED={seed}", *said]))
        raise
    assert not report.wrong, "\n".join([report.table(), *said])


@pytest.mark.parametrize("point", POINTS)
def test_each_point_stands_in_the_sources(point: str) -> None:
    sources = [file.read_text(encoding="utf-8") for file in SERVICES.rglob("*.py")]
    assert sum(source.count(f'failpoint("{point}")') for source in sources) == 1
