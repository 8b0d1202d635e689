"""The demo's accounts as data: who may sign in, in which roles, and where each role is held."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo import scene
from demo.catalogue import CATALOGUE
from demo.land import PROVINCE, townships
from sources.divisions import Division, DivisionTree, division_tree

MAPPINGS: Final = CATALOGUE.parent
DEFAULT_RESIDENTS: Final = 60_000
_CLERKS: Final = {
    "province": ("province", "province_officer", "工作人员"),
    "city": ("city", "city_officer", "工作人员"),
    "county": ("county", "county_officer", "工作人员"),
    "township": ("clerk", "township_clerk", "综合窗口办事员"),
}
"""By level: what the account begins with, its role, and what the person is called."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in; role i is held in the division of scope i."""

    name: str
    title: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    department: str = ""
    citizen: str = ""


def accounts(residents: int = DEFAULT_RESIDENTS) -> dict[str, Account]:
    """
    Return the accounts by name.

    Every division down to the township has one, and every department; villages have one in the
    townships where a demo of so many residents has people.
    """
    tree = division_tree()
    found = [
        *_of_divisions(tree),
        *_of_villages(residents),
        *_of_departments(),
        *_statisticians(tree),
        *_administrators(tree),
        _auditor(),
        _resident(),
    ]
    return {account.name: account for account in found}


def _of_divisions(tree: DivisionTree) -> Iterator[Account]:
    pending = [PROVINCE]
    while pending:
        division = tree.get(pending.pop())
        if division is not None and division.level in _CLERKS:
            yield _clerk(tree, division)
            pending += [child.code for child in tree.children(division.code)]


def _clerk(tree: DivisionTree, division: Division) -> Account:
    prefix, role, title = _CLERKS[division.level]
    place = "".join(tree.name_path(division.code)[1:]) or division.name
    return Account(f"{prefix}-{division.code}", f"{place}{title}", (role,), (division.code,))


def _of_villages(residents: int) -> Iterator[Account]:
    for township in townships(residents):
        for village in township.villages:
            title = f"{township.name}{village.name}网格员"
            yield Account(f"grid-{village.code}", title, ("grid_worker",), (village.code,))


def _of_departments() -> Iterator[Account]:
    """Yield one officer per department, named after the first file that speaks for it."""
    seen: set[str] = set()
    for path in (*sorted(MAPPINGS.glob("*.toml")), *sorted(CATALOGUE.glob("*.toml"))):
        department = _department(path)
        if department and department not in seen:
            seen.add(department)
            title = f"省级{department}部门工作人员"
            name = f"officer-{path.stem}"
            yield Account(name, title, ("department_officer",), (PROVINCE,), department)


def _department(path: Path) -> str:
    return str(tomllib.loads(path.read_text(encoding="utf-8")).get("department", ""))


def _statisticians(tree: DivisionTree) -> Iterator[Account]:
    """Yield who counts and lists nobody: one for the province, one for each of its cities."""
    for division in (tree.get(PROVINCE), *tree.children(PROVINCE)):
        if division is not None:
            title, name = f"{division.name}统计人员", f"statistician-{division.code}"
            yield Account(name, title, ("statistician",), (division.code,))


def _administrators(tree: DivisionTree) -> Iterator[Account]:
    """Yield two for each county: what opens more takes both."""
    for city in tree.children(PROVINCE):
        for county in tree.children(city.code):
            for number in (1, 2):
                name = f"administrator-{county.code}-{number}"
                title = f"{city.name}{county.name}账号管理员{number}"
                yield Account(name, title, ("county_administrator",), (county.code,))


def _auditor() -> Account:
    return Account("auditor", "审计人员", ("auditor",), (PROVINCE,))


def _resident() -> Account:
    """Return the head of the household that the tour tells of, who asks about herself."""
    return Account("resident", "居民本人", ("resident",), (PROVINCE,), citizen=scene.HEAD.id_number)
