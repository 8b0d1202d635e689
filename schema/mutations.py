"""What changes something: the root fields of mutations, by name; each is written in its own file."""

from collections.abc import Mapping
from typing import Any, Final

MUTATIONS: Final[Mapping[str, Any]] = {}
