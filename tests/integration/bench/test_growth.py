"""The measurement of growth comes to its end at a small size. No time is asserted."""

import asyncio
import json
import sys

from tests.bench.servers import disk_bytes


async def test_growth_prints_a_row_for_each_size_and_json() -> None:
    arguments = ["--citizens", "200", "600", "--facts", "1", "--events", "500"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.growth", *arguments, "--partitions", "4"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    found = json.loads(said.decode().splitlines()[-1])
    sizes = found["sizes"]
    assert [one["citizens"] for one in sizes] == [200, 600]
    assert [one["after"] for one in sizes] == [400, 1_200]
    assert all((one["events"], one["refused"]) == (500, 0) for one in sizes)
    speeds = [one["events_per_second"] for one in sizes]
    assert found["fall"] == round(1 - speeds[1] / speeds[0], 3)


def test_five_million_citizens_are_said_to_take_some_gigabytes() -> None:
    assert 5e9 < disk_bytes(21_000_000) < 20e9
