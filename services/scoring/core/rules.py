"""The rules that subjects are read, evaluated and counted by: a catalogue and the units."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from contracts.areas import Areas
from contracts.catalogue import Catalogue
from contracts.subjects import SubjectKind
from services.scoring.core.evaluation import KindEvaluator
from services.scoring.core.packing import Layouts
from services.scoring.core.territory import Territory


class Rules:
    """A catalogue and units, compiled."""

    def __init__(self, catalogue: Catalogue, areas: Areas) -> None:
        self.catalogue: Final = catalogue
        self.areas: Final = areas
        self.territory: Final = Territory(areas)
        self.layouts: Final = Layouts(catalogue)
        self.evaluators: Final[Mapping[SubjectKind, KindEvaluator]] = {
            rules.kind: KindEvaluator(catalogue, rules, self.territory)
            for rules in catalogue.subjects
        }
        #: Differs when anybody could count differently under these rules than under others.
        self.fingerprint: Final = sha256(
            f"{catalogue.fingerprint} {areas.fingerprint} {self.layouts.fingerprint}".encode()
        ).hexdigest()[:32]
