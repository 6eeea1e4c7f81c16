"""Vietnamese lunar days worked out from the new moons and the sun, without any table of holidays.

A month begins on the local day (UTC+7) of a new moon; the 11th month holds the winter solstice; where
there are 13 months from one 11th month to the next, the first of them without a principal term
(the sun's longitude passing a multiple of 30 degrees) is the leap month. The series are those of
Jean Meeus, Astronomical Algorithms, exact to minutes.
"""

from datetime import date, timedelta
from math import floor, pi, sin

_SYNODIC_MONTH = 29.530588853
_FIRST_NEW_MOON = 2415021.076998695
_UTC_PLUS_7 = 7 / 24
_EPOCH = date(2000, 1, 1)
_EPOCH_DAY = 2451545


def lunar_day(year: int, month: int, day: int) -> date:
    """The day on which a day of a lunar year that has no part in its leap month falls."""
    eleventh = _eleventh_month(year if month >= 11 else year - 1)
    after = (month - 11) % 12
    leap = _leap_month(year if month >= 11 else year - 1)
    if leap is not None and after >= leap:
        after += 1
    number = round((eleventh - _FIRST_NEW_MOON) / _SYNODIC_MONTH)
    return _date(_new_moon_day(number + after) + day - 1)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day - _EPOCH_DAY)


def _new_moon_day(number: int) -> int:
    """The local day, as a Julian day, of the new moon of that number since 1900."""
    t = number / 1236.85
    dr = pi / 180
    moment = 2415020.75933 + 29.53058868 * number + 0.0001178 * t**2 - 0.000000155 * t**3
    moment += 0.00033 * sin((166.56 + 132.87 * t - 0.009173 * t**2) * dr)
    sun = (359.2242 + 29.10535608 * number - 0.0000333 * t**2) * dr
    moon = (306.0253 + 385.81691806 * number + 0.0107306 * t**2) * dr
    node = (21.2964 + 390.67050646 * number - 0.0016528 * t**2) * dr
    moment += (
        (0.1734 - 0.000393 * t) * sin(sun)
        + 0.0021 * sin(2 * sun)
        - 0.4068 * sin(moon)
        + 0.0161 * sin(2 * moon)
        - 0.0004 * sin(3 * moon)
        + 0.0104 * sin(2 * node)
        - 0.0051 * sin(sun + moon)
        - 0.0074 * sin(sun - moon)
        + 0.0004 * sin(2 * node + sun)
        - 0.0004 * sin(2 * node - sun)
        - 0.0006 * sin(2 * node + moon)
        + 0.0010 * sin(2 * node - moon)
        + 0.0005 * sin(2 * moon + sun)
    )
    delta = -0.000278 + 0.000265 * t + 0.000262 * t**2
    return floor(moment - delta + 0.5 + _UTC_PLUS_7)


def _sun_sector(day: int) -> int:
    """In which of twelve sectors of 30 degrees the sun stands at the local midnight of a day."""
    t = (day - 0.5 - _UTC_PLUS_7 - 2451545.0) / 36525
    dr = pi / 180
    anomaly = (357.52910 + 35999.05030 * t - 0.0001559 * t**2) * dr
    longitude = 280.46645 + 36000.76983 * t + 0.0003032 * t**2
    longitude += (1.914600 - 0.004817 * t) * sin(anomaly)
    longitude += 0.019993 * sin(2 * anomaly) + 0.000290 * sin(3 * anomaly)
    return floor((longitude % 360) / 30)


def _eleventh_month(year: int) -> int:
    """The day on which the month with the winter solstice of a year begins."""
    last_day = (date(year, 12, 31) - _EPOCH).days + _EPOCH_DAY
    number = floor((last_day - _FIRST_NEW_MOON) / _SYNODIC_MONTH)
    begins = _new_moon_day(number)
    # Sector 9 begins with the solstice: a month that begins in it comes after.
    return _new_moon_day(number - 1) if _sun_sector(begins) >= 9 else begins


def _leap_month(year: int) -> int | None:
    """Which month after the 11th of a year is the leap one; None where there is none."""
    begins, ends = _eleventh_month(year), _eleventh_month(year + 1)
    if ends - begins < 365:
        return None
    number = round((begins - _FIRST_NEW_MOON) / _SYNODIC_MONTH)
    months = [_sun_sector(_new_moon_day(number + after)) for after in range(15)]
    return next(after for after in range(1, 14) if months[after] == months[after + 1])
