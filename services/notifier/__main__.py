"""Start the notifier: ``python -m services.notifier``. Everything is wired here, once."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

import aiohttp
import asyncpg
from fastapi import FastAPI
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry

from contracts import agencies, areas, catalogue, holidays
from contracts.agencies import AgenciesError
from contracts.areas import AreasError
from contracts.catalogue import CatalogueError
from contracts.holidays import Holidays, HolidaysError
from contracts.topics import ALERT_EVENTS, INDICATOR_EVENTS, REPORT_EVENTS, TOPIC_CONFIGS
from services.chassis import buildinfo, database, logs
from services.chassis.batches import broker_of
from services.chassis.clock import Clock, SystemClock
from services.chassis.http import create_app
from services.chassis.kafka import ensure_topics
from services.chassis.process import Tasks, serve
from services.chassis.readiness import Readiness
from services.chassis.settings import SecretFileError, load, read_secret, read_secret_text
from services.chassis.tokens import JwksError, TokenVerifier
from services.notifier import routing, rules
from services.notifier.acknowledge_page import AcknowledgePage, add_acknowledge_page
from services.notifier.acknowledging import add_acknowledgement_routes
from services.notifier.callers import Acting, Sight
from services.notifier.core.causes import Domain
from services.notifier.core.route import GROUP_PREFIX
from services.notifier.http import Api, add_routes
from services.notifier.http_digests import add_digest_routes
from services.notifier.http_receivers import add_receiver_routes
from services.notifier.http_targets import add_target_routes
from services.notifier.links import Links
from services.notifier.metrics import NotifierMetrics
from services.notifier.pipeline.beat import Beat
from services.notifier.pipeline.calendar import Calendar
from services.notifier.pipeline.consuming import Consuming
from services.notifier.pipeline.delivering import AT_ONCE, Delivering, Send
from services.notifier.pipeline.digesting import Digesting
from services.notifier.pipeline.evaluating import Evaluating
from services.notifier.pipeline.mirroring import Mirroring
from services.notifier.pipeline.observing import Observing
from services.notifier.pipeline.promising import Promising
from services.notifier.pipeline.publishing import Publishing
from services.notifier.pipeline.reminded import Reminded
from services.notifier.pipeline.telling import Telling
from services.notifier.pipeline.tending import Tending
from services.notifier.receivers import reading
from services.notifier.receivers.alertmanager.sending import AlertmanagerSender
from services.notifier.receivers.chat.sending import ChatSender
from services.notifier.receivers.chat.slack import SlackChat
from services.notifier.receivers.chat.tokens import KEY_BYTES, ZaloSecrets, ZaloTokens
from services.notifier.receivers.chat.zalo import ZaloChat
from services.notifier.receivers.digest import trying
from services.notifier.receivers.digest.sending import DigestMailer, DigestPoster
from services.notifier.receivers.digest.subscribing import KIND_PREFIX
from services.notifier.receivers.digest.trying import either
from services.notifier.receivers.email.sending import EmailSender
from services.notifier.receivers.reading import Receivers, ReceiversError
from services.notifier.receivers.webhook.sending import WebhookSender
from services.notifier.routing import RoutesError, Routing
from services.notifier.settings import NotifierSettings, ServiceEnvironment
from services.notifier.silencing import add_silence_routes
from services.notifier.stationery import Stationery
from services.notifier.store import SCHEMA, deliveries, migrations

DESCRIPTION = "Compares indicators with the pace to their targets and tells units that lag."

_PUBLISH_EVERY_SECONDS = 0.5
_BROKER_TIMEOUT_SECONDS = 1.5
_OBSERVE_EVERY_SECONDS = 2.0
_CALENDAR_EVERY_SECONDS = 60.0
_WANT_THE_BROKER = frozenset({"publishing", "observing the lag"})
_DELIVERING = "delivering"
_KEEP_TOKENS_EVERY_SECONDS = 3600.0
_LOOKUPS = 128
_MAILS_AT_ONCE = 16  # all mailboxes are behind one server, which counts our connections
_BY_MAIL = frozenset({"email", f"{KIND_PREFIX}email"})


Step = tuple[str, Callable[[datetime], Awaitable[None]], float]


class StartError(Exception):
    """The process cannot start; the message says why and what to do."""


def build(environment: ServiceEnvironment, clock: Clock) -> FastAPI:
    """Wire the process.

    Raises:
        StartError, RulesError, ReceiversError, RoutesError, HolidaysError, AgenciesError,
            AreasError, CatalogueError, JwksError, SecretFileError: a file cannot be used.
    """
    settings = environment.notifier
    registry = CollectorRegistry()
    metrics = NotifierMetrics(registry)
    readiness = Readiness()
    in_force, domain = _judging(environment)
    receivers = _receivers(settings, domain)
    days_off = holidays.load(settings.holidays_file)
    routes = _routing(settings, domain, receivers, days_off)
    # Read here and not in the lifespan: a mistake ends the start with one line.
    password = _password(settings)
    zalo = _zalo(settings)
    verifier = TokenVerifier.from_settings(environment.tokens)
    stationery = Stationery(Links.from_settings(settings.links), settings.contact)
    apis: list[Api] = []
    digestings: list[Digesting] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await database.migrate(
            environment.postgres.resolve(), schema=SCHEMA, migrations=migrations()
        )
        pool = await database.open_pool(
            environment.postgres, schema=SCHEMA, application_name="notifier"
        )
        await ensure_topics(
            environment.kafka,
            {name: TOPIC_CONFIGS[name] for name in (INDICATOR_EVENTS, ALERT_EVENTS, REPORT_EVENTS)},
        )
        broker = broker_of(environment.kafka, client_id="nhipso-notifier", registry=registry)
        consuming = Consuming(broker, pool, domain.catalogue, metrics)
        reminded = Reminded(broker, pool, metrics)
        evaluating = Evaluating(
            pool,
            domain,
            in_force,
            metrics,
            full_pass_every=timedelta(seconds=settings.full_pass_every_seconds),
        )
        digesting = Digesting(
            pool, domain, receivers, settings.timetable(days_off.is_holiday), stationery
        )
        digestings.append(digesting)
        apis.append(Api(pool, domain, clock))
        async with _session() as session, broker, Tasks() as tasks:
            tokens = _zalo_tokens(settings, session, zalo, pool=pool, clock=clock)
            senders = _senders(
                settings,
                session,
                password=password,
                tokens=tokens,
                pool=pool,
                receivers=receivers,
                metrics=metrics,
                clock=clock,
            )
            mirroring = Mirroring(
                AlertmanagerSender(session, timeout=settings.webhook_timeout_seconds, clock=clock),
                pool=pool,
                receivers=receivers,
                domain=domain,
                metrics=metrics,
                clock=clock,
                every=timedelta(seconds=settings.alertmanager_every_seconds),
                links=stationery.links,
            )
            beats: list[Beat] = []
            steps: list[Step] = [
                ("evaluating", evaluating.step, settings.evaluate_every_seconds),
                ("promising", Promising(pool, metrics).step, settings.evaluate_every_seconds),
                (
                    "telling",
                    Telling(
                        pool,
                        domain,
                        receivers,
                        routes,
                        metrics,
                        stationery=stationery,
                        on_written=partial(_deliver_now, beats),
                    ).step,
                    settings.evaluate_every_seconds,
                ),
                ("digesting", digesting.step, settings.evaluate_every_seconds),
                (
                    "tending",
                    Tending(pool, domain, receivers, limit=settings.receiver_failing).step,
                    settings.evaluate_every_seconds,
                ),
                ("mirroring", mirroring.step, settings.deliver_every_seconds),
                ("publishing", Publishing(broker, pool).step, _PUBLISH_EVERY_SECONDS),
                ("observing the lag", consuming.observe_lag, _OBSERVE_EVERY_SECONDS),
                ("observing", Observing(pool, metrics).step, settings.evaluate_every_seconds),
                ("calendar", Calendar(days_off, metrics).step, _CALENDAR_EVERY_SECONDS),
                *((_DELIVERING, one.step, settings.deliver_every_seconds) for one in senders),
                *([("keeping tokens", tokens.step, _KEEP_TOKENS_EVERY_SECONDS)] if tokens else ()),
            ]
            beats += [
                Beat(name, step, every_seconds=every, clock=clock) for name, step, every in steps
            ]
            readiness.add("database", lambda: _answers(pool))
            readiness.add("broker", lambda: _reachable(broker))
            readiness.add("consuming", consuming.check)
            readiness.add("evaluation", beats[0].check)
            try:
                await _begin(tasks, beats, broker)
                tasks.start("consuming", consuming.watch)
                tasks.start("taking reminders", reminded.watch)
                yield
            finally:
                await tasks.close()
                await mirroring.close()
                for sender in senders:
                    await sender.close()
        await pool.close()

    app = create_app(
        title="notifier",
        version=buildinfo.version(),
        description=DESCRIPTION,
        lifespan=lifespan,
        readiness=readiness,
        registry=registry,
    )
    _add_routes(app, verifier, domain, stationery, receivers, apis=apis, digestings=digestings)
    return app


def _judging(environment: ServiceEnvironment) -> tuple[rules.Rules, Domain]:
    """By which rules units are judged, and what is known of them."""
    settings = environment.notifier
    known_areas = areas.load(environment.areas.folder)
    known_catalogue = catalogue.load(environment.catalogue.folder)
    in_force = rules.read(
        settings.rules_file or rules.shipped(),
        hold_for=settings.hold_for,
        catalogue=known_catalogue,
        areas=known_areas,
    )
    domain = Domain(
        known_areas,
        known_catalogue,
        in_force.minimum_denominator,
        agencies=agencies.load(settings.agencies_file, known_catalogue),
        aims=in_force.aims,
        longest_silence=in_force.freshness.limit,
    )
    return in_force, domain


async def _begin(tasks: Tasks, beats: Sequence[Beat], broker: KafkaBroker) -> None:
    """Begin all beats; what needs no broker does not wait until the group lets this process in."""
    for beat in beats:
        if beat.name not in _WANT_THE_BROKER:
            tasks.start(beat.name, beat.run)
    await broker.start()
    for beat in beats:
        if beat.name in _WANT_THE_BROKER:
            tasks.start(beat.name, beat.run)


def _deliver_now(beats: Sequence[Beat]) -> None:
    """Have what was just written delivered without waiting for the next look into the log."""
    for beat in beats:
        if beat.name == _DELIVERING:
            beat.wake()


def _add_routes(
    app: FastAPI,
    verifier: TokenVerifier,
    domain: Domain,
    stationery: Stationery,
    receivers: Receivers,
    *,
    apis: Sequence[Api],
    digestings: Sequence[Digesting],
) -> None:
    sight = Sight(verifier, domain.areas)
    add_routes(app, sight=sight, api=lambda: apis[-1])
    add_target_routes(app, sight=sight, api=lambda: apis[-1])
    acting = Acting(sight)
    add_acknowledgement_routes(app, sight=sight, acting=acting, api=lambda: apis[-1])
    add_silence_routes(app, sight=sight, acting=acting, api=lambda: apis[-1])
    add_receiver_routes(app, verifier=verifier, api=lambda: apis[-1], known=receivers)
    add_acknowledge_page(app, AcknowledgePage(stationery, lambda: apis[-1]))
    add_digest_routes(app, sight=sight, api=lambda: apis[-1], digesting=lambda: digestings[-1])


def _receivers(settings: NotifierSettings, domain: Domain) -> Receivers:
    if settings.receivers_file is None:
        return Receivers()
    receivers = reading.read(settings.receivers_file, domain.areas, domain.agencies)
    if settings.smtp is None and any(one.kind in _BY_MAIL for one in receivers.by_name.values()):
        raise StartError(
            f"{settings.receivers_file} names mailboxes, but no mail server is set; "
            "set NHIPSO_NOTIFIER__SMTP__HOST"
        )
    if settings.zalo is None and any(one.kind == "zalo" for one in receivers.by_name.values()):
        raise StartError(
            f"{settings.receivers_file} names users of Zalo, but no Official Account is set; "
            "set NHIPSO_NOTIFIER__ZALO__APP_ID"
        )
    return receivers


def _password(settings: NotifierSettings) -> str | None:
    if settings.smtp is None or settings.smtp.password_file is None:
        return None
    return read_secret_text(settings.smtp.password_file)


def _zalo(settings: NotifierSettings) -> ZaloSecrets | None:
    if settings.zalo is None:
        return None
    key = read_secret(settings.zalo.key_file)
    if len(key) != KEY_BYTES:
        raise StartError(
            f"{settings.zalo.key_file} holds {len(key)} bytes and not {KEY_BYTES}; "
            "write a key with `openssl rand -hex 32`"
        )
    return ZaloSecrets(
        app_id=settings.zalo.app_id,
        app_secret=read_secret_text(settings.zalo.app_secret_file),
        first_refresh=read_secret_text(settings.zalo.refresh_token_file),
        key=key,
    )


def _routing(
    settings: NotifierSettings, domain: Domain, receivers: Receivers, days_off: Holidays
) -> Routing:
    path = settings.routes_file or routing.shipped()
    found = routing.read(path, domain, settings.policy, days_off if settings.quiet_hours else None)
    if missing := found.groups.difference(receivers.audiences):
        name = min(missing).removeprefix(GROUP_PREFIX)
        raise StartError(
            f"{path} tells {name}, but the receivers file has no such group; add an entry with "
            f"group: {name}"
        )
    return found


def _session() -> aiohttp.ClientSession:
    """The session of all senders, in which no receiver waits for another."""
    # Names are looked up by threads: a name server that hangs must not take all of them.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_LOOKUPS, "lookup"))
    # How many connections there are at once is bounded by each kind's sender.
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


def _zalo_tokens(
    settings: NotifierSettings,
    session: aiohttp.ClientSession,
    zalo: ZaloSecrets | None,
    *,
    pool: asyncpg.Pool,
    clock: Clock,
) -> ZaloTokens | None:
    if settings.zalo is None or zalo is None:
        return None
    return ZaloTokens(session, pool, zalo, clock=clock, oauth=settings.zalo.oauth_url)


def _senders(
    settings: NotifierSettings,
    session: aiohttp.ClientSession,
    *,
    password: str | None,
    tokens: ZaloTokens | None,
    pool: asyncpg.Pool,
    receivers: Receivers,
    metrics: NotifierMetrics,
    clock: Clock,
) -> list[Delivering]:
    webhook = WebhookSender(session, timeout=settings.webhook_timeout_seconds, clock=clock)
    sends: dict[str, Send] = {
        "webhook": webhook.send,
        f"{KIND_PREFIX}webhook": either(DigestPoster(webhook).send, webhook.send),
        "slack": ChatSender(
            SlackChat(session, timeout=settings.webhook_timeout_seconds, clock=clock)
        ).send,
    }
    if settings.smtp is not None:
        email = EmailSender(settings.smtp, password)
        sends["email"] = email.send
        mailer = DigestMailer(email, settings.smtp)
        sends[f"{KIND_PREFIX}email"] = either(mailer.send, email.send)
    if settings.zalo is not None and tokens is not None:
        chat = ZaloChat(
            session,
            tokens,
            timeout=settings.webhook_timeout_seconds,
            clock=clock,
            api=settings.zalo.api_url,
        )
        sends["zalo"] = ChatSender(chat).send
    return [
        Delivering(
            kind,
            send,
            pool=pool,
            receivers=receivers,
            metrics=metrics,
            clock=clock,
            lease=timedelta(seconds=settings.lease_seconds),
            give_up=timedelta(seconds=settings.give_up_seconds),
            at_once=_MAILS_AT_ONCE if kind in _BY_MAIL else AT_ONCE,
            claim=trying.claim if kind.startswith(KIND_PREFIX) else deliveries.claim,
        )
        for kind, send in sends.items()
    ]


async def _answers(pool: asyncpg.Pool) -> str | None:
    async with pool.acquire() as connection:
        await connection.fetchval("SELECT 1")
    return None


async def _reachable(broker: KafkaBroker) -> str | None:
    if await broker.ping(timeout=_BROKER_TIMEOUT_SECONDS):
        return None
    return "the broker does not answer"


def main() -> None:
    """Run the service until it is told to stop."""
    environment = load(ServiceEnvironment)
    logs.configure("notifier", environment.log)
    try:
        app = build(environment, SystemClock())
    except (
        StartError,
        rules.RulesError,
        ReceiversError,
        RoutesError,
        HolidaysError,
        AgenciesError,
        AreasError,
        CatalogueError,
        JwksError,
        SecretFileError,
    ) as error:
        print(f"notifier: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    serve(app, environment.http)


if __name__ == "__main__":
    main()
