"""Read who is told from the receivers file and refuse what does not hold together.

receivers:
  - {area: "2025:15", email: "ubnd@laocai.example.vn"}
  - {area: "2025:02647", webhook: {url: "https://example.vn/hook", secret_file: hook.key}}
  - {operators: true, email: "van-hanh@example.vn"}
  - {agency: so-y-te, email: "syt@example.vn"}
  - {area: "2025:15", leaders: true, email: "lanh-dao@example.vn"}
  - {area: "2025:15", slack: {url_file: slack.url}}
  - {area: "2025:15", zalo: "1234567890123456789"}
  - {area: "2025:15", alertmanager: {url: "http://alertmanager:9093", units_below: true}}
  - {group: chuyen-doi-so, email: "so-khcn@example.vn", title: "Sở Khoa học và Công nghệ"}

`digest` (weekly, monthly, none) says how often an entry gets a digest; units and agencies get theirs
by the week, leaders by the month. Leaders get digests alone. A group is told what routes send to it. An agency is
told of the province's figures that it answers for. `title` is whom letters and digests are addressed to,
in the place of the unit's office, the agency's name or the group's code: a text, or `{vi: …, en: …}`.
All entries of one audience that give a title give the same: they read the same letters.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from contracts import yaml_file
from contracts.agencies import NO_AGENCIES, Agencies
from contracts.areas import Areas
from services.notifier.core.agency import AGENCY_PREFIX
from services.notifier.core.digest import LEADERS_PREFIX
from services.notifier.core.letter import OPERATORS, UNIT_PREFIX
from services.notifier.core.route import GROUP_PREFIX
from services.notifier.core.title import Title
from services.notifier.core.wording import Language
from services.notifier.receivers.alertmanager.sending import AlertmanagerReceiver
from services.notifier.receivers.digest.subscribing import (
    MONTHLY,
    WEEKLY,
    DigestReceiver,
    Subscription,
    subscribe,
)
from services.notifier.receivers.email.sending import EmailReceiver
from services.notifier.receivers.entries import (
    Receiver,
    ReceiverEntry,
    ReceiversError,
    mirror_of,
    receiver_of,
)
from services.notifier.receivers.webhook.sending import WebhookReceiver

__all__ = ["Receiver", "Receivers", "ReceiversError", "read"]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    receivers: tuple[ReceiverEntry, ...]


class Receivers:
    """Who is told: by audience, and by the name that the log of deliveries bears."""

    def __init__(
        self,
        entries: Iterable[tuple[str, Receiver]] = (),
        digests: Sequence[Subscription] = (),
        mirrors: Sequence[AlertmanagerReceiver] = (),
        titles: Mapping[str, Title] | None = None,
    ) -> None:
        """`mirrors` are told how alerts stand, and get no letters; `titles` go by audience."""
        self._titles = dict(titles or {})
        self._by_audience: dict[str, list[Receiver]] = {}
        self.by_name: dict[str, Receiver | DigestReceiver] = {}
        self.digests = tuple(digests)
        self.mirrors = tuple(mirrors)
        for audience, receiver in entries:
            self._by_audience.setdefault(audience, []).append(receiver)
            self.by_name[receiver.name] = receiver
        self.by_name.update({one.receiver.name: one.receiver for one in self.digests})

    @property
    def audiences(self) -> list[str]:
        """The audiences that somebody receives for."""
        return list(self._by_audience)

    def audiences_of(self, name: str) -> list[str]:
        """The audiences that a receiver, or a digest's receiver, is told for."""
        found = {
            audience
            for audience, some in self._by_audience.items()
            if any(one.name == name for one in some)
        }
        found |= {one.audience for one in self.digests if one.receiver.name == name}
        return sorted(found)

    def title(self, audience: str) -> Title | None:
        """Whom letters and digests to an audience are addressed to, where an entry says so."""
        return self._titles.get(audience)

    def of(self, audience: str) -> Sequence[Receiver]:
        """Who receives for an audience."""
        return self._by_audience.get(audience, ())


def read(path: Path, areas: Areas, agencies: Agencies = NO_AGENCIES) -> Receivers:
    """Read a receivers file. A `secret_file` may be relative to it.

    Args:
        path: the file.
        areas: the units that there are.
        agencies: the agencies that answer for indicators.

    Raises:
        ReceiversError: naming the file and the entry that is wrong.
    """
    file = yaml_file.read(path, _File, ReceiversError, name=f"the receivers file {path}")
    found: list[tuple[str, Receiver]] = []
    digests: list[Subscription] = []
    mirrors: list[AlertmanagerReceiver] = []
    titles: dict[str, Title] = {}
    languages: dict[str, Language] = {}
    for index, entry in enumerate(file.receivers):
        place = f"the receivers file {path}: receivers.{index}"
        _refuse_strangers(entry, areas, agencies, place)
        mirror = mirror_of(entry)
        if mirror is not None:
            if mirror.name in {one.name for one in mirrors}:
                raise ReceiversError(f"{place}: {mirror.name} is there twice")
            mirrors.append(mirror)
            continue
        audience = _audience(entry)
        receiver = receiver_of(entry, path.parent, place)
        if languages.setdefault(receiver.name, receiver.language) != receiver.language:
            raise ReceiversError(
                f"{place}.language: {receiver.name} has another language in an entry above; a "
                "receiver reads one, so write the same"
            )
        digest = _subscription(entry, audience, receiver, place)
        if entry.title is not None and titles.setdefault(audience, entry.title) != entry.title:
            raise ReceiversError(
                f"{place}.title: {audience} has another title in an entry above; they read the "
                "same letters, so write one title, or leave it to one of them"
            )
        if entry.leaders and digest in digests:
            raise ReceiversError(f"{place}: {receiver.name} is there twice for these leaders")
        if digest is not None:
            digests.append(digest)
        if entry.leaders:
            continue
        if (audience, receiver) in found:
            raise ReceiversError(f"{place}: {receiver.name} is there twice for {audience}")
        found.append((audience, receiver))
    return Receivers(found, digests, mirrors, titles)


def _refuse_strangers(entry: ReceiverEntry, areas: Areas, agencies: Agencies, place: str) -> None:
    if entry.area is not None and areas.get(entry.area) is None:
        raise ReceiversError(
            f"{place}: there is no unit {entry.area}; write an area id such as 2025:02647"
        )
    if entry.agency is not None and agencies.get(entry.agency) is None:
        there_are = ", ".join(agencies.agencies) or "none"
        raise ReceiversError(
            f"{place}: there is no agency {entry.agency} that answers for indicators; "
            f"there are: {there_are}"
        )


def _audience(entry: ReceiverEntry) -> str:
    if entry.group is not None:
        return f"{GROUP_PREFIX}{entry.group}"
    if entry.agency is not None:
        return f"{AGENCY_PREFIX}{entry.agency}"
    if entry.leaders:
        return f"{LEADERS_PREFIX}{entry.area}"
    return OPERATORS if entry.area is None else f"{UNIT_PREFIX}{entry.area}"


def _subscription(
    entry: ReceiverEntry, audience: str, receiver: Receiver, place: str
) -> Subscription | None:
    is_meant = entry.area is not None or entry.agency is not None
    if not is_meant or not isinstance(receiver, EmailReceiver | WebhookReceiver):
        return None
    default = MONTHLY if entry.leaders else WEEKLY
    try:
        return subscribe(audience, receiver, entry.digest, default)
    except ValueError as error:
        raise ReceiversError(f"{place}: {error}") from None
