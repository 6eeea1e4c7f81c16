"""The units of a start against those that figures are already of."""

from pathlib import Path
from typing import Final

import asyncpg

from contracts.areas import Areas, AreasError
from services.chassis.database import load_queries

_SQL: Final = load_queries(Path(__file__).parent / "sql" / "reading.sql")
_NAMED: Final = 5


async def refuse_missing_units(pool: asyncpg.Pool, areas: Areas) -> None:
    """See that every unit that has figures is known: it may have ended, but never goes away.

    Raises:
        AreasError: naming the units that are missing.
    """
    rows = await pool.fetch(_SQL["units_of_figures"])
    missing = [row["area_id"] for row in rows if areas.get(row["area_id"]) is None]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise AreasError(
            f"there are figures of units that areas.csv lacks: {', '.join(missing[:_NAMED])}{more};"
            " start with the units that were in force, ended ones stay in the file"
        )
