"""What changes something: root fields of mutations by name, each written in a file of its own."""

from collections.abc import Mapping
from typing import Any, Final

MUTATIONS: Final[Mapping[str, Any]] = {}
