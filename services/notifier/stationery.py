"""What letters and digests bear beside their matter: links, and whom readers may ask."""

from dataclasses import dataclass
from typing import Final

from services.notifier.links import NO_LINKS, Links


@dataclass(frozen=True, slots=True)
class Stationery:
    """Where links lead, and an office that answers questions."""

    links: Links = NO_LINKS
    contact: str | None = None


PLAIN: Final = Stationery()
