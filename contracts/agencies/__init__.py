"""Which agency of the province answers for an indicator, as data.

The law of this room: who answers for what stands in `agencies.yaml`; `reading` reads it and refuses
what does not hold together.
"""

from contracts.agencies.model import NO_AGENCIES, Agencies, Agency
from contracts.agencies.reading import AgenciesError, load, read

__all__ = ["NO_AGENCIES", "Agencies", "AgenciesError", "Agency", "load", "read"]
