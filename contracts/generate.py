"""Writes what follows from the contract: schemas, the AsyncAPI document, the page of indicators.

``python -m contracts.generate`` writes the files; with ``--check`` it writes nothing, names what
has drifted and exits with 1, so that a change of the contract cannot forget them.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contracts import catalogue
from contracts.indicator_table import indicator_table
from contracts.schemas import SCHEMA_TYPES, asyncapi, event_schema

ROOT: Final = Path(__file__).resolve().parent.parent
_GENERATED: Final = Path("contracts/generated")


def generated_files() -> dict[Path, str]:
    """Every generated file, by its path from the top of the checkout, with what it must hold."""
    files = {
        _GENERATED / "schemas" / f"{event_type}.json": _json(event_schema(event_type))
        for event_type in SCHEMA_TYPES
    }
    files[_GENERATED / "asyncapi.json"] = _json(asyncapi())
    files[Path("docs/indicators.md")] = indicator_table(catalogue.load())
    return files


def drift(root: Path) -> list[str]:
    """What differs between the contract and the files below `root`, a sentence each."""
    wanted = generated_files()
    found = {path.relative_to(root) for path in (root / _GENERATED).rglob("*.json")}
    return [
        *(
            f"{path} is not what the contract says"
            for path in wanted
            if _differs(root, path, wanted)
        ),
        *(f"{path} belongs to nothing in the contract" for path in sorted(found - wanted.keys())),
    ]


def write(root: Path) -> list[Path]:
    """Write every generated file below `root` and remove what nothing generates any more.

    Returns:
        The paths that changed, from `root`.
    """
    wanted = generated_files()
    changed = [path for path in wanted if _differs(root, path, wanted)]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path], encoding="utf-8")
    for path in sorted((root / _GENERATED).rglob("*.json")):
        if path.relative_to(root) not in wanted:
            path.unlink()
            changed.append(path.relative_to(root))
    return changed


def _differs(root: Path, path: Path, wanted: Mapping[Path, str]) -> bool:
    file = root / path
    return not file.is_file() or file.read_text(encoding="utf-8") != wanted[path]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only name what has drifted")
    parser.add_argument("--root", type=Path, default=ROOT, help="top of the checkout")
    options = parser.parse_args(arguments)
    if options.check:
        sentences = drift(options.root)
        for sentence in sentences:
            sys.stderr.write(f"{sentence}\n")
        if sentences:
            sys.stderr.write("Run `python -m contracts.generate` and commit what it writes.\n")
        return 1 if sentences else 0
    for path in write(options.root):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
