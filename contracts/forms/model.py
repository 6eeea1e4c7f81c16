"""The form of ``forms.yaml``."""

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Short enough that an event's id, which names it, keeps to the contract's 128 characters.
AgencyCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]


#: Stands over indicators that no section takes.
OTHER_SECTION: Final = "Chỉ tiêu khác"


class Entry(BaseModel):
    """Frozen; a key that the form does not know is an error, because it is a misspelt one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Measure(Entry):
    """How one indicator is reported, in Vietnamese.

    Either `numerator` and `denominator` say what is counted, or `value` what is stated and `unit`
    in which unit of measure; a `percent` lies between 0 and 100.
    """

    title: Annotated[str, Field(min_length=1)]
    numerator: str | None = None
    denominator: str | None = None
    value: str | None = None
    unit: str = "%"
    percent: bool = False

    @property
    def is_ratio(self) -> bool:
        """Whether it is reported as numerator and denominator."""
        return self.value is None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        ratio = (self.numerator is not None, self.denominator is not None)
        if self.is_ratio != all(ratio) or (self.value is not None and any(ratio)):
            raise ValueError("say what numerator and denominator are, or what the value is")
        return self


class Section(Entry):
    """A heading of a form, over the indicators whose id begins with `prefix`."""

    prefix: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]


class Agencies(Entry):
    """Agencies of the province, which report as parts of it."""

    indicators: tuple[str, ...] = ()
    names: Mapping[AgencyCode, str] = Field(default_factory=dict)


class Forms(Entry):
    """The whole file."""

    version: Annotated[int, Field(ge=1)]
    sections: tuple[Section, ...]
    indicators: Mapping[str, Measure]
    agencies: Agencies = Agencies()

    def section_of(self, indicator: str) -> str:
        """The heading under which an indicator stands; behind all others where none fits."""
        fitting = (one.title for one in self.sections if indicator.startswith(one.prefix))
        return next(fitting, OTHER_SECTION)

    @property
    def headings(self) -> list[str]:
        """All headings in their order."""
        return [*(section.title for section in self.sections), OTHER_SECTION]
