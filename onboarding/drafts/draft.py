"""
A first mapping file for a system that nobody has described yet.

What the system says of itself is read from a database, an OpenAPI description or a GraphQL service;
whatever cannot be known is left for a person to decide. No address or secret gets into the file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from onboarding.drafts.database import database_draft
from onboarding.drafts.model import Asked, DraftRefused
from onboarding.drafts.names import file_name
from onboarding.drafts.text import text
from onboarding.drafts.web import web_draft
from sources.environment import filled

_DATABASE: Final = re.compile(r"[a-z0-9]+\+[a-z0-9]+:.*")
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME: Final = re.compile(r"[a-z][a-z_]*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What somebody wants a draft of; `url` may be written "${NAME}".

    `name`: of the department's system; from the address where empty. `header`: a header that is
    sent with the value of <NAME>_TOKEN. `only`: tables, paths or fields; all where empty.
    """

    url: str = field(repr=False)
    name: str = ""
    header: str = ""
    only: tuple[str, ...] = ()


async def drafted(wanted: Wanted, core: Sequence[str], environment: Mapping[str, str]) -> str:
    """
    Return a first mapping file; `core` are the names of the schema's entities.

    Raises: DraftRefused.
    """
    asked = _asked(wanted, environment)
    is_database = _DATABASE.fullmatch(asked.url)
    return text(await (database_draft if is_database else web_draft)(asked, core))


def _asked(wanted: Wanted, environment: Mapping[str, str]) -> Asked:
    url = _filled(wanted.url, environment)
    name = wanted.name or file_name(_names(url))
    if not _NAME.fullmatch(name):
        raise DraftRefused(f"{name!r} cannot be a name: small letters and _ only")
    variable = _VARIABLE.fullmatch(wanted.url)
    token = f"${{{name.upper()}_TOKEN}}" if wanted.header else ""
    return Asked(
        name,
        url,
        variable[1] if variable else f"{name.upper()}_URL",
        wanted.only,
        wanted.header,
        _filled(token, environment),
    )


def _filled(written: str, environment: Mapping[str, str]) -> str:
    answer = filled(written, environment)
    if isinstance(answer, str):
        return answer
    raise DraftRefused("; ".join(f"the variable {each.name} {each.reason}" for each in answer))


def _names(url: str) -> tuple[str, ...]:
    """Return what the system may be called by, the best first."""
    if not _DATABASE.fullmatch(url):
        parts = urlsplit(url)
        return ((parts.hostname or "").partition(".")[0], Path(parts.path).stem)
    try:
        return (Path(make_url(url).database or "").stem,)
    except (ArgumentError, ValueError):
        raise DraftRefused("the address cannot be read") from None
