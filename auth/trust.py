"""Whose tokens are accepted: `issuers.toml`, read once at the start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.document import Document, Mistake, Mistakes, load

Algorithm = Literal["Ed25519", "EdDSA", "ES256", "RS256", "PS256"]
Text = Annotated[str, Field(min_length=1, max_length=512)]

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_WRITE: Final = "Write one [[issuer]] table for each trusted issuer and nothing else."


@dataclass(frozen=True, slots=True)
class Issuer:
    """One trusted issuer: its pinned algorithms and where its public keys are."""

    name: str
    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    jwks: str  # a URL, or the absolute path of a file


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Text
    issuer: Text
    audience: Text
    algorithms: Annotated[list[Algorithm], Field(min_length=1)]
    jwks: Text


def load_issuers(path: Path) -> tuple[Issuer, ...]:
    """
    Return the issuers of the file; a relative `jwks` is relative to it.

    Raises: Mistakes, all of them.
    """
    document = load(path)
    tables = document.data.get("issuer")
    if set(document.data) != {"issuer"} or not isinstance(tables, list) or not tables:
        raise Mistakes((document.mistake((), "this is no list of issuers", _WRITE),))
    issuers: list[Issuer] = []
    mistakes: list[Mistake] = []
    for number, table in enumerate(tables):
        read = _issuer(document, number, table, path.parent)
        if isinstance(read, Issuer):
            issuers.append(read)
        else:
            mistakes.extend(read)
    mistakes.extend(_repeated(document, issuers))
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return tuple(issuers)


def is_url(jwks: str) -> bool:
    """Return whether the keys are fetched rather than read from a file."""
    return "://" in jwks


def _issuer(document: Document, number: int, table: object, folder: Path) -> Issuer | list[Mistake]:
    try:
        declared = _Declared.model_validate(table)
    except ValidationError as error:
        return [
            document.mistake(
                ("issuer", number, *part["loc"]), _what(part["loc"]), f"{part['msg']}."
            )
            for part in error.errors(include_input=False, include_url=False)
        ]
    if is_url(declared.jwks) and not _is_safe(declared.jwks):
        place = ("issuer", number, "jwks")
        write = "Write an https address, or the path of a file."
        return [document.mistake(place, "`jwks` is not a safe address", write)]
    place_of_keys = (
        declared.jwks if is_url(declared.jwks) else str((folder / declared.jwks).resolve())
    )
    return Issuer(
        declared.name,
        declared.issuer,
        declared.audience,
        tuple(declared.algorithms),
        place_of_keys,
    )


def _what(place: tuple[str | int, ...]) -> str:
    return f"`{'.'.join(map(str, place))}` cannot be used" if place else "this is no table"


def _repeated(document: Document, issuers: list[Issuer]) -> list[Mistake]:
    if len({issuer.issuer for issuer in issuers}) == len(issuers):
        return []
    return [document.mistake((), "two tables have the same `issuer`", "Keep one of them.")]


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
