"""Native values and ours: texts, codes, yes and no, money in yuan and fen, divisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import floor, inf, nextafter
from typing import Final

from contract.entity import UNKNOWN
from contract.predicate import INVALID, Operator
from sources.crosswalk import UNCHANGED, Beneath, CodeReading
from sources.declaration import Branch, Codec, Places, Span, Storage
from sources.divisions import LEVELS, canonical, remembered
from sources.times import calendar, instant

__all__ = [
    "boolean",
    "calendar",
    "canonical_division",
    "code",
    "compared",
    "decimal",
    "division",
    "instant",
    "integer",
    "money",
    "numeral",
    "text",
]

_CENT: Final = Decimal("0.01")
_SCOPES: Final = 1024  # remembered for each field
_LARGEST: Final = 20  # digits before or after the point; what is longer is no amount
_UPPER: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_TOUCHING: Final = {Operator.LT: Operator.LTE, Operator.GTE: Operator.GT}


def compared(codec: Codec, operator: Operator, value: object) -> tuple[Operator, object]:
    """Return the comparison to ask of native values, for an ordered codec and a range operator."""
    if not codec.encode(value):
        operator = _TOUCHING.get(operator, operator)
    return operator, codec.bound(value)


def text(*, trim: bool = False, upper: bool = False) -> Codec:
    """
    Return the codec of plain text.

    `trim`: trailing blanks do not count. `upper`: all lower case is read as upper case (letters of
    ASCII); mixed case stays as it is, so every value has two native spellings at most.
    """
    if not (trim or upper):
        return Codec(_plain, lambda value: (str(value),), _same, textual=True)

    def decode(native: object) -> object:
        if not isinstance(native, str):
            return INVALID
        value = native.rstrip(" ") if trim else native
        if not upper or value.isdigit():  # as most citizen numbers are
            return value
        return value.translate(_UPPER) if value == value.translate(_LOWER) else value

    def encode(value: object) -> tuple[object, ...]:
        word = str(value)
        spelled = (word, word.translate(_LOWER)) if upper else (word,)
        return tuple(dict.fromkeys(native for native in spelled if decode(native) == word))

    plain = not upper
    return Codec(decode, encode, _same, ordered=plain, textual=plain, blanks=trim)


def numeral() -> Codec:
    """Return the codec of a text that the system keeps as a whole number."""

    def decode(native: object) -> object:
        return str(native) if _is_whole(native) else INVALID

    def encode(value: object) -> tuple[object, ...]:
        word = str(value)
        digits = word.removeprefix("-")
        whole = digits.isascii() and digits.isdigit() and str(int(word)) == word
        return (int(word),) if whole else ()

    return Codec(decode, encode, _same, ordered=False, storage="integer")


def integer(storage: Storage = "integer") -> Codec:
    """Return the codec of whole numbers."""

    def decode(native: object) -> object:
        if isinstance(native, Decimal) and native.is_finite() and native == int(native):
            return int(native)
        return native if _is_whole(native) else INVALID

    return Codec(decode, _one, _same, storage=storage, total=storage == "integer")


def boolean(true: object = True, false: object = False) -> Codec:  # noqa: FBT002 -- native spellings
    """Return the codec of yes and no, spelled as the system spells them."""
    kind = type(true)
    natives = {True: true, False: false}

    def decode(native: object) -> object:
        if type(native) is not kind:
            return INVALID
        word = native.rstrip(" ") if isinstance(native, str) else native
        return True if word == true else False if word == false else INVALID

    return Codec(
        decode,
        lambda value: (natives[bool(value)],),
        lambda value: natives[bool(value)],
        ordered=False,
        blanks=kind is str,
        total=kind is bool,
        storage="boolean" if kind is bool else "integer" if kind is int else "text",
    )


def code(codes: Mapping[object, str]) -> Codec:
    """Return the codec of a code set; a native code that is not in it is UNKNOWN."""
    known = {native: canonical for native, canonical in codes.items() if canonical != UNKNOWN}
    whole = all(isinstance(native, int) for native in codes)
    kind = int if whole else str

    def decode(native: object) -> object:
        if type(native) is not kind:
            return INVALID
        return known.get(native.rstrip(" ") if isinstance(native, str) else native, UNKNOWN)

    def encode(value: object) -> tuple[object, ...]:
        return tuple(native for native, canonical in known.items() if canonical == value)

    return Codec(
        decode,
        encode,
        _same,
        ordered=False,
        blanks=not whole,
        known=tuple(known),
        storage="integer" if whole else "text",
    )


def money(unit: str, storage: Storage = "decimal") -> Codec:
    """Return the codec of money kept in yuan or in fen; ours is yuan with two places at least."""
    return _amounts(-2 if unit == "fen" else 0, storage, _in_cents)


def decimal(storage: Storage = "decimal") -> Codec:
    """Return the codec of numbers that are not money."""
    return _amounts(0, storage, lambda amount: amount)


def division(
    digits: int | None = None, *, trim: bool = False, reading: CodeReading = UNCHANGED
) -> Codec:
    """
    Return the codec of division codes; with `digits`, the system pads every code so.

    What the reading of its code system cannot translate is INVALID.
    """

    def decode(native: object) -> object:
        if not isinstance(native, str):
            return INVALID
        word = native.rstrip(" ") if trim else native
        if digits and word and len(word) != digits:
            return INVALID
        return _read(reading, word) if word else None

    def encode(value: object) -> tuple[object, ...]:
        codes = reading.written(str(value))
        forms = (form for code in codes for form in _forms(code, digits))
        return tuple(dict.fromkeys(form for form in forms if decode(form) == value))

    places = _Places(reading, digits)
    return Codec(
        decode,
        encode,
        _same,
        ordered=False,
        blanks=trim,
        nulls=("",),
        total=reading.is_whole and not digits,
        places=Places(
            remembered(places.within, _SCOPES),
            remembered(places.cover, _SCOPES),
            places.is_exact,
            None if reading.is_whole else lambda: places.within(""),
            digits or 0,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """Scopes in the native texts of one field: the codes of its system, filled with zeros."""

    reading: CodeReading
    digits: int | None

    def within(self, scope: str) -> Span:
        beneath = self.reading.beneath(scope)
        outside = [
            form
            for code in (*beneath.but, *(branch.prefix for branch in beneath.branches))
            for form in _forms(code, self.digits)
            if not self._holds(scope, form)
        ]
        among = [form for code in beneath.among for form in _forms(code, self.digits)]
        return Span(
            beneath.branches,
            tuple(dict.fromkeys(form for form in among if self._holds(scope, form))),
            tuple(dict.fromkeys(outside)),
        )

    def cover(self, scope: str) -> tuple[str, ...]:
        codes = self.reading.cover(scope)
        forms = (form for code in codes for form in _forms(code, self.digits))
        return tuple(dict.fromkeys(forms))

    def is_exact(self, scope: str) -> bool:
        branch = Branch(scope)
        return not self.digits and self.reading.beneath(scope) == Beneath((branch,), (), ())

    def _holds(self, scope: str, form: str) -> bool:
        ours = _read(self.reading, form)
        return isinstance(ours, str) and ours.startswith(scope)


def _read(reading: CodeReading, word: str) -> object:
    ours = reading.read(canonical_division(word))
    return INVALID if ours is None else ours


def _forms(code: str, digits: int | None) -> tuple[str, ...]:
    """Return the ways a system may write a code."""
    widths = (digits,) if digits else LEVELS
    forms = [code.ljust(width, "0") for width in widths if width >= len(code)]
    return tuple(dict.fromkeys(forms if digits else (code, *forms)))


def canonical_division(native: str) -> str:
    """Return the significant digits of a padded code; what is no division code stays as it is."""
    return canonical(native) or native


def _amounts(shift: int, storage: Storage, shown: Callable[[Decimal], Decimal]) -> Codec:
    def decode(native: object) -> object:
        amount = _number(native)
        return INVALID if amount is None else shown(amount.scaleb(shift))

    def bound(value: object) -> object:
        return _stored(Decimal(str(value)).scaleb(-shift), storage)

    def encode(value: object) -> tuple[object, ...]:
        native = bound(value)
        return (native,) if decode(native) == value else ()

    exact = storage != "text"  # "1.5" and "1.50" are the same amount
    total = storage == "integer"  # a number may be NaN
    return Codec(decode, encode, bound, ordered=exact, exact=exact, total=total, storage=storage)


def _in_cents(amount: Decimal) -> Decimal:
    cents = amount.quantize(_CENT)
    return cents if cents == amount else amount


def _same(value: object) -> object:
    return value


def _plain(native: object) -> object:
    return native if isinstance(native, str) else INVALID


def _one(value: object) -> tuple[object, ...]:
    return (value,)


def _is_whole(native: object) -> bool:
    return isinstance(native, int) and not isinstance(native, bool)


def _number(native: object) -> Decimal | None:
    if isinstance(native, bool):
        return None
    try:
        amount = Decimal(str(native).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and _is_amount(amount) else None


def _is_amount(amount: Decimal) -> bool:
    _, digits, exponent = amount.as_tuple()
    short = len(digits) <= _LARGEST and int(exponent) >= -_LARGEST
    return short and amount.adjusted() < _LARGEST


def _stored(amount: Decimal, storage: Storage) -> object:
    if storage == "integer":
        return floor(amount)
    if storage == "float":
        nearest = float(amount)
        return nextafter(nearest, -inf) if Decimal(str(nearest)) > amount else nearest
    return str(amount) if storage == "text" else amount
