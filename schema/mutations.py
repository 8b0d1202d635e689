"""What changes something: root fields of mutations by name, each written in a file of its own."""

from collections.abc import Mapping
from typing import Any, Final

from schema.accounts import ACCOUNT_MUTATIONS
from schema.copies import COPY_MUTATIONS
from schema.openings import OPENING_MUTATIONS

MUTATIONS: Final[Mapping[str, Any]] = {**ACCOUNT_MUTATIONS, **COPY_MUTATIONS, **OPENING_MUTATIONS}
