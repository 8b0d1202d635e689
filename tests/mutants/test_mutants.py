import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.mutating import ROOT, mutants
from tests.mutants.run import outcomes

FEWEST = 40
QUICK = (
    "scope_left_out_of_the_question",
    "cursor_for_any_scope",
    "shown_by_the_widest_of_all_grants",
)


def test_every_mutant_changes_one_place_that_is_there_and_can_be_run() -> None:
    for mutant in mutants():
        text = (ROOT / mutant.file).read_text("utf-8")

        changed = mutant.mutated(text)

        assert changed != text, mutant.name
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text)), mutant.name


def test_every_mutant_has_one_name_a_reason_and_tests_that_are_there() -> None:
    listed = mutants()

    assert len(listed) >= FEWEST
    assert [name for name, times in Counter(m.name for m in listed).items() if times > 1] == []
    for mutant in listed:
        assert mutant.why, mutant.name
        assert mutant.tests, mutant.name
        assert [t for t in mutant.tests if not (ROOT / t.split("::")[0]).exists()] == [], (
            mutant.name
        )


def test_mutants_of_scope_cursor_and_field_are_killed(tmp_path: Path) -> None:
    chosen = [mutant for mutant in mutants() if mutant.name in QUICK]

    found = list(outcomes(chosen, 1, tmp_path))

    assert [outcome.mutant for outcome in found if outcome.killed] == [m.name for m in chosen]
    assert len(found) == len(QUICK)


@pytest.mark.deep
def test_every_mutant_is_killed(tmp_path: Path) -> None:
    survivors = [each.mutant for each in outcomes(mutants(), 1, tmp_path) if not each.killed]

    assert survivors == []
