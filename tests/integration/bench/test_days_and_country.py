"""The measurements of days and of a country come to their end at a small size."""

import asyncio
import json
import sys
from typing import Any


async def run(module: str, *arguments: str) -> Any:
    """The JSON of the last line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.bench.{module}", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    return json.loads(said.decode().splitlines()[-1])


async def test_days_steps_twice_over_those_that_are_due() -> None:
    found = await run("days", "--citizens", "1000", "--due", "20", "--partitions", "4")
    started, running, under_new_rules = found["steps"]
    assert started["day"] < running["day"]
    assert all(20 <= step["due"] < 500 for step in (started, running))
    assert under_new_rules["day"] == running["day"]
    assert under_new_rules["seconds"] > 0
    assert sum(one["subjects"] for one in found["takeovers"]) >= 1_000


async def test_country_measures_each_number_of_processes() -> None:
    sizes = ("--citizens", "1000", "--facts", "1", "--events", "1000", "--communes", "100")
    found = await run("country", *sizes, "--partitions", "8", "--processes", "1", "2")
    assert [one["processes"] for one in found["runs"]] == [1, 2]
    assert all((one["events"], one["refused"]) == (1_000, 0) for one in found["runs"])
    same, anew = found["roll_ups"]
    assert same["written"] == 0 < anew["written"]
