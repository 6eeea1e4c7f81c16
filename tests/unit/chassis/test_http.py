from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.chassis import buildinfo
from services.chassis.http import create_app
from services.chassis.problems import Problem
from services.chassis.readiness import Readiness

Serve = Callable[[FastAPI], str]


class Body(BaseModel):
    number: int


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def app(readiness: Readiness, registry: CollectorRegistry) -> FastAPI:
    app = create_app(
        title="example",
        version="1.2.3",
        description="An example.",
        lifespan=lifespan,
        readiness=readiness,
        registry=registry,
    )
    router = APIRouter()

    @router.get("/items/{item}")
    async def item(item: int) -> int:
        if item == 0:
            raise Problem(
                409,
                "Busy",
                "Come back in a second.",
                headers={"Retry-After": "1"},
                type="/problems/busy",
                limit=3,
            )
        if item < 0:
            raise HTTPException(404, "No such item.")
        return item

    @router.post("/items")
    async def add(body: Body) -> int:
        return body.number

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret of the inside")

    app.include_router(router, prefix="/v1")
    app.mount(
        "/files", Starlette(routes=[Route("/{name}", lambda _: PlainTextResponse("content"))])
    )
    return app


async def ask(url: str, method: str = "GET", **options: Any) -> tuple[int, Any, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **options) as answer,
    ):
        body = await (
            answer.json(content_type=None) if "json" in answer.content_type else answer.text()
        )
        return answer.status, body, answer.headers


async def test_a_process_that_runs_says_so(app: FastAPI, served: Serve) -> None:
    status, body, _ = await ask(served(app) + "/healthz")
    assert (status, body) == (200, {"status": "alive"})


async def test_readiness_is_told_with_each_check(
    app: FastAPI, served: Serve, readiness: Readiness
) -> None:
    reason: str | None = None

    async def store() -> str | None:
        return reason

    readiness.add("store", store)
    url = served(app) + "/readyz"
    status, body, _ = await ask(url)
    assert (status, body) == (200, {"status": "ready", "checks": {"store": "ok"}})
    reason = "no connection"
    status, body, _ = await ask(url)
    assert (status, body) == (503, {"status": "not ready", "checks": {"store": "no connection"}})


async def test_a_problem_is_answered_as_it_was_raised(app: FastAPI, served: Serve) -> None:
    status, body, headers = await ask(served(app) + "/v1/items/0")
    assert status == 409
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Retry-After"] == "1"
    assert body == {
        "type": "/problems/busy",
        "title": "Busy",
        "status": 409,
        "detail": "Come back in a second.",
        "limit": 3,
    }


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/items/-1", {"title": "Not Found", "status": 404, "detail": "No such item."}),
        ("GET", "/nowhere", {"title": "Not Found", "status": 404}),
        ("DELETE", "/v1/items/1", {"title": "Method Not Allowed", "status": 405}),
    ],
)
async def test_every_http_error_is_a_problem(
    method: str, path: str, expected: dict[str, Any], app: FastAPI, served: Serve
) -> None:
    status, body, headers = await ask(served(app) + path, method)
    assert headers["Content-Type"] == "application/problem+json"
    assert body == {"type": "about:blank", **expected}
    assert status == expected["status"]


async def test_an_invalid_request_is_told_where_but_its_values_are_not_repeated(
    app: FastAPI, served: Serve
) -> None:
    status, body, headers = await ask(
        served(app) + "/v1/items", "POST", json={"number": "012345678901x"}
    )
    assert status == 422
    assert headers["Content-Type"] == "application/problem+json"
    assert body["errors"][0]["where"] == "body.number"
    assert "integer" in body["errors"][0]["detail"]
    assert "012345678901x" not in str(body)


async def test_an_error_nobody_foresaw_shows_nothing_of_the_inside(
    app: FastAPI, served: Serve, registry: CollectorRegistry
) -> None:
    status, body, headers = await ask(served(app) + "/v1/broken")
    assert status == 500
    assert headers["Content-Type"] == "application/problem+json"
    assert "secret" not in str(body)
    assert count(registry, "/v1/broken", "GET", 500) == 1


def count(registry: CollectorRegistry, route: str, method: str, status: int) -> float:
    labels = {"route": route, "method": method, "status": str(status)}
    return registry.get_sample_value("http_request_duration_seconds_count", labels) or 0


async def test_requests_are_counted_by_route_template_so_labels_stay_bounded(
    app: FastAPI, served: Serve, registry: CollectorRegistry
) -> None:
    url = served(app)
    for method, path in [
        ("GET", "/v1/items/1"),
        ("GET", "/v1/items/2"),
        ("DELETE", "/v1/items/3"),
        ("GET", "/files/a"),
        ("GET", "/files/b"),
        ("GET", "/files/a/b"),
        ("GET", "/guess/1"),
        ("GET", "/guess/2"),
        ("INVENTED", "/guess/3"),
    ]:
        await ask(url + path, method)
    assert count(registry, "/v1/items/{item}", "GET", 200) == 2
    assert count(registry, "/v1/items/{item}", "DELETE", 405) == 1
    assert count(registry, "/files/{name}", "GET", 200) == 2
    assert count(registry, "/files/{path}", "GET", 404) == 1
    assert count(registry, "other", "GET", 404) == 2
    assert count(registry, "other", "other", 404) == 1


async def test_metrics_tell_the_build_and_the_start_of_the_process(
    app: FastAPI, served: Serve
) -> None:
    status, body, headers = await ask(served(app) + "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert 'service="example"' in body
    assert 'version="1.2.3"' in body
    assert "process_start_time_seconds" in body


async def test_the_interface_is_described_and_pages_of_documentation_are_off(
    app: FastAPI, served: Serve
) -> None:
    url = served(app)
    _, description, _ = await ask(url + "/openapi.json")
    assert list(description["paths"]) == ["/v1/items/{item}", "/v1/items", "/v1/broken"]
    responses = description["paths"]["/v1/items"]["post"]["responses"]
    assert "application/problem+json" in responses["default"]["content"]
    assert "422" not in responses
    for path in ("/docs", "/redoc"):
        assert (await ask(url + path))[0] == 404


def test_the_version_is_that_of_the_installed_project() -> None:
    assert buildinfo.version()[0].isdigit()
