import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import pytest
from graphql import build_schema, is_specified_scalar_type, parse, validate

import server
from auth import policy_file
from auth.masking import MASKS
from auth.policy import HIDDEN, SHOWN, Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.quota import BUILT_IN, limits_of, overlaid
from auth.rules import RULES
from contract.errors import Failure, SourceFailure
from demo import tour
from gateway.graph import Files, printed_schema
from gateway.settings import Demonstrating, Serving
from schema.arguments import DEFAULT_PAGE, LARGEST_LIST, LARGEST_PAGE
from schema.errors import PARSE_FAILED, VALIDATION_FAILED
from schema.filters import MAX_DEPTH, MAX_NODES, MAX_OPERANDS, MAX_TEXT
from schema.graph import core_entities
from schema.limits import Limits
from schema.request import MAXIMUM_BODY_BYTES, MAXIMUM_DIGITS, MAXIMUM_JSON_DEPTH
from sources.assembly import graph_entities
from sources.divisions import division_tree
from sources.mapping import load_departments
from sources.mapping_model import FileShape
from sources.reference import divisions_source, matters_source

ROOT = Path(__file__).parent.parent
FILES = Files(ROOT / "departments", ROOT / "auth" / "policy.toml")
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEXTS = {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in DOCUMENTS}
BLOCKS = {name: re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) for name, text in TEXTS.items()}
BILINGUAL = re.compile(r"[^|]*[\u4e00-\u9fff][^|]* \| [^|]*[A-Za-z][^|]*", re.DOTALL)
SDL = ROOT / "schema" / "schema.graphql"


def kinds(kind: type[Failure]) -> set[type[Failure]]:
    return {kind}.union(*(kinds(inner) for inner in kind.__subclasses__()))


def documented(name: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", TEXTS[name]))


def test_the_schema_in_the_tree_is_the_one_that_is_served() -> None:
    is_current = SDL.read_text("utf-8") == printed_schema(FILES) + "\n"

    assert is_current, "schema/schema.graphql is old; run: make schema"


def _described(name: str, kind: Any) -> Iterator[tuple[str, str | None]]:
    yield name, kind.description
    for field, declared in getattr(kind, "fields", {}).items():
        yield f"{name}.{field}", declared.description
        for argument, given in getattr(declared, "args", {}).items():
            yield f"{name}.{field}({argument}:)", given.description
    for value, declared in getattr(kind, "values", {}).items():
        yield f"{name}.{value}", declared.description


def test_everything_in_the_schema_is_described_in_chinese_and_english() -> None:
    types = build_schema(SDL.read_text("utf-8")).type_map
    own = {
        name: kind
        for name, kind in types.items()
        if not name.startswith("__") and not is_specified_scalar_type(kind)
    }

    assert [
        place
        for name, kind in own.items()
        for place, description in _described(name, kind)
        if not BILINGUAL.fullmatch(description or "")
    ] == []


@pytest.mark.parametrize("name", TEXTS)
def test_links_between_documents_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)\s]+)\)", TEXTS[name])

    assert [link for link in links if not (folder / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("name", TEXTS)
def test_files_that_documents_name_exist(name: str) -> None:
    rooms = {path.name for path in ROOT.iterdir() if path.name not in (".state", "build")}
    named = documented(name) | set(re.findall(r"tests/[\w/]+\.py", TEXTS[name]))
    paths = [text for text in named if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", text)]

    assert [
        path
        for path in paths
        if (("/" in path and path.split("/")[0] in rooms) or path.endswith((".py", ".md")))
        and not (ROOT / path).exists()
    ] == []


@pytest.mark.parametrize("name", TEXTS)
def test_no_document_speaks_of_issue_numbers(name: str) -> None:
    assert re.findall(r"(?<!\w)#\d+|[Ii]ssue \d+", TEXTS[name]) == []


@pytest.mark.parametrize("name", TEXTS)
def test_commands_that_documents_name_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    commands = {command for command in server.app if not command.startswith("-")}

    asked = set(re.findall(r"`make ([a-z-]+)", TEXTS[name]))
    run = set(re.findall(r"python server\.py ([a-z]+)", TEXTS[name]))

    assert (asked - targets, run - commands) == (set(), set())


@pytest.mark.parametrize("name", [name for name, blocks in BLOCKS.items() if blocks])
def test_questions_in_documents_fit_the_schema(name: str) -> None:
    schema = build_schema(SDL.read_text("utf-8"))
    questions = [text for language, text in BLOCKS[name] if language == "graphql"]

    assert [validate(schema, parse(question)) for question in questions] == [[]] * len(questions)


def test_the_readme_asks_what_the_demo_asks_in_both_languages() -> None:
    english, chinese = (BLOCKS[path.name] for path in READMES)

    assert english == chinese
    assert [text for language, text in english if language == "graphql"] == [tour.QUESTION]


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_every_room_is_in_the_readme(path: Path) -> None:
    rooms = re.search(r"^ROOMS := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert rooms is not None
    named = {f"| `{room}` |" for room in rooms[1].split() if not room.endswith(".py")}

    assert [room for room in sorted(named) if room not in path.read_text("utf-8")] == []


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_every_option_is_in_the_readme_with_its_variable_and_default(path: Path) -> None:
    text = path.read_text("utf-8")
    serving = []
    for option in fields(Serving):
        flag = option.name.replace("_", "-")
        default = f"`{option.default}`".replace(".0`", "`") if option.default else ""
        serving.append(f"| `--{flag}` | `TOWNSHIP_{option.name.upper()}` | {default}")
    others = [
        *(option.name for option in fields(Demonstrating)),
        *signature(server.token).parameters,
    ]
    flags = [f"`--{name.replace('_', '-')}`" for name in others]

    assert [part for part in (*serving, *flags) if part not in text] == []


def test_every_error_code_and_state_is_documented() -> None:
    codes = {kind.code for kind in kinds(Failure)} | {PARSE_FAILED, VALIDATION_FAILED}
    states = {f"| `{kind.state}` | `{kind.code}` |" for kind in SourceFailure.__subclasses__()}

    assert codes - documented("docs/errors.md") == set()
    assert [state for state in sorted(states) if state not in TEXTS["docs/request.md"]] == []


def test_every_limit_is_documented_with_its_value() -> None:
    text = TEXTS["docs/errors.md"]
    weights = [
        f"| `{limit.name}` | {limit.default} |" for limit in fields(Limits) if limit.name != "lists"
    ]
    lines = [
        f"| body, or query string of a GET | {MAXIMUM_BODY_BYTES // 1024} KB |",
        f"| nesting of the JSON | {MAXIMUM_JSON_DEPTH} |",
        f"| digits of an integer | {MAXIMUM_DIGITS} |",
        f"| `first`, `last` | 0 to {LARGEST_PAGE}; {DEFAULT_PAGE} where nothing is said |",
        f"| rows of a plain list without `first` | {LARGEST_LIST} for each parent |",
        f"| filter: levels | {MAX_DEPTH} |",
        f"| filter: conditions | {MAX_NODES} |",
        f"| filter: values of one `in` or `notIn` | {MAX_OPERANDS} |",
        f"| filter: characters of a text | {MAX_TEXT} |",
    ]

    assert [line for line in (*weights, *lines) if line not in text] == []


def test_every_kind_of_source_is_documented() -> None:
    names = get_args(FileShape.model_fields["kind"].annotation)

    assert [name for name in names if f'`"{name}"`' not in TEXTS["docs/adding.md"]] == []


def _entities() -> dict[str, Any]:
    core = core_entities()
    departments = load_departments(FILES.departments, core, None)
    reference = (divisions_source(core, division_tree()), matters_source(core, FILES.matters))
    return graph_entities(core, departments, reference)


def test_every_entity_is_documented() -> None:
    assert set(_entities()) - documented("docs/glossary.md") == set()


def test_every_key_rule_and_mask_of_a_policy_is_documented() -> None:
    shapes = (
        policy_file._Terms,
        policy_file._Role,
        policy_file._Sensitivity,
        policy_file._Lookup,
        policy_file._Quota,
    )
    keys = {key for shape in shapes for key in shape.model_fields}
    levels = set(get_args(policy_file.LevelName))

    named = {*keys, *levels, *RULES, "follows", SHOWN, HIDDEN, *MASKS}

    assert named - documented("docs/policy.md") == set()


def test_masks_do_what_the_policy_document_shows() -> None:
    shown = {
        mask: MASKS[mask]("329900195304129028")
        for mask in ("citizen_number", "bank_card", "everything")
    }
    numbers = {MASKS["mobile"]("12900000001"), MASKS["name"]("华桂英"), MASKS["name"]("欧阳锋")}

    text = TEXTS["docs/policy.md"]
    assert [mask for mask, value in shown.items() if f"| `{mask}` | `{value}`" not in text] == []
    assert numbers - documented("docs/policy.md") == set()


def test_the_quotas_that_the_policy_document_tells_are_those_of_the_file_and_without_a_line() -> (
    None
):
    said = re.findall(
        r"^\| `(\w+)` \| ([0-9/a-z, ]+/[a-z]+) \|", TEXTS["docs/policy.md"], re.MULTILINE
    )
    shipped = overlaid(BUILT_IN, tomllib.loads(FILES.policy.read_text("utf-8"))["quota"])

    assert {kind: limits_of(limits.split(", ")) for kind, limits in said} == dict(BUILT_IN)
    assert shipped == BUILT_IN


def _policy(tmp_path: Path, *tables: str) -> Policy:
    path = tmp_path / "policy.toml"
    path.write_text("\n".join([FILES.policy.read_text("utf-8"), *tables]), "utf-8")
    entities = _entities()
    return load_policy(path, entities, frozenset(entities.keys() - core_entities().keys()))


def test_the_new_role_of_the_policy_document_does_what_it_says(tmp_path: Path) -> None:
    (role,) = [text for _, text in BLOCKS["docs/policy.md"] if "[role.assistance_officer" in text]
    officer = Principal("officer", ("assistance_officer",), ("320205106",), "")

    policy = _policy(tmp_path, role)

    (resident,) = policy.grants(officer, "Resident")
    (enrollment,) = policy.grants(officer, "MedicalEnrollment")
    assert [resident.access[name] for name in ("name", "idNumber", "phone")] == [
        SHOWN,
        SHOWN,
        HIDDEN,
    ]
    assert enrollment.clear("balance")
    assert policy.grants(officer, "Enterprise") == ()
    assert resident.lookup == {"idNumber"}


def test_every_decision_has_its_four_parts_and_its_number() -> None:
    decisions = {name: text for name, text in TEXTS.items() if name.startswith("docs/adr/")}

    assert [
        (int(name.split("/")[-1][:4]), int(text.split(".")[0].removeprefix("# ")))
        for name, text in sorted(decisions.items())
    ] == [(number, number) for number in range(1, len(decisions) + 1)]
    assert {tuple(re.findall(r"^\*\*(\w+)\.\*\*", text, re.M)) for text in decisions.values()} == {
        ("Problem", "Decision", "Consequences", "Rejected")
    }
