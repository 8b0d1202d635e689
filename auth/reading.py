"""
What an answer read of whom, and the record the ledger keeps of it.

People stand in a record by a keyed hash alone, and no value of a row does at all.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from auth.policy import HIDDEN, SHOWN, Grant
from auth.principal import Principal
from auth.subject_keys import SubjectKey, derived
from contract.entity import Entity, Sensitivity

PERSON: Final = "person"
MASKED: Final = "masked"
_TEXT: Final = 200  # characters of what clients and issuers may write
_NUMBERS: Final = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")
_DIGITS: Final = re.compile(r"\d{6,}[Xx]?")
_SUBJECT_DIGITS: Final = 32
_PADS: Final = (0x36, 0x5C)
_BLOCK: Final = 64  # bytes; of SM3 and SHA-256 alike, and no key is longer


@dataclass(frozen=True, slots=True)
class Reading:
    """
    Rows of one entity that one field of a question read, or asked for.

    `fields` were selected, as far as `grants` show them; `named` gives the fields of the filter and
    the order. `subjects` tell whom the rows speak of, `kind` what these values are.
    """

    entity: Entity
    fields: frozenset[str]
    grants: tuple[Grant, ...]
    named: Callable[[], Iterable[str]]
    kind: str = PERSON
    subjects: Sequence[object] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Consulted:
    """
    Records of the ledger itself that one field of a question read, or asked for.

    `named` tells by what they were asked for, `persons` whose records they had to be.
    """

    named: Mapping[str, str]
    persons: tuple[str, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, for the ledger: who asked what, what was read for it, and how it ended."""

    principal: Principal
    operation: str | None
    document: str
    readings: Sequence[Reading]
    sources: frozenset[str]
    codes: frozenset[str]
    consulted: Sequence[Consulted] = ()


@dataclass(frozen=True, slots=True)
class Registrar:
    """Makes records; `key` is behind the hashes of people."""

    key: SubjectKey
    algorithm: str

    @classmethod
    def of(cls, secret: bytes, algorithm: str) -> "Registrar":
        """Return one whose key is derived from the gateway's secret."""
        return cls(derived(secret), algorithm)

    def record(self, answer: Answer, kind: str = "answer") -> dict[str, object]:
        """Return the record of an answer, but for its place in the ledger."""
        principal = answer.principal
        consulted = {"consulted": [self._consulted(each) for each in answer.consulted]}
        return {
            "kind": kind,
            "account": _plain(principal.account),
            "office": list(zip(map(_plain, principal.roles), principal.scopes, strict=True)),
            "department": _plain(principal.department),
            "purpose": _NUMBERS.sub("#", _plain(principal.purpose)),
            **_reasons(answer),
            "operation": {
                "name": _DIGITS.sub("#", answer.operation or "")[:_TEXT],
                "hash": self._hashed("document", [answer.document])[answer.document],
            },
            "key": self.key.id,
            "readings": self._readings(answer.readings),
            **(consulted if answer.consulted else {}),
            "sources": sorted(answer.sources),
            "rows": sum(reading.rows for reading in answer.readings),
            "outcome": sorted(answer.codes) or ["OK"],
        }

    def subject(self, kind: str, value: object) -> str:
        """Return how a person, or whatever a row speaks of, is called in the ledger."""
        return self._names(kind, [str(value)])[str(value)]

    def _names(self, kind: str, values: Iterable[str]) -> dict[str, str]:
        hashed = self._hashed(kind, values)
        return {value: whole[:_SUBJECT_DIGITS] for value, whole in hashed.items()}

    def _hashed(self, kind: str, values: Iterable[str]) -> dict[str, str]:
        """Return hashes, as HMAC makes them, that nobody can find by trying without the key."""
        inner, outer = _started(self.key.key, self.algorithm, kind)
        hashed = {}
        for value in values:
            within, around = inner.copy(), outer.copy()
            within.update(value.encode(errors="replace"))
            around.update(within.digest())
            hashed[value] = str(around.hexdigest())
        return hashed

    def _consulted(self, consulted: Consulted) -> dict[str, object]:
        return {
            "named": {
                name: _NUMBERS.sub("#", _plain(said)) for name, said in consulted.named.items()
            },
            "rows": consulted.rows,
            "subjects": sorted(self.subject(PERSON, each) for each in consulted.persons),
        }

    def _readings(self, readings: Sequence[Reading]) -> list[dict[str, object]]:
        # Several fields read the same people: each is hashed once, and no name outlives the record.
        subjects = [set(map(str, reading.subjects)) for reading in readings]
        said: dict[str, set[str]] = {}
        for reading, values in zip(readings, subjects, strict=True):
            said.setdefault(reading.kind, set()).update(values)
        names = {kind: self._names(kind, values) for kind, values in said.items()}
        return [
            _reading(reading, sorted({names[reading.kind][each] for each in values}))
            for reading, values in zip(readings, subjects, strict=True)
        ]


def _reading(reading: Reading, subjects: Sequence[str]) -> dict[str, object]:
    return {
        "entity": reading.entity.name,
        "fields": _fields(reading),
        "named": sorted(reading.named()),
        "rows": reading.rows,
        "subjects": subjects,
    }


def _reasons(answer: Answer) -> dict[str, object]:
    """Return the case that was named, and the openings that rows were shown by."""
    principal = answer.principal
    numbers = {grant.number for reading in answer.readings for grant in reading.grants}
    used = (
        {"id": opening.id, "purpose": opening.purpose, "basis": _NUMBERS.sub("#", opening.basis)}
        for number, opening in enumerate(principal.openings, len(principal.roles))
        if opening.id and number in numbers
    )
    openings = list(used)
    case = {"case": _NUMBERS.sub("#", principal.case)} if principal.case else {}
    return {**case, **({"openings": openings} if openings else {})}


@lru_cache(maxsize=64)
def _started(key: bytes, algorithm: str, kind: str) -> tuple[Any, Any]:
    """Return both hashes that an HMAC is made of, as far as they are the same for all of a kind."""
    block = key.ljust(_BLOCK, b"\0")
    inner, outer = (hashlib.new(algorithm, bytes(each ^ pad for each in block)) for pad in _PADS)
    inner.update(f"{kind}\0".encode(errors="replace"))
    return inner, outer


def _fields(reading: Reading) -> Mapping[str, Mapping[str, str]]:
    """Return by sensitivity how each selected field was shown; what is open is not told."""
    found: dict[str, dict[str, str]] = {}
    for name in sorted(reading.fields):
        sensitivity = reading.entity.fields[name].sensitivity
        if sensitivity is not Sensitivity.OPEN:
            found.setdefault(sensitivity.value, {})[name] = _access(name, reading.grants)
    return found


def _access(name: str, grants: Iterable[Grant]) -> str:
    found = HIDDEN
    for grant in grants:
        access = grant.access.get(name, HIDDEN)
        if access == SHOWN:
            return SHOWN
        if access != HIDDEN:
            found = MASKED
    return found


def _plain(text: str) -> str:
    """Return a text that others wrote, as far as it can be kept."""
    return text.encode(errors="replace").decode()[:_TEXT]
