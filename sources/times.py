"""Native dates and times and ours: dates in four formats, times with and without a zone."""

import re
from collections.abc import Callable, Mapping
from datetime import MINYEAR, UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from contract.predicate import INVALID
from sources.declaration import Codec, Form, Storage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_PLAIN: Final = "%Y-%m-%d %H:%M:%S"
_PLAIN_SHAPE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_DATE_SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "yyyymmdd": re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
    "yyyymm": re.compile(r"([0-9]{4})([0-9]{2})"),
    "iso": re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"),
}
_DATE_FORMATS: Final = {
    "yyyymmdd": "{0.year:04}{0.month:02}{0.day:02}",
    "yyyymm": "{0.year:04}{0.month:02}",
    "iso": "{0.year:04}-{0.month:02}-{0.day:02}",
}
_NO_DATE: Final = {
    "yyyymmdd": ("", "0", "00000000"),
    "yyyymm": ("", "0", "000000"),
    "iso": ("", "0000-00-00"),
}


def calendar(form: Form, storage: Storage = "text", *, trim: bool = False) -> Codec:
    """Return the codec of dates: yyyymmdd, yyyymm (its first day), iso, or a native date."""
    if storage == "date":
        return Codec(_native_date, lambda value: (value,), lambda value: value, storage="date")
    if storage == "integer":
        return _numbered(form)
    return _written(form, trim=trim)


def instant(form: Form, zone: str, storage: Storage = "text", *, trim: bool = False) -> Codec:
    """Return the codec of times: iso, plain (no zone: the system's own), epoch_ms, or native."""
    local = ZoneInfo(zone)
    storage = "integer" if form == "epoch_ms" else storage
    written = storage == "text"
    decode: Callable[[object], object] = _native_instant(local)
    bound: Callable[[object], object] = _aware if storage == "timestamptz" else _naive(local)
    if storage == "integer":
        decode, bound = _from_epoch, _to_epoch
    elif written:
        decode, bound = _reader(form, local, trim=trim), _writer(local)

    def encode(value: object) -> tuple[object, ...]:
        native = bound(value)
        return (native,) if decode(native) == value else ()

    return Codec(
        decode,
        encode,
        bound,
        # An iso text may carry any offset, so neither equality nor order of the texts is ours.
        ordered=not (written and form == "iso"),
        exact=not (written and form == "iso"),
        blanks=written and trim,
        nulls=("",) if written else (),
        total=not written and storage != "integer",
        form=form if written or storage == "integer" else "",
        storage=storage,
    )


def _written(form: Form, *, trim: bool) -> Codec:
    spell = _DATE_FORMATS[form].format

    def decode(native: object) -> object:
        if not isinstance(native, str):
            return INVALID
        word = native.rstrip(" ") if trim else native
        return None if word in _NO_DATE[form] else _date(word, form)

    def encode(value: object) -> tuple[object, ...]:
        native = spell(value)
        return (native,) if decode(native) == value else ()

    nulls = _NO_DATE[form]
    return Codec(decode, encode, spell, blanks=trim, nulls=nulls, total=False, form=form)


def _numbered(form: Form) -> Codec:
    width = 6 if form == "yyyymm" else 8

    def decode(native: object) -> object:
        if isinstance(native, bool) or not isinstance(native, int):
            return INVALID
        return None if native == 0 else _date(str(native).zfill(width), form)

    def bound(value: object) -> object:
        return int(_DATE_FORMATS[form].format(value))

    def encode(value: object) -> tuple[object, ...]:
        native = bound(value)
        return (native,) if decode(native) == value else ()

    return Codec(decode, encode, bound, nulls=(0,), total=False, form=form, storage="integer")


def _date(word: str, form: Form) -> object:
    parts = _DATE_SHAPES[form].fullmatch(word)
    if parts is None:
        return INVALID
    year, month, *day = map(int, parts.groups())
    try:
        return date(year, month, *(day or [1]))
    except ValueError:
        return INVALID


def _native_date(native: object) -> object:
    if isinstance(native, datetime):
        return native.date() if native.time() == time() else INVALID
    if isinstance(native, date):
        return native
    return _date(native, "iso") if isinstance(native, str) else INVALID


def _reader(form: Form, zone: ZoneInfo, *, trim: bool) -> Callable[[object], object]:
    def decode(native: object) -> object:
        if not isinstance(native, str):
            return INVALID
        word = native.rstrip(" ") if trim else native
        if not word:
            return None
        if form == "plain" and not _PLAIN_SHAPE.fullmatch(word):
            return INVALID
        return _moment(word, zone)

    return decode


def _moment(word: str, zone: ZoneInfo) -> object:
    try:
        return _in_utc(datetime.fromisoformat(word), zone)
    except ValueError:
        return INVALID


def _native_instant(zone: ZoneInfo) -> Callable[[object], object]:
    def decode(native: object) -> object:
        if isinstance(native, datetime):
            return _in_utc(native, zone)
        return _moment(native, zone) if isinstance(native, str) else INVALID

    return decode


def _in_utc(moment: datetime, zone: ZoneInfo) -> object:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:  # 0001-01-01, which some systems write for "never"
        return INVALID


def _aware(value: object) -> object:
    return value


def _there(value: datetime, zone: ZoneInfo) -> datetime:
    """Return the zone's own time; where its calendar ends before that moment, its last or first."""
    try:
        return value.astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError:
        return datetime.max if value.year > MINYEAR else datetime.min  # noqa: DTZ901 -- the zone's


def _naive(zone: ZoneInfo) -> Callable[[object], object]:
    def bound(value: Any) -> object:
        return _there(value, zone)

    return bound


def _writer(zone: ZoneInfo) -> Callable[[object], object]:
    def bound(value: Any) -> object:
        there = _there(value, zone)
        return f"{there.year:04}" + there.strftime(_PLAIN.removeprefix("%Y"))

    return bound


def _to_epoch(value: Any) -> object:
    return (value - _EPOCH) // _MILLISECOND


def _from_epoch(native: object) -> object:
    if isinstance(native, bool) or not isinstance(native, int):
        return INVALID
    try:
        return _EPOCH + native * _MILLISECOND
    except OverflowError:
        return INVALID
