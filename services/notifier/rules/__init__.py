"""How units are judged, as data: `rules.yaml`, the form it has, and what follows for each unit.

The law of this room: officials' rules stand in YAML; `model` says what form they have, `reading`
reads them and refuses what does not hold together, and `in_force` answers for a unit.
"""

from services.notifier.rules.in_force import Rules
from services.notifier.rules.model import RulesError
from services.notifier.rules.reading import read, shipped

__all__ = ["Rules", "RulesError", "read", "shipped"]
