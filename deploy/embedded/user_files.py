"""Files of a local stack that its user may edit: who gets messages, which sources are read."""

from collections.abc import Iterable
from pathlib import Path

import yaml

_HEAD = """\
# Who gets the notifier's messages. Written once by the local stack, with invented mailboxes; what
# you change here stays. Messages go to the local mail server and are kept as files.
"""
_NO_CONNECTORS = Path(__file__).parents[1] / "connectors" / "connectors.yaml"


def write_connectors(path: Path) -> None:
    """Write the file of connectors unless it is there: none yet."""
    if not path.exists():
        _write(path, _NO_CONNECTORS.read_text(encoding="utf-8"))


def write_receivers(path: Path, unit_ids: Iterable[str]) -> None:
    """Write the receivers file unless it is there: every unit, and the operators."""
    if path.exists():
        return
    entries: list[dict[str, str | bool]] = [
        {"area": area_id, "email": f"ubnd.{area_id.replace(':', '-')}@example.vn"}
        for area_id in unit_ids
    ]
    entries.append({"operators": True, "email": "van-hanh@example.vn"})
    content = yaml.safe_dump({"receivers": entries}, sort_keys=False, allow_unicode=True)
    _write(path, _HEAD + content)


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
