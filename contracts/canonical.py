"""Canonical JSON: one text for one value, so that order never depends on arrival.

Follows the JSON Canonicalization Scheme (RFC 8785) for what events hold: sorted keys, no white
space, UTF-8 text as it is.
"""

import json
from typing import Any


def canonical_json(value: Any) -> str:
    """The canonical text of a JSON value.

    Raises:
        ValueError: for a number that JSON does not have (NaN, infinities).
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
