"""Start the dashboard: ``python -m services.dashboard``. Everything is wired here, once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.chassis import buildinfo, logs
from services.chassis.clock import SystemClock
from services.chassis.http import create_app
from services.chassis.process import serve
from services.chassis.readiness import Readiness
from services.chassis.settings import load
from services.dashboard.pages import Pages, add_routes
from services.dashboard.reading import Reading
from services.dashboard.settings import ServiceEnvironment
from services.dashboard.siblings import Siblings


def build(environment: ServiceEnvironment) -> FastAPI:
    """Wire the process."""
    settings = environment.dashboard
    readiness = Readiness()
    readings: list[Reading] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            reading = Reading(session, settings)
            readings.append(reading)
            readiness.add("scoring", reading.check_scoring)
            readiness.add("notifier", reading.check_notifier)
            yield

    app = create_app(
        title="dashboard",
        version=buildinfo.version(),
        description="Pages for people: how the province and each commune stand.",
        lifespan=lifespan,
        readiness=readiness,
        registry=CollectorRegistry(),
    )
    siblings = Siblings(lambda: readings[-1], SystemClock())
    add_routes(app, Pages(lambda: readings[-1], siblings, settings.refresh_seconds))
    return app


def main() -> None:
    """Run the service until it is told to stop."""
    environment = load(ServiceEnvironment)
    logs.configure("dashboard", environment.log)
    serve(build(environment), environment.http)


if __name__ == "__main__":
    main()
