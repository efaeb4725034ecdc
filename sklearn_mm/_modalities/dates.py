"""Read dates: strings in common formats, and the date types of several libraries."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from numbers import Integral

import numpy as np
import pandas as pd

_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_WEEKDAY = (
    r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?[.,]*\ +)?"
)
_NAME = (
    r"(?P<name>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|"
    r"Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>\d{4})"
_PAIR = r"(?P<first>\d\d?)(?P<mark>{})(?P<second>\d\d?)(?P=mark)"
_CLOCK = (
    r"(?P<hour>\d\d?)(?::(?P<minute>\d\d)(?::(?P<seconds>\d\d)(?:[.,](?P<rest>\d+))?)?)?"
    r"(?:\ *(?P<half>[AP])\.?M\.?)?"
)
_ZONE = r"(?P<zone>\ *(?:Z|(?:UTC|GMT)?[+-]\d\d?(?::?\d\d)?|UTC|GMT)(?:\[[\w/+-]+\])?)?"
_TIME = rf"(?:(?:T|,?\ +|:){_CLOCK}{_ZONE})?"
#: The formats that are recognised. Whether "first" or "second" is the day is decided
#: for a whole column.
_FORMATS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_YEAR}(?P<mark>[-/.])(?P<month>\d\d?)(?P=mark)(?P<day>\d\d?){_TIME}",
        rf"{_PAIR.format('[-/.]')}{_YEAR}{_TIME}",
        rf"{_PAIR.format('/')}(?P<year>\d\d){_TIME}",
        rf"{_WEEKDAY}{_DAY}[-/\ ]?\ *{_NAME}[-/,\ ]\ *(?P<year>\d{{4}}|\d\d){_TIME}",
        rf"{_WEEKDAY}{_NAME}\ +{_DAY},?\ +{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_NAME}\ +{_DAY}\ +{_CLOCK}{_ZONE}\ +{_YEAR}",
        rf"{_YEAR}[-/\ ]{_NAME}[-/\ ]{_DAY}{_TIME}",
        rf"{_NAME}[-/,\ ]\ *{_YEAR}",
        r"(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)",
        r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)"
        rf"(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<seconds>\d\d)?(?:\.(?P<rest>\d+))?{_ZONE})?",
    )
]
_ORDERED = re.compile(r"\s*(\d\d?)([-/.])(\d\d?)\2(?:\d{4}|\d\d)\b")
_EPOCH, _UNIT = datetime(1970, 1, 1), timedelta(microseconds=1)


def count_orders(strings):
    """Count what shows whether the day or the month comes first, as in 31/12/2021.

    Parameters
    ----------
    strings : iterable of str
        Dates, perhaps.

    Returns
    -------
    int
        Those that can only have the day first, less those that can only have the month
        first; a column of dates with dots counts as having the day first.
    bool
        Whether there are dates of which the order is unknown by themselves.
    """
    found = [match for match in map(_ORDERED.match, strings) if match]
    found = [match for match in found if int(match[1]) != int(match[3])]
    firsts = sum(int(match[1]) > 12 for match in found)
    seconds = sum(int(match[3]) > 12 for match in found)
    if firsts == seconds:
        return sum(match[2] == "." for match in found), bool(found)
    return firsts - seconds, bool(found)


def parse_date(text, day_first=None):
    """Read a string as a date.

    Parameters
    ----------
    text : str
        The whole string must be a date, in one of the formats above.
    day_first : bool or None
        Whether the day precedes the month in 05/03/2021. If None, this is unknown.

    Returns
    -------
    datetime or None
        In UTC but without a zone, as which a time without a zone is read; None if the
        string is not a date.
    """
    text = text.strip()
    try:
        if text[4:8:3] == "--":  # fast, and what most dates look like
            return to_utc(datetime.fromisoformat(text))
    except OverflowError:  # in UTC it is not between the years 1 and 9999
        return None
    except ValueError:
        pass
    for pattern in _FORMATS if len(text) < 100 and text[-1:] else ():
        if match := pattern.fullmatch(text):
            try:
                return _assemble(match.groupdict(), day_first)
            except (ValueError, OverflowError):
                return None
    return None


def _assemble(parts, day_first):
    """Make a date of a match's groups, or raise ValueError."""
    year, month, day = parts["year"], parts.get("month"), parts.get("day") or 1
    if parts.get("name"):
        month = _MONTHS.index(parts["name"][:3].lower()) // 3 + 1
    elif month is None:
        day, month = _order(parts["first"], parts["second"], day_first)
    if len(year) == 2:  # as strptime does
        year = int(year) + (1900 if int(year) > 68 else 2000)
    moment = datetime(int(year), int(month), int(day))
    if not parts.get("hour"):
        return moment
    rest = parts["rest"] or "0"
    moment = moment.replace(
        hour=_read_hour(parts["hour"], parts["minute"], parts.get("half")),
        minute=int(parts["minute"] or 0),
        second=int(parts["seconds"] or 0),
        microsecond=int(rest[:6].ljust(6, "0")),
    )
    zone = parts["zone"]
    return to_utc(moment.replace(tzinfo=_read_zone(zone))) if zone else moment


def _read_hour(hour, minute, half):
    hour = int(hour)
    if half is None:
        if minute is None:
            raise ValueError("an hour alone")
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} {half}M")
    return hour % 12 + 12 * (half in "pP")


def _order(first, second, day_first):
    if day_first is None:
        day_first = int(first) > 12
        if not day_first and int(second) <= 12 and int(first) != int(second):
            raise ValueError("the day or the month may come first")
    return (first, second) if day_first else (second, first)


def _read_zone(zone):
    match = re.search(r"([+-])(\d\d?):?(\d\d)?", zone)
    if match is None:
        return UTC
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(-offset if match[1] == "-" else offset)


def to_utc(moment):
    """Return a moment in UTC, but without a zone; without a zone it is in UTC."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(UTC).replace(tzinfo=None)


def read_date(cell, day_first=None):
    """Read a cell as a date, or raise.

    Parameters
    ----------
    cell : object
        A string, a date or datetime of Python, pandas or numpy, a period (which is read
        as its start), or a whole number such as 20210305.
    day_first : bool or None
        Of strings, as for :func:`parse_date`.

    Returns
    -------
    int
        Microseconds since 1970 in UTC.
    """
    if isinstance(cell, Integral) and len(str(cell)) == 8:
        cell = str(cell)
    if isinstance(cell, str):
        moment = parse_date(cell, day_first)
        if moment is None:
            raise ValueError(_explain(cell, day_first))
        return (moment - _EPOCH) // _UNIT
    if isinstance(cell, pd.Period):
        cell = np.datetime64(cell.asfreq("s", how="start").ordinal, "s")
    elif isinstance(cell, pd.Timestamp):
        cell = cell.tz_convert(None) if cell.tzinfo else cell
        cell = cell.to_datetime64()
    elif isinstance(cell, datetime):
        return (to_utc(cell) - _EPOCH) // _UNIT
    elif isinstance(cell, date):
        cell = np.datetime64(cell, "D")
    elif not isinstance(cell, np.datetime64):
        raise TypeError(
            f"not a date, but of type {type(cell).__name__}; numbers become dates by "
            "pandas.to_datetime(..., unit=...)"
        )
    if not _has_year(cell):
        raise ValueError("its year is not between 1 and 9999")
    return int(cell.astype("M8[us]").astype(np.int64))


def _explain(text, day_first):
    if parse_date(text, True) is None and parse_date(text, False) is None:
        return "not a date"
    if day_first is None:
        return "the day or the month may come first; write it as 2021-12-31"
    return f"not a date with the {'day' if day_first else 'month'} first, as in fit"


def to_microseconds(moments):
    """Convert datetimes to microseconds.

    Parameters
    ----------
    moments : ndarray of datetime64, of any unit
        The datetimes, NaT included.

    Returns
    -------
    ndarray of datetime64[us]
        NaT also where the year is not between 1 and 9999.
    """
    return np.where(_has_year(moments), moments, np.datetime64("NaT")).astype("M8[us]")


def _has_year(moments):
    if np.datetime_data(moments.dtype)[0] in ("ps", "fs", "as"):
        moments = moments.astype("M8[us]")  # years of these units overflow
    years = moments.astype("M8[Y]").astype(np.int64) + 1970
    return (years >= 1) & (years <= 9999)
