"""The room of reports while ingest runs: the data that forms follow from, its routes and its task."""

from collections.abc import Sequence

import asyncpg
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from contracts import forms, reporting
from contracts.catalogue import Catalogue
from services.chassis.clock import Clock
from services.chassis.tokens import TokenVerifier
from services.ingest.core.check import Knowledge
from services.ingest.pipeline import Pipeline
from services.ingest.reports import routes, sending
from services.ingest.reports.core.form import Rules
from services.ingest.reports.metrics import ReportMetrics
from services.ingest.reports.taking import Reports
from services.ingest.settings import ReportingSettings


class ReportRoom:
    """What takes reports in."""

    def __init__(
        self,
        settings: ReportingSettings,
        catalogue: Catalogue,
        *,
        knowledge: Knowledge,
        registry: CollectorRegistry,
        clock: Clock,
    ) -> None:
        """Read the calendar and the wording of forms.

        Raises:
            CalendarError, FormsError: a file cannot be used; the message says why.
        """
        self.rules = Rules(
            areas=knowledge.areas,
            catalogue=catalogue,
            calendar=reporting.load(settings.folder, catalogue),
            forms=forms.load(settings.folder, catalogue),
        )
        self._knowledge = knowledge
        self._metrics = ReportMetrics(registry)
        self._max_file_bytes = settings.max_file_bytes
        self._clock = clock
        self._reports: Reports | None = None

    def open(
        self, pool: asyncpg.Pool, pipeline: Pipeline, tokens: TokenVerifier
    ) -> Sequence[APIRouter]:
        """Begin over an open database; returns the routes.

        They come behind those of periods, which lie under the same path.
        """
        self._reports = Reports(
            rules=self.rules,
            knowledge=self._knowledge,
            pool=pool,
            pipeline=pipeline,
            metrics=self._metrics,
            clock=self._clock,
        )
        return (
            sending.router(self._reports, tokens, self._metrics, self._max_file_bytes),
            routes.router(pool, tokens, self.rules.areas),
        )

    async def run(self) -> None:
        """Finish what a crash or an absent broker has left, until cancelled."""
        if self._reports is None:
            raise RuntimeError("the room of reports has not been opened")
        await self._reports.run()
