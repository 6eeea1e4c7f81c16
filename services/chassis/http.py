"""The HTTP shell of a process: health, readiness, metrics, problem details around its own routes."""

from http import HTTPStatus

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Lifespan

from services.chassis import buildinfo, http_metrics, problems
from services.chassis.readiness import OK, Readiness


def create_app(
    *,
    title: str,
    version: str,
    description: str,
    lifespan: Lifespan[FastAPI] | None,
    readiness: Readiness,
    registry: CollectorRegistry,
) -> FastAPI:
    """Build an app with what every process answers; the caller adds its own routes.

    `/healthz` says that the process runs, `/readyz` whether it can work (200 or 503, with each
    check's result), `/metrics` is for Prometheus; these three are open to all. Errors are problem
    details. Pages of documentation are off, `/openapi.json` is on.

    Args:
        title: the name of the service, also in `build_info`.
        version: the version of the build, see `buildinfo.version`.
        description: what the service is for, in Markdown, for OpenAPI.
        lifespan: opens and closes what the routes need.
        readiness: the checks behind `/readyz`; they may be added later.
        registry: where the metrics of this process are; one app a registry.
    """
    app = FastAPI(
        title=title,
        version=version,
        description=description,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
        # FastAPI's own telemetry keeps the bodies of requests for whoever is plugged in; no.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app)
    buildinfo.register(registry, service=title, version=version)
    app.add_middleware(http_metrics.RequestMetrics, durations=http_metrics.histogram(registry))

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "alive"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        checks = await readiness.run()
        ready = all(result == OK for result in checks.values())
        return JSONResponse(
            {"status": "ready" if ready else "not ready", "checks": checks},
            status_code=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app
