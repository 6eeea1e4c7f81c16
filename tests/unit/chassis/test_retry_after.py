"""How long the other side asks to be left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.retry_after import LONGEST, wish

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("0", timedelta(0)),
        (" 120 ", timedelta(minutes=2)),
        ("86401", LONGEST),
        ("9" * 400, LONGEST),
        ("Sun, 22 Nov 2026 08:02:00 GMT", timedelta(minutes=2)),
        ("Sun, 22 Nov 2026 15:02:00 +0700", timedelta(minutes=2)),
        # An unknown zone (RFC 5322) is taken for UTC, as HTTP has no other.
        ("Sun, 22 Nov 2026 08:02:00 -0000", timedelta(minutes=2)),
        ("Sun, 22 Nov 2026 07:58:00 GMT", timedelta(0)),
        ("Sun, 22 Nov 2027 08:00:00 GMT", LONGEST),
        ("Sun, 22 Nov 99999999999999999999 08:00:00 GMT", None),
        ("Sun, 22 Nov 2026 08:00:00 +9999", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_what_is_asked_is_read_or_left(text: str | None, asked: timedelta | None) -> None:
    assert wish(text, NOW) == asked
