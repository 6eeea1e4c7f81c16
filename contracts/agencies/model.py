"""The form of the file of agencies."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.forms.model import AgencyCode


class Entry(BaseModel):
    """Frozen; a key that the form does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Agency(Entry):
    """One agency, and the indicators that it answers for."""

    name: Annotated[str, Field(min_length=1)]
    answers_for: tuple[str, ...] = ()


class Agencies(Entry):
    """The whole file."""

    version: Annotated[int, Field(ge=1)]
    agencies: Mapping[AgencyCode, Agency]

    def __getitem__(self, code: str) -> Agency:
        return self.agencies[code]

    def get(self, code: str) -> Agency | None:
        """The agency of that code, or None."""
        return self.agencies.get(code)

    def answering(self, indicator: str) -> str | None:
        """The code of the agency that answers for an indicator; None where nobody does."""
        return self._by_indicator.get(indicator)

    @cached_property
    def _by_indicator(self) -> Mapping[str, str]:
        return {one: code for code, agency in self.agencies.items() for one in agency.answers_for}

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        named = Counter(one for agency in self.agencies.values() for one in agency.answers_for)
        twice = sorted(indicator for indicator, times in named.items() if times > 1)
        if twice:
            raise ValueError(f"{', '.join(twice)}: stands twice; one agency answers for it")
        return self


#: Where nobody answers for anything.
NO_AGENCIES: Final = Agencies(version=1, agencies={})
