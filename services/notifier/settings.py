"""What the notifier reads from the environment: ``NHIPSO_NOTIFIER__…`` and the common groups."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.chassis.settings import (
    KafkaSettings,
    PostgresSettings,
    ServiceSettings,
    Settings,
    TokenSettings,
)
from services.notifier.core.occasion import Timetable
from services.notifier.core.schedule import Policy

Seconds = Annotated[float, Field(ge=0)]
Interval = Annotated[float, Field(gt=0)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")]


class SmtpSettings(Settings):
    """The mail server.

    `tls`: ``auto`` uses STARTTLS where the server offers it, ``starttls`` insists on it,
    ``implicit`` speaks TLS from the first byte, ``none`` never. `unsubscribe_url` takes the POST of
    RFC 8058 without asking who it is, so ``{receiver}`` in it becomes the receiver's name;
    `unsubscribe_mailto` is a mailbox that somebody reads, and so is `reply_to`, which gets answers.
    """

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    sender: Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+$")] = "nhipso@localhost"
    sender_name: str = "Nhịp Số"
    username: str | None = None
    password_file: Path | None = None
    tls: Literal["auto", "starttls", "implicit", "none"] = "auto"
    timeout_seconds: Interval = 15
    unsubscribe_url: Annotated[str | None, Field(pattern=r"^https://[^\s<>,/]+\S*$")] = None
    unsubscribe_mailto: Annotated[str | None, Field(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")] = None
    reply_to: Annotated[str | None, Field(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")] = None

    @model_validator(mode="after")
    def _whole_credential(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise PydanticCustomError(
                "together",
                "both of these go together",
                {"fields": ["username", "password_file"]},
            )
        if self.username is not None and self.tls in ("auto", "none"):
            raise PydanticCustomError(
                "secure",
                "a password travels under TLS only: starttls or implicit",
                {"fields": ["tls"]},
            )
        return self


class AreaSettings(Settings):
    """Which administrative units there are."""

    folder: Path | None = None
    """Holds areas.csv and area_lineage.csv; without it, the units that ship with the contract."""


class CatalogueSettings(Settings):
    """Which rules decide who counts."""

    folder: Path | None = None
    """Holds rules.yaml and the sets; without it, the catalogue that ships with the contract."""


class ZaloSettings(Settings):
    """The Official Account by which Zalo messages go; see receivers/chat/README.md.

    The key (32 bytes in hexadecimal) seals its tokens in PostgreSQL; the refresh token begins their
    chain.
    """

    app_id: Annotated[str, Field(pattern=r"^[0-9]+$")]
    app_secret_file: Path
    refresh_token_file: Path
    key_file: Path
    api_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] = "https://openapi.zalo.me"
    oauth_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] = "https://oauth.zaloapp.com"


class LinkSettings(Settings):
    """Where links in letters lead; a letter has those whose address is set.

    `dashboard_url` is where people open the dashboard, `notifier_url` where they reach this
    service. The key (32 bytes or more in hexadecimal) signs links by which a unit acknowledges,
    which are good for `valid_seconds`.
    """

    dashboard_url: Url | None = None
    notifier_url: Url | None = None
    key_file: Path | None = None
    valid_seconds: Interval = 30 * 24 * 3600

    @model_validator(mode="after")
    def _signed_where_it_leads(self) -> Self:
        if (self.notifier_url is None) != (self.key_file is None):
            raise PydanticCustomError(
                "together",
                "both of these go together",
                {"fields": ["notifier_url", "key_file"]},
            )
        return self


class NotifierSettings(Settings):
    """The notifier's own knobs. Durations are in seconds.

    `quiet_hours` keeps letters to the office hours of the routes, unless it is switched off; public
    holidays are those of `holidays_file`, or those that ship. `for_seconds` stands in for the rules' ``for``.
    `contact` names whom readers of letters may ask: an office and its telephone.
    `give_up_seconds` is how long a delivery is tried, `lease_seconds` after how long a delivery
    whose sender died is taken up again, `receiver_failing_seconds` how long a receiver may take
    nothing before operators are told.
    `digest_weekday` is 1 (Monday) to 7, `digest_hour` a local hour; a digest that is late by more
    than `digest_late_seconds` is left out.
    """

    rules_file: Path | None = None
    receivers_file: Path | None = None
    agencies_file: Path | None = None
    routes_file: Path | None = None
    holidays_file: Path | None = None
    quiet_hours: bool = True
    smtp: SmtpSettings | None = None
    zalo: ZaloSettings | None = None
    links: LinkSettings = LinkSettings()
    contact: Annotated[str | None, Field(min_length=1, max_length=300, pattern=r"^[^\r\n]+$")] = (
        None
    )
    for_seconds: Seconds | None = None
    evaluate_every_seconds: Interval = 5
    full_pass_every_seconds: Interval = 600
    group_wait_seconds: Seconds = 300
    group_interval_seconds: Seconds = 24 * 3600
    repeat_interval_seconds: Interval = 7 * 24 * 3600
    deliver_every_seconds: Interval = 1
    webhook_timeout_seconds: Interval = 15
    alertmanager_every_seconds: Interval = 60
    lease_seconds: Interval = 60
    give_up_seconds: Interval = 3 * 24 * 3600
    receiver_failing_seconds: Seconds = 6 * 3600
    digest_weekday: Annotated[int, Field(ge=1, le=7)] = 1
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 8
    digest_late_seconds: Seconds = 3 * 24 * 3600

    @property
    def hold_for(self) -> timedelta | None:
        """What stands in for the rules' ``for``, if anything does."""
        return None if self.for_seconds is None else timedelta(seconds=self.for_seconds)

    @property
    def receiver_failing(self) -> timedelta:
        """How long a receiver may take nothing before operators are told."""
        return timedelta(seconds=self.receiver_failing_seconds)

    @property
    def policy(self) -> Policy:
        """How messages to one audience are spaced."""
        return Policy(
            group_wait=timedelta(seconds=self.group_wait_seconds),
            group_interval=timedelta(seconds=self.group_interval_seconds),
            repeat_interval=timedelta(seconds=self.repeat_interval_seconds),
        )

    def timetable(self, is_holiday: Callable[[date], bool]) -> Timetable:
        """When digests fall due."""
        return Timetable(
            weekday=self.digest_weekday,
            hour=self.digest_hour,
            late=timedelta(seconds=self.digest_late_seconds),
            is_holiday=is_holiday,
        )

    @model_validator(mode="after")
    def _lease_outlives_sending(self) -> Self:
        longest = max(
            self.webhook_timeout_seconds, self.smtp.timeout_seconds if self.smtp is not None else 0
        )
        if self.lease_seconds <= longest:
            raise PydanticCustomError(
                "lease",
                "must be longer than any receiver's timeout, or a slow one is told twice",
                {"fields": ["lease_seconds"]},
            )
        return self


class ServiceEnvironment(ServiceSettings):
    """All that the process reads."""

    kafka: KafkaSettings
    postgres: PostgresSettings
    tokens: TokenSettings
    areas: AreaSettings = AreaSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    notifier: NotifierSettings = NotifierSettings()
