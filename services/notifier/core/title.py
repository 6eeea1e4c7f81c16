"""What a receiver's entry calls those who read its letters and digests."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

_LONGEST: Final = 200


def _one_line(text: str) -> str:
    """It stands in subjects too: without line breaks and what else is not to be seen."""
    told = " ".join(text.split())
    if not 0 < len(told) <= _LONGEST or not told.isprintable():
        raise ValueError(f"want 1 to {_LONGEST} characters, as a letter is addressed")
    return told


Line = Annotated[str, AfterValidator(_one_line)]


class Title(BaseModel):
    """Whom letters and digests are addressed to; without `en` those in English say `vi`.

    In a file it is a mapping of both, or the Vietnamese one alone as a text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vi: Line
    en: Line | None = None

    @model_validator(mode="before")
    @classmethod
    def _text_or_mapping(cls, said: Any) -> Any:
        if isinstance(said, str):
            return {"vi": said}
        if isinstance(said, Mapping | cls):
            return said
        raise ValueError("want a text in quotes, or {vi: …, en: …}")

    @property
    def addressed(self) -> dict[str, str]:
        """The fields of a letter or a digest that say so."""
        return {"addressee": self.vi, "addressee_en": self.en or ""}
