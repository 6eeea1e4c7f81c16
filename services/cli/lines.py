"""Reads a file of events line by line, without changing a byte of what will be sent.

A line is looked into only far enough to see that it is JSON and which source it names: everything
else is for ingest to judge.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, NoReturn


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank: its number (from 1), its bytes, the source it names if any.

    `objection` says why it is not JSON and cannot be part of a request; None when it is.
    """

    number: int
    text: bytes
    source: str | None
    objection: str | None = None


def read_lines(stream: IO[bytes]) -> Iterator[Line]:
    """The lines that are not blank."""
    for number, raw in enumerate(stream, 1):
        text = raw.strip()
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")  # what some editors put before UTF-8
        if text:
            yield _line(number, text)


def _line(number: int, text: bytes) -> Line:
    try:
        content: Any = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        return Line(number, text, None, f"not UTF-8 at byte {error.start + 1} of the line")
    except json.JSONDecodeError as error:
        return Line(number, text, None, f"not JSON: {error.msg} at character {error.pos + 1}")
    except (ValueError, RecursionError) as error:
        return Line(number, text, None, f"not JSON: {error}")
    source = content.get("source") if isinstance(content, dict) else None
    return Line(number, text, source if isinstance(source, str) else None)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
