"""
What permission costs: this server beside itself with a policy that opens all and without a ledger.

Both get the same texts, which name the township themselves wherever a list can be filtered. Two
things remain that only permission does: it masks, and it withholds a household that lies in another
township. The answers of the open server are compared after doing just that to them.
"""

from collections.abc import Sequence
from typing import Any, Final

from benchmarks.questions import TOWNSHIP, Asked, Texts
from benchmarks.scoping import masked
from benchmarks.stage import Contestant, Disagreement, Ready, Stage, told

FILTERED: Final[Texts] = {
    "Q1": """\
query Q1($id: String!, $township: DivisionCode!) {
  resident(idNumber: $id) {
    idNumber name sex birthDate
    household { number address division }
    cases(where: { acceptingDivision: { within: $township } }, first: 20) {
      nodes { number status matter { code name } }
    }
  }
}""",
    "Q2": """\
query Q2($township: DivisionCode!) {
  residents(
    where: { residenceDivision: { within: $township } }
    first: 50
  ) {
    nodes {
      idNumber name sex birthDate
      household {
        address division
        members(where: { residenceDivision: { within: $township } }) { name }
      }
      cases(where: { acceptingDivision: { within: $township } }, first: 5) {
        nodes { status matter { name } }
      }
    }
  }
}""",
    "Q3": TOWNSHIP["Q3"],
}


def guarded_and_unguarded(stage: Stage) -> list[Contestant]:
    """Return the two servers."""
    guarded = Contestant(stage.township("guarded").program, FILTERED)
    return [guarded, stage.unguarded(FILTERED)]


def agree_but_for_permission(servers: Sequence[Ready]) -> int:
    """
    Compare every answer of the two servers; return how many there are.

    Raises: Disagreement; also where no household was withheld, since then permission did nothing.
    """
    guarded, unguarded = servers
    withheld = 0
    for asked, shot in guarded.shots.items():
        clear = told(unguarded.shots[asked].answer or b"")
        seen = _as_seen(clear, asked)
        withheld += _withheld(clear, asked)
        if told(shot.answer or b"") != seen:
            raise Disagreement(f"permission changed more than it should: {asked}")
    if not withheld:
        raise Disagreement("no household was withheld from anybody")
    return len(guarded.shots)


def _as_seen(value: Any, asked: Asked) -> Any:
    """Return an answer of the open server as the township's clerk is to see it."""
    if isinstance(value, list):
        return [_as_seen(each, asked) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _seen(name, each, asked) for name, each in value.items()}


def _seen(name: str, value: Any, asked: Asked) -> Any:
    if name == "idNumber":
        return masked(value)
    if name == "household" and _is_elsewhere(value, asked):
        return None
    return _as_seen(value, asked)


def _withheld(value: Any, asked: Asked) -> int:
    if isinstance(value, list):
        return sum(_withheld(each, asked) for each in value)
    if not isinstance(value, dict):
        return 0
    here = _is_elsewhere(value.get("household"), asked)
    return here + sum(_withheld(each, asked) for each in value.values())


def _is_elsewhere(household: Any, asked: Asked) -> bool:
    return isinstance(household, dict) and household["division"] != asked.township
