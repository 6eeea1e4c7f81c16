"""A reported figure, and what it is beside the one before."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from services.ingest.reports.core.numbers import written


class Change(StrEnum):
    """What a version says of a figure, beside the version before."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """The version does not speak of it, so it stays."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One indicator's figure: numerator and denominator, or a value."""

    indicator: str
    numerator: int | None
    denominator: int | None
    value: Decimal | None
    note: str = ""
    change: Change = Change.NEW

    def after(self, before: "Figure | None") -> "Figure":
        """The figure, told from the one of the version before."""
        if before is None:
            return replace(self, change=Change.NEW)
        same = self.said == before.said
        return replace(self, change=Change.UNCHANGED if same else Change.CHANGED)

    def kept(self) -> "Figure":
        """The figure as it stays when a version does not speak of it."""
        return replace(self, change=Change.KEPT)

    @property
    def said(self) -> dict[str, Any]:
        """The figures alone, as the data of an event has them."""
        if self.value is not None:
            whole = self.value == self.value.to_integral_value()
            return {"value": int(self.value) if whole else float(self.value)}
        return {"numerator": self.numerator, "denominator": self.denominator}

    @property
    def text(self) -> str:
        """As Vietnamese writes it: ``12 / 14`` or ``14,2``."""
        if self.value is not None:
            return written(self.value)
        return (
            f"{written(Decimal(self.numerator or 0))} / {written(Decimal(self.denominator or 0))}"
        )
