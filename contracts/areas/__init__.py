"""Administrative units with validity and lineage.

The law of this room: a reform is data, never code. `unit` says what a row is, `model` which unit
stands for another on a day; `checking` refuses data under which somebody would count nowhere or
twice, `reading` reads the two CSV files of a folder, `reforms` tells what new files would change.

Data: ``contracts/data/areas.csv`` and ``area_lineage.csv``, from the MIT-licensed data set of the
package vietnamadminunits 1.0.4.
"""

from contracts.areas.checking import AreasError
from contracts.areas.model import Areas, Carried, Former
from contracts.areas.reading import AREAS_FILE, LINEAGE_FILE, load, read
from contracts.areas.unit import LEVELS, Area, Level, Succession

__all__ = [
    "AREAS_FILE",
    "LEVELS",
    "LINEAGE_FILE",
    "Area",
    "Areas",
    "AreasError",
    "Carried",
    "Former",
    "Level",
    "Succession",
    "load",
    "read",
]
