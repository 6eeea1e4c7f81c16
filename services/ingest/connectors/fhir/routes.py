"""``POST /v1/fhir/{connector}/notifications``: where FHIR servers say that something has changed.

A notification is a signal and never the carrier: it lets its connector read at once. What it holds
beside its status is neither decoded further nor kept.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import asyncpg
import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.chassis.clock import Clock
from services.chassis.database import load_queries
from services.chassis.problems import Problem
from services.chassis.settings import SecretFileError, read_secret_text
from services.ingest.body import BodyReader, BytesInFlight
from services.ingest.connectors.configuration import ConfigurationError
from services.ingest.connectors.connector import Configured, RouteNeeds
from services.ingest.connectors.fhir.config import FhirConfig
from services.ingest.connectors.fhir.notifications import (
    Heard,
    NotANotificationError,
    Notification,
    hear,
    read_notification,
)

_SQL: Final = load_queries(Path(__file__).parents[2] / "sql" / "fhir.sql")
_MAX_BODY_BYTES: Final = 8 * 1024 * 1024
_MAX_IN_FLIGHT_BYTES: Final = 32 * 1024 * 1024
_BEARER: Final = "Bearer "


class _Metrics:
    """What is counted of notifications."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notifications = Counter(
            "ingest_fhir_notifications",
            "Notifications of FHIR subscriptions, by what they are.",
            ("connector", "type"),
            registry=registry,
        )
        self.missed = Counter(
            "ingest_fhir_missed_events",
            "Events of FHIR subscriptions whose notification did not come; they are read again.",
            ("connector",),
            registry=registry,
        )
        self.active = Gauge(
            "ingest_fhir_subscription_active",
            "1 when the last notification says that its subscription is active, 0 when it is not.",
            ("connector",),
            registry=registry,
        )
        self.heard_at = Gauge(
            "ingest_fhir_last_notification_timestamp_seconds",
            "When the last notification came, heartbeats too, seconds since the epoch.",
            ("connector",),
            registry=registry,
        )


@dataclass(frozen=True, slots=True)
class _Hook:
    """By what a connector's notifications are known."""

    header: str
    secret: bytes

    def knows(self, request: Request) -> bool:
        said = request.headers.get(self.header, "").removeprefix(_BEARER)
        # The bytes as they came.
        return hmac.compare_digest(said.encode("latin-1"), self.secret)


def router(configured: Sequence[Configured[FhirConfig]], needs: RouteNeeds) -> APIRouter:
    """The route.

    Raises:
        ConfigurationError: a file with a secret cannot be read.
    """
    routes = APIRouter()
    # Told without any connector as well, so that an alert on them is not about nothing.
    metrics = _Metrics(needs.registry)
    hooks = _hooks(configured)
    if not hooks:
        return routes
    in_flight = BytesInFlight(_MAX_IN_FLIGHT_BYTES)
    log = structlog.get_logger(__name__)

    @routes.post(
        "/v1/fhir/{connector}/notifications",
        summary="Take a notification of a FHIR subscription",
        description="A bundle whose first entry is a SubscriptionStatus (R4B) or the Parameters of "
        "the Subscriptions R5 Backport guide (R4), or an empty body. It wants the header and the "
        "secret of the connector's configuration.",
    )
    async def notified(connector: str, request: Request) -> Response:
        hook = hooks.get(connector)
        if hook is None:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                detail="There is no FHIR connector of this name that takes notifications.",
            )
        if not hook.knows(request):
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                detail=f"The header {hook.header} must hold the secret of this connector.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        with BodyReader(request, in_flight, _MAX_BODY_BYTES) as reader:
            said = _decode(await reader.read())
        now = needs.clock.now()
        metrics.heard_at.labels(connector).set(now.timestamp())
        if said is None:
            metrics.notifications.labels(connector, "empty").inc()
            await needs.wake(connector)
            return Response()
        metrics.notifications.labels(connector, said.type).inc()
        metrics.active.labels(connector).set(said.status == "active")
        if said.status not in ("active", "requested"):
            log.warning(
                "a FHIR subscription does not work; look at it on the server, or make it anew",
                connector=connector,
                status=said.status,
            )
        missed = await _keep(needs.pool, connector, said, needs.clock)
        if missed:
            metrics.missed.labels(connector).inc(missed)
            log.warning("notifications were missed", connector=connector, events=missed)
        if missed or said.type != "heartbeat":
            await needs.wake(connector)
        return Response()

    return routes


def _hooks(configured: Sequence[Configured[FhirConfig]]) -> Mapping[str, _Hook]:
    hooks = {}
    for one in configured:
        hook = one.config.notifications
        if hook is None:
            continue
        try:
            secret = read_secret_text(hook.secret_file)
        except SecretFileError as error:
            raise ConfigurationError(f"connector {one.name}: {error}") from None
        hooks[one.name] = _Hook(hook.header, secret.encode())
    return hooks


def _decode(body: bytes) -> Notification | None:
    if not body.strip():
        return None
    try:
        return read_notification(json.loads(body))
    except NotANotificationError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, detail=f"No notification: {error}.") from None
    except (ValueError, RecursionError):
        raise Problem(
            HTTPStatus.BAD_REQUEST, detail="The body is no JSON; send FHIR JSON."
        ) from None


async def _keep(pool: asyncpg.Pool, connector: str, said: Notification, clock: Clock) -> int:
    """Keep which event was heard last; returns how many were found missed by it."""
    now = clock.now()
    key = (connector, said.subscription)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_SQL["create_subscription"], *key, now)
        row = await connection.fetchrow(_SQL["lock_subscription"], *key)
        is_first = row["last_event"] < 0
        before = None if is_first else Heard(row["last_event"], row["missed_events"])
        after = hear(before, said)
        await connection.execute(
            _SQL["keep_subscription"], *key, said.status, after.last, after.missed, now
        )
    return after.missed - (before.missed if before else 0)
