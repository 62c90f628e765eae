"""The Vietnamese lunar calendar, computed from the sun and the moon.

A month begins on the civil day of a new moon; month 11 holds the winter solstice; in a year of thirteen months the
first one without a major solar term is the leap month. New moons follow J. Meeus, *Astronomical Algorithms* (2nd ed.,
chapter 49), the sun's longitude his chapter 25; both are right to well under a minute in the twentieth century. The
civil day is that of the meridian in use: the North counted by UTC+7 from 1968 on, the South by UTC+8 until 1975, and
both by UTC+8 before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import floor, radians, sin

_SYNODIC_DAYS = 29.530588861
_FIRST_OWN_YEAR = 1968  # decision 121/CP of 1967-08-08: UTC+7 from the lunar year Mậu Thân on
_LAST_SOUTHERN_YEAR = 1975


@dataclass(frozen=True, slots=True)
class LunarDate:
    """A day of the lunar calendar; ``year`` is the solar year in which the lunar year begins."""

    year: int
    month: int
    day: int
    leap: bool = False

    def __str__(self) -> str:
        leap = "L" if self.leap else ""
        return f"{self.year:04d}-{self.month:02d}{leap}-{self.day:02d}"


def years_named(stem: int, branch: int, first: int, last: int) -> tuple[int, ...]:
    """Years in ``first``..``last`` whose stem and branch have these numbers (both from 0); empty for odd pairs."""
    return tuple(y for y in range(first, last + 1) if (y - 4) % 10 == stem and (y - 4) % 12 == branch)


def zones_hours(year: int) -> tuple[int, ...]:
    """Meridians, in hours east of Greenwich, by which the calendar of that lunar year was printed, North first."""
    if year < _FIRST_OWN_YEAR:
        return (8,)
    return (7, 8) if year <= _LAST_SOUTHERN_YEAR else (7,)


def solar_candidates(lunar: LunarDate) -> tuple[date, ...]:
    """Solar days of a lunar date: two where the calendars of North and South differed, none if there is no such day."""
    found = {solar_day(lunar, zone) for zone in zones_hours(lunar.year)}
    return tuple(sorted(day for day in found if day is not None))


def solar_day(lunar: LunarDate, zone_hours: int = 7) -> date | None:
    """Solar day of a lunar date by one meridian, None where the month or the day does not exist."""
    if not 1 <= lunar.day <= 30:
        return None
    for start, days, month, leap in _months(lunar.year, zone_hours):
        if (month, leap) == (lunar.month, lunar.leap):
            return _date(start + lunar.day - 1) if lunar.day <= days else None
    return None


@lru_cache(maxsize=512)
def _months(year: int, zone: int) -> tuple[tuple[int, int, int, bool], ...]:
    """The months of a lunar year: (day number of the first day, days, number, leap)."""
    months = [*_from_month_11(year - 1, zone)[2:], *_from_month_11(year, zone)]
    first = next(i for i, (_, number, leap) in enumerate(months) if number == 1 and not leap)
    last = next(i for i in range(first + 1, len(months)) if months[i][1] == 12) + 1
    if last < len(months) and months[last][1] == 12:
        last += 1
    starts = [*(start for start, _, _ in months), _solstice_month(year + 1, zone)]
    return tuple((months[i][0], starts[i + 1] - months[i][0], months[i][1], months[i][2]) for i in range(first, last))


def _from_month_11(year: int, zone: int) -> list[tuple[int, int, bool]]:
    """Months from month 11 of ``year`` up to, not including, month 11 of the next: (first day, number, leap)."""
    start, end = _solstice_month(year, zone), _solstice_month(year + 1, zone)
    count = round((end - start) / _SYNODIC_DAYS)
    starts = [_new_moon_near(start + i * _SYNODIC_DAYS, zone) for i in range(count)]
    leap = -1
    if count == 13:
        terms = [_major_term(day, zone) for day in [*starts, end]]
        leap = next(i for i in range(1, 13) if terms[i] == terms[i + 1])
    months: list[tuple[int, int, bool]] = []
    number = 10
    for i, day in enumerate(starts):
        number += i != leap
        months.append((day, (number - 1) % 12 + 1, i == leap))
    return months


def _solstice_month(year: int, zone: int) -> int:
    """Day number of the first day of the month that holds the winter solstice of a solar year."""
    start = _new_moon_near(_day_number(date(year, 12, 31)), zone)
    while start > _day_number(date(year, 12, 31)) or _major_term(start, zone) >= 9:
        start = _new_moon_near(start - _SYNODIC_DAYS, zone)
    return start


def _major_term(day: int, zone: int) -> int:
    """Which twelfth of the ecliptic (0 from the spring equinox) the sun stands in when that civil day begins."""
    return int(_sun_longitude_deg(day - 0.5 - zone / 24) // 30)


def _new_moon_near(day: float, zone: int) -> int:
    """Day number of the civil day of the new moon nearest to a day."""
    k = round((day - 2451550.09766) / _SYNODIC_DAYS)
    return floor(_new_moon(k) + 0.5 + zone / 24)


def _new_moon(k: int) -> float:
    """Julian day (UT) of new moon number ``k`` after the first of 2000. Meeus, chapter 49, with a mean ΔT."""
    t = k / 1236.85
    mean = 2451550.09766 + _SYNODIC_DAYS * k + t * t * (0.00015437 - 0.00000015 * t)
    e = 1 - 0.002516 * t - 0.0000074 * t * t
    sun = radians(2.5534 + 29.1053567 * k - 0.0000014 * t * t)
    moon = radians(201.5643 + 385.81693528 * k + 0.0107582 * t * t)
    latitude = radians(160.7108 + 390.67050284 * k - 0.0016118 * t * t)
    node = radians(124.7746 - 1.56375588 * k + 0.0020672 * t * t)
    correction = (
        -0.4072 * sin(moon)
        + 0.17241 * e * sin(sun)
        + 0.01608 * sin(2 * moon)
        + 0.01039 * sin(2 * latitude)
        + 0.00739 * e * sin(moon - sun)
        - 0.00514 * e * sin(moon + sun)
        + 0.00208 * e * e * sin(2 * sun)
        - 0.00111 * sin(moon - 2 * latitude)
        - 0.00057 * sin(moon + 2 * latitude)
        + 0.00056 * e * sin(2 * moon + sun)
        - 0.00042 * sin(3 * moon)
        + 0.00042 * e * sin(sun + 2 * latitude)
        + 0.00038 * e * sin(sun - 2 * latitude)
        - 0.00024 * e * sin(2 * moon - sun)
        - 0.00017 * sin(node)
        + 0.000325 * sin(radians(299.77 + 0.107408 * k))
        + 0.000165 * sin(radians(251.88 + 0.016321 * k))
    )
    return mean + correction - _delta_t_days(2000 + 100 * t)


def _delta_t_days(year: float) -> float:
    """Earth's clock error in days; a parabola through the observed 1900–2030 values, right to some ten seconds."""
    t = (year - 1960) / 100
    return (33 + 70 * t + 25 * t * t) / 86400


def _sun_longitude_deg(julian_day: float) -> float:
    """Apparent longitude of the sun. Meeus, chapter 25, low accuracy (0.01°)."""
    t = (julian_day - 2451545.0) / 36525
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t * t
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    center = (
        (1.914602 - 0.004817 * t) * sin(anomaly)
        + (0.019993 - 0.000101 * t) * sin(2 * anomaly)
        + 0.000289 * sin(3 * anomaly)
    )
    omega = radians(125.04 - 1934.136 * t)
    return (mean + center - 0.00569 - 0.00478 * sin(omega)) % 360


def _day_number(day: date) -> int:
    """Julian day number of a civil day (that of its noon)."""
    return day.toordinal() + 1721425


def _date(number: int) -> date:
    return date.fromordinal(1) + timedelta(days=number - 1721426)
