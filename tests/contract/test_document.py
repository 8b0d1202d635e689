"""Lines and mistakes of TOML files."""

from pathlib import Path

import pytest

from contract.document import Mistake, Mistakes, load

TEXT = '''# a comment = "x"
name = "one"   # line 2
"quoted key" = 3
a.b.c = 1

[table]
text = """
[not.a.table]
x = 1 ""\\" ""
"""
raw = \'\'\'
y = 2\'\'\'
inline = { p = 1, q = { r = [1,
  { s = 2 }] } }
when = 1979-05-27 07:32:00
list = [
  { to = "x" },
  # not this
  { to = "y", "by" = {k="v"} },
]

[table.inner.deep]
z = 3.14

[[row]]
v = 1
[row.sub]
w = 1
[[row]]
v = 2
[row.sub]
w = 2
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.toml"


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("name",), 2),
        (("quoted key",), 3),
        (("a", "b", "c"), 4),
        (("a",), 4),
        (("table",), 6),
        (("table", "text"), 7),
        (("table", "raw"), 11),
        (("table", "inline"), 13),
        (("table", "inline", "q", "r", 1, "s"), 14),
        (("table", "when"), 15),
        (("table", "list", 0, "to"), 17),
        (("table", "list", 1, "to"), 19),
        (("table", "list", 1, "by", "k"), 19),
        (("table", "inner"), 22),
        (("table", "inner", "deep", "z"), 23),
        (("row", 0, "v"), 26),
        (("row", 1, "v"), 30),
        (("row", 0, "sub", "w"), 28),
        (("row", 1, "sub", "w"), 32),
        (("table", "absent", "name"), 6),
        (("table", "inline", 0, "p"), 13),
        (("not", "a", "table"), 1),
    ],
)
def test_every_key_has_its_line(path: Path, place: tuple[str | int, ...], line: int) -> None:
    path.write_text(TEXT, "utf-8")

    assert load(path).line_of(*place) == line


def test_lines_are_the_same_with_windows_line_ends(path: Path) -> None:
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())

    assert load(path).line_of("row", 1, "sub", "w") == 32


def test_a_table_opened_late_stands_where_its_header_is(path: Path) -> None:
    path.write_text("[a.b]\nx = 1\n[a]\ny = 2\n", "utf-8")

    document = load(path)

    assert (document.line_of("a"), document.line_of("a", "b"), document.line_of("a", "y")) == (
        3,
        1,
        4,
    )


@pytest.mark.parametrize(
    ("content", "line", "what"),
    [
        (b"a = 1\nb = = 2\n", 2, "this is not TOML: invalid value"),
        (b"a = 1\n\na = 2\n", 3, "this is not TOML: cannot overwrite a value"),
        (b'a = 1\nb = """\nopen\n', 3, "this is not TOML: unterminated string"),
        (b'a = 1\nb = "\xff"\n', 2, "this is not UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_says_where(
    path: Path, content: bytes, line: int, what: str
) -> None:
    path.write_bytes(content)

    with pytest.raises(Mistakes) as caught:
        load(path)

    assert [(each.file, each.line, each.what) for each in caught.value.mistakes] == [
        (str(path), line, what)
    ]


def test_a_file_that_is_not_there_is_a_mistake(path: Path) -> None:
    with pytest.raises(Mistakes) as caught:
        load(path)

    assert str(caught.value) == (
        f"{path}:1: the file cannot be read: No such file or directory. Check it."
    )


def test_mistakes_print_one_a_line() -> None:
    mistakes = Mistakes(
        (Mistake("a", 1, "x is bad", "Write y."), Mistake("b", 2, "z", "Leave it."))
    )

    assert str(mistakes) == "a:1: x is bad. Write y.\nb:2: z. Leave it."
