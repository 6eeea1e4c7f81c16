"""How many of how many, by unit and indicator."""

from collections import Counter


class Tally:
    """Numerators and denominators."""

    def __init__(self) -> None:
        self._numerators: Counter[tuple[str, str]] = Counter()
        self._denominators: Counter[tuple[str, str]] = Counter()

    def count(self, area_id: str, indicator: str, *, satisfied: bool) -> None:
        """Count one more subject of the population."""
        self._denominators[area_id, indicator] += 1
        if satisfied:
            self._numerators[area_id, indicator] += 1

    def of(self, area_ids: list[str], indicator: str) -> tuple[int, int]:
        """Numerator and denominator over these units."""
        return (
            sum(self._numerators[area_id, indicator] for area_id in area_ids),
            sum(self._denominators[area_id, indicator] for area_id in area_ids),
        )
