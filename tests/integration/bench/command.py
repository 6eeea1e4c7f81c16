"""Runs `nhipso` as a user would."""

import asyncio
import sys


async def run(*arguments: str) -> tuple[int, str, str]:
    """The exit code, what went to standard output, what to standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    return await process.wait(), said.decode(), complained.decode()
