"""Who gets the notifier's messages in a local stack: an invented mailbox for each unit."""

from collections.abc import Iterable
from pathlib import Path

import yaml

_HEAD = """\
# Who gets the notifier's messages. Written once by the local stack, with invented mailboxes; what
# you change here stays. Messages go to the local mail server and are kept as files.
"""


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
    partial = path.with_suffix(".partial")
    partial.write_text(_HEAD + content, encoding="utf-8")
    partial.replace(path)
