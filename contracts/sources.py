"""The local sources of the wire contract, each with the one event domain that it may send.

Source: wire contract, "The embedded stack". A province names its own sources in their tokens.
"""

from collections.abc import Mapping
from typing import Final

SOURCE_PREFIX: Final = "urn:nhipso:source:"

#: Event domain → the local source that sends it.
SOURCE_OF_DOMAIN: Final[Mapping[str, str]] = {
    "identity": SOURCE_PREFIX + "vneid",
    "public-service": SOURCE_PREFIX + "dvc",
    "payment": SOURCE_PREFIX + "payments",
    "health": SOURCE_PREFIX + "ehr",
    "telecom": SOURCE_PREFIX + "telecom",
    "community": SOURCE_PREFIX + "community",
    "registry": SOURCE_PREFIX + "registry",
    "report": SOURCE_PREFIX + "report",
}
