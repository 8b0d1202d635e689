"""Who may not name what a filter over the world of `tests.world` names."""

from typing import Any

from tests import oracle


def names_hidden(account: str, entity: str, where: Any) -> bool:
    """Say whether a principal with rows of the entity names something that is not clear to them."""
    opened = OPENED[account]
    return entity in opened and _filters_hidden(opened, entity, where)


def _filters_hidden(opened: frozenset[str], entity: str, where: Any) -> bool:
    for name, value in where.items():
        if name in ("and", "or"):
            if any(_filters_hidden(opened, entity, part) for part in value):
                return True
        elif name == "not":
            if _filters_hidden(opened, entity, value):
                return True
        elif name in oracle.RELATIONS[entity]:
            target = oracle.RELATIONS[entity][name][0]
            if target not in opened or _filters_hidden(opened, target, value):
                return True
        elif name not in oracle.CLEAR[entity]:
            return True
    return False


_AREA = frozenset({"Resident", "Household", "Case", "CaseEvent", "Enterprise", "MedicalEnrollment"})
OPENED = {
    **dict.fromkeys(("clerk", "neighbour", "county", "city", "province", "both", "two"), _AREA),
    "grid": frozenset({"Resident", "Household", "MedicalEnrollment"}),
    "officer": frozenset({"Case", "CaseEvent"}),
    **dict.fromkeys(("auditor", "nobody", "misplaced"), frozenset[str]()),
}
