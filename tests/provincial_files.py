"""Files of a province that the notifier reads, written for a test and read as the notifier does."""

from pathlib import Path

from contracts import agencies, areas, catalogue
from services.notifier import rules
from services.notifier.receivers import reading
from services.notifier.receivers.reading import Receivers
from services.notifier.rules import Rules


def rules_with(folder: Path, sections: str) -> Rules:
    """The rules that ship, with sections of YAML that they do not have."""
    path = folder / "rules.yaml"
    shipped = rules.shipped().read_text(encoding="utf-8")
    path.write_text(f"{shipped}\n{sections}", encoding="utf-8")
    return rules.read(path)


def receivers_of(folder: Path, *entries: str) -> Receivers:
    """The receivers of these entries, each the inside of a mapping of YAML in one line."""
    path = folder / "receivers.yaml"
    lines = [f"  - {{{entry}}}\n" for entry in entries]
    path.write_text("receivers:\n" + "".join(lines), encoding="utf-8")
    return reading.read(path, areas.load(), agencies.load(None, catalogue.load()))
