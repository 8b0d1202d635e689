"""The matters that cases are about, from the province's catalogue, and who asks for which."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

CATALOGUE: Final = Path(__file__).parent.parent / "departments" / "matters"
TEMPORARY_ASSISTANCE: Final = "临时救助"
MINIMUM_ALLOWANCE: Final = "最低生活保障"
_PERSON: Final = "1"
_COMPANY: Final = "2"
_WORKING_DAYS: Final = 20

_ASKED_BY: Final = {
    "尊老金": (80, 110, 9),
    "残疾人": (20, 90, 2),
    "孤儿": (19, 60, 1),
    "临时救助": (18, 100, 6),
    "最低生活保障": (18, 100, 5),
    "特困": (60, 100, 1),
    "待遇申领": (60, 64, 8),
    "资格认证": (60, 100, 14),
    "灵活就业": (18, 59, 7),
    "失业登记": (18, 59, 4),
    "社会保障卡": (6, 100, 12),
    "生育": (20, 46, 5),
    "计划生育": (60, 90, 1),
    "居民医保": (0, 100, 16),
    "慢特病": (40, 100, 4),
    "零星报销": (0, 100, 5),
    "养老保险": (18, 59, 8),
    "食品": (20, 65, 3),
    "个体工商户": (20, 65, 3),
}
"""Part of a matter's name: youngest and oldest applicant, and how often it is asked for."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What of a matter a case needs."""

    code: str
    name: str
    department: str
    is_immediate: bool
    for_people: bool
    for_companies: bool
    promised_working_days: int
    materials: tuple[str, ...]

    @property
    def ages(self) -> tuple[int, int]:
        """Return how old its applicants are, from and to."""
        return self._asked_by[:2]

    @property
    def weight(self) -> int:
        """Return how often it is asked for, against the others."""
        return self._asked_by[2]

    @property
    def _asked_by(self) -> tuple[int, int, int]:
        return next((asked for part, asked in _ASKED_BY.items() if part in self.name), (18, 90, 3))


@cache
def matters(folder: Path = CATALOGUE) -> tuple[Matter, ...]:
    """Return the catalogue's matters by code."""
    found: list[Matter] = []
    for path in sorted(folder.glob("*.toml")):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        found += [_matter(document, matter) for matter in document.get("matter", ())]
    return tuple(sorted(found, key=lambda matter: matter.code))


def matter_named(name: str) -> Matter:
    """Return the matter of that name."""
    return next(matter for matter in matters() if matter.name == name)


def _matter(document: Mapping[str, Any], matter: Mapping[str, Any]) -> Matter:
    served = matter["served"]
    return Matter(
        code=str(matter["code"]),
        name=str(matter["name"]),
        department=str(document["department"]),
        is_immediate=matter.get("project_type") == "1",
        for_people=_PERSON in served,
        for_companies=_COMPANY in served,
        promised_working_days=matter.get("promised_working_days", _WORKING_DAYS),
        materials=tuple(document["material"][name]["name"] for name in matter["materials"]),
    )
