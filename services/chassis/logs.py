"""One log for the whole process: structlog and the standard library, on standard error.

Values of local variables are never rendered with a traceback: they may be somebody's data.
"""

import logging
import sys
from types import TracebackType
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from services.chassis.settings import LogSettings

# Loggers that bring a handler of their own, and would write beside ours.
_FASTSTREAM_LOGGERS: Final = ("faststream", "faststream.access.kafka")


def configure(service: str, settings: LogSettings) -> None:
    """Send every log of the process through one renderer; call it first, once.

    Each line has `timestamp` (ISO 8601, UTC), `level`, `service`, `logger` and `event`. Warnings
    of the interpreter and errors nobody caught are logged too. HTTP accesses are not: they are
    metrics.
    """
    # structlog's own entries; `logger` is the name given to `structlog.get_logger`.
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _service_adder(service),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _drop_colours,
                *_renderers(settings),
            ],
        )
    )
    level = settings.level.upper()
    # The level stands on the handler too, for loggers that forward to it past the root.
    handler.setLevel(level)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = True
    _adopt_faststream(handler)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught


class _Forwarding(logging.StreamHandler):  # type: ignore[type-arg]
    """Passes records to another handler.

    FastStream 0.7 gives its loggers a coloured handler and cuts them off from the root, some when
    it is imported, some when a broker starts; but it leaves a logger alone that already has a
    handler on standard output. This is such a handler in name only.
    """

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(sys.stdout)
        self._target = target

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= self._target.level:
            self._target.handle(record)


def _adopt_faststream(target: logging.Handler) -> None:
    for name in _FASTSTREAM_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [_Forwarding(target)]
        logger.propagate = False


def _renderers(settings: LogSettings) -> list[Processor]:
    if settings.format == "console":
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _service_adder(service: str) -> Processor:
    def add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add_service


def _drop_colours(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drop uvicorn's second, coloured copy of its message."""
    event.pop("color_message", None)
    return event


def _log_uncaught(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    structlog.get_logger(__name__).critical(
        "stopped by an error nobody caught", exc_info=(kind, error, traceback)
    )
