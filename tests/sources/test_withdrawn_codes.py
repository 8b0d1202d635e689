"""Codes that were withdrawn and given away again: whose rows and whose scopes they are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from contract.document import Mistakes
from sources.code_systems import CodeSystems
from tests.test_merger import INTO, NEW, OLD, OTHER, RENAMED, TODAY, lists

BEFORE, YESTERDAY = TODAY - timedelta(days=2), TODAY - timedelta(days=1)
NEXT = "320206204"


@pytest.mark.parametrize(
    ("further", "line", "what"),
    [
        ([f"MCA-2025,{OTHER},{INTO},{TODAY},rename"], 5, f"{INTO} is a place on the list"),
        ([f"MCA-2025,{OTHER}001,{INTO}001,{TODAY},rename"], 5, f"{INTO}001 is a place on the"),
        (["NBS-2023,320205101,320205102,2026-01-01,rename"], 5, "320205102 is a place on the"),
        ([f"MCA-2025,{OTHER},{NEW},{TODAY},rename"], 5, f"line 4 renames another place to {NEW}"),
        ([f"MCA-2025,{OTHER},{NEW},{BEFORE},rename"], 4, "line 5 renames another place to"),
        (
            [f"MCA-2025,{OTHER},{RENAMED},{YESTERDAY},rename"],  # which is withdrawn a day later
            5,
            f"{RENAMED} is a place on the list",
        ),
    ],
)
def test_a_place_is_not_renamed_to_what_another_one_has(
    tmp_path: Path, further: list[str], line: int, what: str
) -> None:
    with pytest.raises(Mistakes) as caught:
        CodeSystems(lists(tmp_path / "lists", 0, *further))

    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line) == (str(tmp_path / "lists" / "aliases.csv"), line)
    assert what in mistake.what
    assert mistake.write.startswith("Write merge, or ")


SAME = {RENAMED: NEW, f"{RENAMED}001": f"{NEW}001"}
FOLLOWED = {
    "once more": (
        [f"{NEW},{NEXT},{TODAY},rename"],
        {RENAMED: NEXT, f"{RENAMED}001": f"{NEXT}001", NEW: NEXT},
    ),
    "and back": ([f"{NEW},{RENAMED},{TODAY},rename"], {RENAMED: RENAMED, NEW: RENAMED}),
    "within it, a village renamed": (
        [f"{RENAMED}001,{NEW}007,{YESTERDAY},rename"],
        {RENAMED: NEW, **{code: code for code in (f"{RENAMED}001", f"{RENAMED}007")}},
    ),
    "a village of another place moved into it": (
        [f"{OTHER}001,{NEW}009,{TODAY},rename"],
        {**SAME} | {code: code for code in (RENAMED, f"{RENAMED}009", f"{OTHER}001")},
    ),
    "another place merged into it later": (
        [f"{OTHER},{NEW},{TODAY},merge"],
        {code: code for code in (*SAME, OTHER, NEW)},
    ),
    "merged afterwards": ([f"{NEW},{INTO},{TODAY},merge"], {code: code for code in (*SAME, NEW)}),
    "its old code given away": (
        [f"{OTHER},{RENAMED},{TODAY},rename"],
        {**{code: code for code in SAME}, OTHER: RENAMED, f"{OTHER}001": f"{RENAMED}001"},
    ),
    "its new code given away": (
        [f"{NEW},{NEXT},{TODAY},rename", f"{OTHER},{NEW},{TODAY},rename"],
        {code: code for code in (*SAME, NEW, OTHER)},
    ),
    "with a line for a village that says the same": (
        [f"{RENAMED}001,{NEW}001,{YESTERDAY},rename"],
        SAME,
    ),
    "renamed by two lines of a day": ([f"{RENAMED},{NEXT},{YESTERDAY},rename"], {RENAMED: RENAMED}),
    "the code of before the list is another's": (
        [f"320205199,{OTHER},2019-01-01,rename", f"{OTHER},{INTO},2020-01-01,merge"],
        {"320205199": "320205199", OTHER: OTHER},
    ),
}


@pytest.mark.parametrize(("further", "scopes"), FOLLOWED.values(), ids=FOLLOWED)
def test_a_renamed_scope_is_followed_where_nobody_else_came(
    tmp_path: Path, further: list[str], scopes: dict[str, str]
) -> None:
    systems = CodeSystems(lists(tmp_path / "lists", -1, *(f"MCA-2025,{each}" for each in further)))

    assert {code: systems.scope(code) for code in scopes} == scopes


@pytest.mark.parametrize("day", [YESTERDAY, TODAY])
def test_a_code_that_was_given_away_after_the_lists_day_is_nobodys(
    tmp_path: Path, day: object
) -> None:
    systems = CodeSystems(lists(tmp_path / "lists", -1, f"MCA-2025,{OTHER},{RENAMED},{day},rename"))

    anyone = systems.reading("MCA-2025")
    since = systems.reading("MCA-2025", TODAY)
    theirs = systems.reading("NBS-2023")

    codes = (RENAMED, f"{RENAMED}001", NEW, OTHER)
    assert [anyone.read(code) for code in codes] == [None, None, NEW, RENAMED]
    assert [since.read(code) for code in codes] == list(codes)
    assert anyone.written(NEW) == (NEW,)
    assert anyone.written(RENAMED) == (OTHER,)
    # The crosswalk has the code of the list's day, which was one place's.
    assert (theirs.read("320271001"), theirs.read("320205102")) == (NEW, RENAMED)
    assert systems.scope(RENAMED) == RENAMED


def test_two_places_that_swap_their_codes_are_told_apart_by_the_day_alone(tmp_path: Path) -> None:
    lines = (f"MCA-2025,{one},{TODAY},rename" for one in (f"{INTO},{OTHER}", f"{OTHER},{INTO}"))
    systems = CodeSystems(lists(tmp_path / "lists", 1, *lines))

    anyone = systems.reading("MCA-2025")
    theirs = systems.reading("NBS-2023")

    assert [anyone.read(code) for code in (INTO, OTHER)] == [None, None]
    assert [theirs.read(code) for code in ("320205101", "320205102")] == [OTHER, INTO]
    assert [systems.scope(code) for code in (INTO, OTHER)] == [INTO, OTHER]


TOWNS = (OLD, INTO, RENAMED, OTHER)
Line = tuple[int, str, str, str]
LINES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["merge", "rename"]),
        st.sampled_from([*TOWNS, NEW, NEXT]),
        st.sampled_from([*TOWNS, NEW, NEXT]),
    ).filter(lambda line: line[2] != line[3]),
    min_size=1,
    max_size=4,
)


@dataclass
class Towns:
    """Who lives under which code, day after day."""

    held: dict[str, frozenset[str]] = field(
        default_factory=lambda: {code: frozenset({code}) for code in TOWNS}
    )

    def after(self, lines: Iterable[Line]) -> "Towns":
        """Return a day's changes: what is merged is merged before codes are given."""
        held, renamed, gone = dict(self.held), dict[str, frozenset[str]](), set[str]()
        for _, kind, old, new in sorted(lines, key=lambda line: line[1]):
            assume(old in held and (kind == "rename" or new not in gone))
            gone.add(old)
            if kind == "merge":
                held[new] = held.get(new, frozenset()) | held.pop(old)
            else:
                renamed[new] = held.pop(old)
        assume(not renamed.keys() & held.keys())
        return Towns({**held, **renamed})


# Most drawn lines are no history: a place that is gone is not given away again.
@settings(max_examples=100, suppress_health_check=[HealthCheck.filter_too_much])
@given(LINES)
def test_no_history_shows_anybody_to_those_who_were_given_others(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line]
) -> None:
    days = [Towns()]
    for day in range(3):
        days.append(days[-1].after(line for line in lines if line[0] == day))
    today = {person: code for code, people in days[-1].held.items() for person in people}
    folder = tmp_path_factory.getbasetemp() / "histories"
    if not folder.exists():
        lists(folder, 1)
    written = (f"MCA-2025,{o},{n},{BEFORE + timedelta(days=d)},{kind}" for d, kind, o, n in lines)
    text = "\n".join(("system,old,new,effective,kind", *written))
    (folder / "aliases.csv").write_text(text, "utf-8")
    try:
        systems = CodeSystems(folder)
    except Mistakes:
        reject()

    for number, towns in enumerate(days):
        since = BEFORE + timedelta(days=number - 1)
        for code, people in ((c, p) for later in days[number:] for c, p in later.held.items()):
            read = systems.reading("MCA-2025", since).read(code)
            assert read is None or {today[person] for person in people} == {read[:9]}
        for code in towns.held:
            last = next(each.held[code] for each in reversed(days) if code in each.held)
            scope = systems.scope(code)
            assert scope == code or days[-1].held.get(scope, frozenset()) <= last
