"""Counts and times HTTP requests, by route template, method and status: labels stay bounded."""

from time import perf_counter
from typing import Any, Final

from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHER: Final = "other"

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def histogram(registry: CollectorRegistry) -> Histogram:
    """Create `http_request_duration_seconds` in a registry."""
    return Histogram(
        "http_request_duration_seconds",
        "Seconds from a request to the first byte of its answer.",
        ("route", "method", "status"),
        buckets=_BUCKETS,
        registry=registry,
    )


class RequestMetrics:
    """ASGI middleware that observes each request once, when its answer starts.

    The start and not the end, so that a stream of events open for hours is no slow request.
    """

    def __init__(self, app: ASGIApp, *, durations: Histogram) -> None:
        self._app = app
        self._durations = durations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and observe its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        outer_root = scope.get("root_path", "")
        observed = False

        def observe(status: int) -> None:
            nonlocal observed
            if observed:
                return
            observed = True
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            labels = (_route(scope, outer_root), method, str(status))
            self._durations.labels(*labels).observe(perf_counter() - started)

        async def observing_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                observe(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, observing_send)
        except Exception:
            # The answer to what nobody handled is made outside of this middleware.
            observe(500)
            raise


def _route(scope: Scope, outer_root: str) -> str:
    """Return the template of the matched route, or "other" when nothing matched."""
    mounted = str(scope.get("root_path", "")).removeprefix(outer_root)
    template = _template(scope)
    if template is None:
        # A mounted application without routes (files) is one label; what matched nothing another.
        return f"{mounted}/{{path}}" if mounted else OTHER
    return mounted + template


def _template(scope: Scope) -> str | None:
    # FastAPI keeps an included router's route without the router's prefix in scope["route"]; the
    # whole template is in its own room of the scope (0.165; a test holds it).
    included: Any = scope.get("fastapi", {}).get("effective_route_context")
    for route in (included, scope.get("route")):
        template = getattr(route, "path_format", None)
        if isinstance(template, str) and template:
            return template
    return None
