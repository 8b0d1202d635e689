"""Mistakes of one mapping file as they are found, and the words they are told in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contract.document import Document, Mistake, Place
from sources.mapping_model import Shape

AnyShape = TypeVar("AnyShape", bound=Shape)


@dataclass(frozen=True, slots=True)
class Findings:
    """A file and what was found wrong in it so far."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)

    def add(self, place: Place, what: str, write: str) -> None:
        """Note one mistake."""
        self.mistakes.append(self.document.mistake(place, what, write))

    def shaped(self, shape: type[AnyShape], data: object, place: Place) -> AnyShape | None:
        """Return the data in its shape, or nothing after noting why it does not fit."""
        try:
            return shape.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                self._note(shape, detail, place)
            return None

    def _note(self, shape: type[Shape], detail: ErrorDetails, place: Place) -> None:
        inner = detail["loc"]
        context: Mapping[str, Any] = detail.get("ctx", {})
        at = (*place, *inner)
        name = _name_of(at)
        match detail["type"]:
            case "extra_forbidden":
                known = _shape_at(shape, inner[:-1]).model_fields
                self.add(at, f'the key "{name}" is not known here', instead(name, known))
            case "missing":
                self.add(at, f'the key "{name}" is missing', f"Write {name} = ….")
            case "literal_error":
                self.add(at, f"{name} has a value that is not allowed", one_of(context["expected"]))
            case "value_error":
                self.add(at, f"{name} is not what it should be", f"Write {context['error']}.")
            case "string_pattern_mismatch":
                self.add(at, f"{name} has characters that are not allowed", "Write a-z and _ only.")
            case "too_short" | "string_too_short":
                self.add(at, f"{name} is empty", "Write at least one.")
            case "greater_than_equal":
                self.add(at, f"{name} is too small", f"Write {context['ge']} or more.")
            case kind:
                self.add(at, f"{name} has the wrong type", f"Write {_typed(kind)}.")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant."""
    return next(iter(get_close_matches(name, list(names), 1, 0.5)), None)


def instead(name: str, names: Iterable[str]) -> str:
    """Return what to write for a name that is not known: the nearest one, or all there are."""
    meant = nearest(name, names)
    return f"Write {meant}." if meant else f"Write one of {', '.join(names) or '(none)'}."


def one_of(expected: str) -> str:
    """Return what to write where only some values are allowed."""
    return f"Write {expected.replace(chr(39), chr(34))}."


def _name_of(place: Place) -> str:
    return next((step for step in reversed(place) if isinstance(step, str)), "this")


def _shape_at(shape: type[Shape], inner: Place) -> type[Shape]:
    for step in inner:
        if isinstance(step, str) and step in shape.model_fields:
            shape = _shape_in(shape.model_fields[step].annotation) or shape
    return shape


def _shape_in(annotation: Any) -> type[Shape] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Shape) else None
    inner = (_shape_in(part) for part in getattr(annotation, "__args__", ()))
    return next((shape for shape in inner if shape), None)


def _typed(kind: str) -> str:
    words = {
        "string_type": 'a text in "quotes"',
        "int_type": "a whole number without quotes",
        "bool_type": "true or false without quotes",
        "list_type": "a list in [brackets]",
        "dict_type": "a table: { key = … }",
        "model_type": "a table: { key = … }",
    }
    return words.get(kind, "another value")
