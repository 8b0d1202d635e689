"""Drafts in tests: written of a system, their decisions filled in as somebody would, and read."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from onboarding.drafts.draft import Wanted, drafted
from schema.graph import core_entities
from sources.declaration import Department
from sources.mapping import load_departments

NOTHING: Mapping[str, str] = MappingProxyType({})


async def draft(wanted: Wanted, environment: Mapping[str, str] = NOTHING) -> str:
    return await drafted(wanted, tuple(core_entities()), environment)


def decided(text: str, decisions: Mapping[str, str] = NOTHING) -> str:
    """Fill in every description and unit, take every proposed line, and replace what is named."""
    for before, after in decisions.items():
        assert before in text, before
        text = text.replace(before, after)
    text = text.replace('"… |', '"待定 |').replace('| …"', '| Undecided"')
    text = text.replace('unit = "…"', 'unit = "yuan"')
    return re.sub(r"^# decide: (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)


def read(folder: Path, text: str) -> Department:
    """Read the file as the server would, without a mistake."""
    name = re.search(r'^name = "(.+)"$', text, re.MULTILINE)
    assert name is not None
    (folder / f"{name[1]}.toml").write_text(text, "utf-8")
    (department,) = load_departments(folder, core_entities(), None)
    return department
