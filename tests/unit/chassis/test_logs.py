import json
import subprocess
import sys
from datetime import datetime
from typing import Any

PROGRAM = """
import logging, sys, warnings
import structlog
from services.chassis import logs
from services.chassis.settings import LogSettings

logs.configure("example", LogSettings(level={level!r}, format={format!r}))
{body}
"""


def run(body: str, level: str = "info", form: str = "json") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(level=level, format=form, body=body)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def lines(body: str, level: str = "info") -> list[dict[str, Any]]:
    ended = run(body, level)
    assert ended.stdout == ""
    return [json.loads(line) for line in ended.stderr.splitlines()]


def test_a_line_has_time_level_service_and_event() -> None:
    (line,) = lines('structlog.get_logger("a").info("area changed", area="xã 1", count=3)')
    moment = datetime.fromisoformat(line.pop("timestamp"))
    assert moment.utcoffset() is not None
    assert line == {
        "level": "info",
        "service": "example",
        "logger": "a",
        "event": "area changed",
        "area": "xã 1",
        "count": 3,
    }


def test_libraries_speak_through_the_same_renderer() -> None:
    found = lines(
        'logging.getLogger("uvicorn.error").info("up %d", 3, extra={"color_message": "x"})\n'
        'logging.getLogger("aiokafka").warning("slow")\n'
        'warnings.warn("old")'
    )
    assert [line["event"] for line in found[:2]] == ["up 3", "slow"]
    assert all(line["service"] == "example" for line in found)
    assert "color_message" not in found[0]
    assert found[2]["logger"] == "py.warnings"


def test_accesses_are_not_logged() -> None:
    assert lines('logging.getLogger("uvicorn.access").info("GET /")') == []


def test_faststream_is_brought_into_line_though_it_is_imported_later() -> None:
    found = lines(
        "from faststream.kafka import KafkaBroker\n"
        "from faststream._internal.logger import logger\n"
        'logger.info("one")\n'
        'broker = KafkaBroker("127.0.0.1:1")\n'
        "broker.config.logger._setup(broker.context)  # as its start does\n"
        'broker.config.logger.log("two")\n'
    )
    assert [line["event"] for line in found] == ["one", "two"]


def test_the_level_holds_for_all() -> None:
    body = (
        'structlog.get_logger("a").info("x")\n'
        'logging.getLogger("b").info("x")\n'
        "from faststream._internal.logger import logger\n"
        'logger.info("x")\n'
        'structlog.get_logger("a").error("y")\n'
    )
    assert [line["event"] for line in lines(body, "warning")] == ["y"]


def test_an_error_nobody_caught_is_one_line_without_values_of_variables() -> None:
    body = "def f():\n    number = 'very-' + 'secret'\n    raise RuntimeError('bad')\nf()"
    (line,) = lines(body)
    assert line["level"] == "critical"
    assert "RuntimeError: bad" in line["exception"]
    assert "very-secret" not in json.dumps(line)
    ended = run(body, form="console")
    assert "RuntimeError: bad" in ended.stderr
    assert "very-secret" not in ended.stderr
    assert ended.returncode == 1
