"""One column or path as a line of a draft: type, format, codes and sensitivity as guesses."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from onboarding.drafts.model import MISSING, Line, Lines, Native
from onboarding.drafts.names import described, field_name, identifying, words
from onboarding.drafts.personal import holds_addresses, why_personal
from onboarding.drafts.values import (
    at_midnight,
    canonical_codes,
    coded,
    date_form,
    divisions,
    identifier,
    padded,
    spelled,
    time_form,
)

_NUMBERS: Final = frozenset({"integer", "decimal"})
_MONEY: Final = frozenset(
    words(
        """amount amt price total subtotal sum fee fees cost balance balc money salary income tax
        paid payment pay debt loan subsidy je jine ye yue fy dj zj wage unitprice"""
    )
)
_MONEY_HAN: Final = ("金额", "余额", "费用", "价格", "单价", "总额", "工资", "收入", "补贴", "元")
_NUMBERED: Final = (("id",), ("no",), ("number",), ("bh",), ("xh",))
_DATED: Final = frozenset(words("date day time at on month rq sj ny ymd riqi shijian"))
_DATED_HAN: Final = ("日期", "时间", "年月")
_ORDER: Final = (
    *("native", "type", "storage", "format", "unit", "codes", "codes_integer", "trim", "case"),
    *("true", "false", "digits", "sensitivity", "identifier", "description"),
)


@dataclass(frozen=True, slots=True)
class Guess:
    """What stands in a field's line so far, and why."""

    options: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """Return its type so far."""
        return str(self.options.get("type", "code" if "codes" in self.options else "string"))

    @property
    def identifier(self) -> str:
        """Return which identifier it is, if it is one."""
        return str(self.options.get("identifier", ""))


@dataclass(frozen=True, slots=True)
class Guessed:
    """The fields of one entity, and the names that the guesses about identifiers gave."""

    lines: Lines
    names: dict[str, str]
    identifiers: dict[str, str]

    def first(self, identifier: str) -> str:
        """Return the native of the first field that is such an identifier."""
        return next((name for name, kind in self.identifiers.items() if kind == identifier), "")


def fields(natives: Sequence[Native]) -> Guessed:
    """Return a line for each column, in their order."""
    beside = holds_addresses(natives)
    guesses = [_guess(native, beside_address=beside) for native in natives]
    if any(guess.options.get("sensitivity") == "restricted" for guess in guesses):
        for guess in guesses:
            guess.options.setdefault("sensitivity", "personal")
    names: dict[str, str] = {}
    for native in natives:
        names[native.name] = field_name(native.name, names.values())
    lines = tuple(
        _line(names[native.name], native, guess)
        for native, guess in zip(natives, guesses, strict=True)
    )
    pairs = zip(natives, guesses, strict=True)
    return Guessed(
        lines, names, {native.name: guess.identifier for native, guess in pairs if guess.identifier}
    )


def _line(name: str, native: Native, guess: Guess) -> Line:
    options = {
        **guess.options,
        "native": native.name,
        "description": described(native.name, native.comment),
    }
    ordered = {option: options[option] for option in _ORDER if option in options}
    return Line(name, ordered, tuple(guess.notes))


def _guess(native: Native, *, beside_address: bool) -> Guess:
    guess = Guess()
    if native.refers:
        guess.notes.append(f"guess: refers to {native.refers}")
    for look in (_as_identifier, _as_key, _as_declared_codes, _as_date, _as_time, _as_division):
        if look(native, guess):
            break
    else:
        _as_plain(native, guess, beside_address=beside_address)
    _judge(native, guess, beside_address=beside_address)
    if _has_blanks(native) and guess.kind in ("string", "date", "datetime", "division"):
        guess.options["trim"] = True
    return guess


def _has_blanks(native: Native) -> bool:
    return any(isinstance(value, str) and value != value.rstrip(" ") for value in native.values)


def _as_identifier(native: Native, guess: Guess) -> bool:
    found = identifier(native.values) if native.type == "string" else None
    if found is None:
        return False
    name, share = found
    guess.options.update({"identifier": name, "sensitivity": "restricted"})
    if name == "citizen_number":
        guess.options["case"] = "upper"
    guess.notes.append(f"guess: {name}, {share} have the right check digit")
    return True


def _as_key(native: Native, guess: Guess) -> bool:
    if native.type == "integer" and (native.is_key or words(native.name)[-1:] in _NUMBERED):
        guess.options["storage"] = "integer"
        return True
    return native.is_key and native.type == "string"


def _as_declared_codes(native: Native, guess: Guess) -> bool:
    if not native.codes:
        return False
    guess.options.update({"codes": canonical_codes(native.codes)})
    if native.type == "integer":
        guess.options.update({"codes_integer": True})
    guess.notes.append("decide: what the codes mean; the system declares them")
    return True


def _as_date(native: Native, guess: Guess) -> bool:
    if native.type == "date":
        guess.options.update({"type": "date"})
        guess.options.update({"storage": native.storage} if native.storage else {"format": "iso"})
        return True
    form = date_form(native.values) if native.type in ("string", "integer") else ""
    if not form:
        return False
    guess.options.update({"type": "date", "format": form})
    if native.type == "integer":
        guess.options["storage"] = "integer"
    guess.notes.append(f"guess: dates, as all {len(native.values)} values are")
    return True


def _as_time(native: Native, guess: Guess) -> bool:
    if at_midnight(native.values):
        guess.notes.append(
            "decide: all are at midnight; where they are dates, give them so by a view"
        )
    if native.type == "datetime" and native.storage != "text":
        guess.options.update({"type": "datetime"})
        guess.options.update({"storage": native.storage} if native.storage else {"format": "iso"})
        return True
    form = time_form(native.values) if native.type in ("string", "integer", "datetime") else ""
    if not form and native.type != "datetime":
        return False
    guess.options.update({"type": "datetime", "format": form or "plain"})
    told = f"as all {len(native.values)} values are" if form else "as no value was seen"
    guess.notes.append(f"guess: times, {told}")
    return True


def _as_division(native: Native, guess: Guess) -> bool:
    share = divisions(native) if native.type == "string" else None
    if share is None:
        return False
    guess.options["type"] = "division"
    width = padded(native.values)
    if width:
        guess.options["digits"] = width
    guess.notes.append(f"guess: divisions, {share} are codes of the Ministry")
    return True


def _as_plain(native: Native, guess: Guess, *, beside_address: bool) -> None:
    if native.type in _NUMBERS and _is_called(native, _MONEY, _MONEY_HAN):
        _as_money(native, guess)
    elif native.type == "boolean":
        guess.options["type"] = "boolean"
        if native.storage == "integer":
            guess.options.update({"true": 1, "false": 0})
    elif native.type == "string" and spelled(native.values):
        true, false = spelled(native.values) or ("", "")
        guess.options.update({"type": "boolean", "true": true, "false": false})
        guess.notes.append("guess: yes and no, as the values are spelled")
    elif why_personal(native, beside_address=beside_address):
        _as_number(native, guess)
    elif coded(native):
        _as_codes(native, guess)
    else:
        _as_number(native, guess)
        _ask_for_dates(native, guess)


def _as_money(native: Native, guess: Guess) -> None:
    guess.options.update({"type": "money", "unit": MISSING})
    if native.storage or native.type == "integer":
        guess.options["storage"] = native.storage or "integer"
    guess.notes.append('guess: money, by its name; decide: unit = "yuan" or "fen"')


def _as_codes(native: Native, guess: Guess) -> None:
    found = coded(native)
    guess.options["codes"] = canonical_codes(found)
    if native.type == "integer":
        guess.options["codes_integer"] = True
    guess.notes.append(
        f"decide: what the codes mean; {len(found)} different ones in {len(native.values)} values"
    )


def _as_number(native: Native, guess: Guess) -> None:
    if native.type in _NUMBERS:
        guess.options["type"] = native.type
        if native.storage and native.storage != native.type:
            guess.options["storage"] = native.storage


def _ask_for_dates(native: Native, guess: Guess) -> None:
    if native.type == "string" and not native.values and _is_called(native, _DATED, _DATED_HAN):
        guess.notes.append('decide: where it is a date: type = "date", format = "yyyymmdd"')


def _judge(native: Native, guess: Guess, *, beside_address: bool) -> None:
    """Say how sensitive it is: restricted where it looks personal, personal where it may be."""
    if "sensitivity" in guess.options:
        return
    plain = native if guess.kind == "string" else replace(native, values=())
    reason = why_personal(plain, beside_address=beside_address)
    if reason:
        guess.options["sensitivity"] = "restricted"
        guess.notes.append(f"guess: {reason}")
        if not native.values and identifying(native.name):
            guess.notes.append(
                f'decide: whether it is one: identifier = "{identifying(native.name)}"'
            )
    elif guess.kind == native.type == "string" and not native.is_key:
        guess.options["sensitivity"] = "personal"
        guess.notes.append("guess: personal, as any text that nobody has looked at")


def _is_called(native: Native, whole: frozenset[str], han: Sequence[str]) -> bool:
    called = not whole.isdisjoint(words(native.name))
    return called or any(part in native.name + native.comment for part in han)
