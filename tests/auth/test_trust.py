"""Whose tokens are accepted, and who a principal can be."""

from pathlib import Path

import pytest

from auth.principal import Principal, is_division
from auth.trust import load_issuers
from contract.document import Mistakes
from tests.auth.tokens import ISSUER

ISSUERS = """
[[issuer]]
name = "login"
issuer = "https://login.example"
audience = "township-graph"
algorithms = ["Ed25519"]
jwks = "https://login.example/jwks"
"""


def test_issuers_are_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(ISSUERS)

    assert load_issuers(path) == (ISSUER,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: this is no list of issuers. Write one [[issuer]] table"),
        ("issuer = 1", "1: this is no list of issuers. Write one [[issuer]] table"),
        (f"trust = 1\n{ISSUERS}", "1: this is no list of issuers. Write one [[issuer]] table"),
        (ISSUERS.replace('["Ed25519"]', "[]"), "6: `algorithms` cannot be used. List should have"),
        (ISSUERS.replace("Ed25519", "HS256"), "6: `algorithms.0` cannot be used. Input should be"),
        (ISSUERS.replace("Ed25519", "none"), "6: `algorithms.0` cannot be used. Input should be"),
        (
            ISSUERS.replace("https://login.example/jwks", "http://login.example/jwks"),
            "7: `jwks` is",
        ),
        (ISSUERS.replace("https://login.example/jwks", "file:///etc/keys"), "7: `jwks` is not a"),
        (ISSUERS + "secret = 'x'", "8: `secret` cannot be used. Extra inputs are not permitted."),
        (ISSUERS.replace('name = "login"', ""), "2: `name` cannot be used. Field required."),
        (ISSUERS + ISSUERS, "1: two tables have the same `issuer`. Keep one of them."),
        ("issuer = [1]", "1: this is no table. Input should be"),
        ("[[issuer", "1: this is not TOML"),
    ],
)
def test_a_mistake_among_the_issuers_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(text)

    with pytest.raises(Mistakes) as caught:
        load_issuers(path)

    assert said in str(caught.value)


def test_a_scope_is_a_division_of_significant_digits() -> None:
    good = ["32", "3202", "320205", "320205101", "320205101201", "441900003"]
    bad = ["", "3", "32020", "320200", "320205000", "320205101000", "03", "32020510", "x2", "３２"]

    assert [code for code in good + bad if is_division(code)] == good


@pytest.mark.parametrize(("roles", "scopes"), [(("a",), ()), (("a",), ("",)), (("a",), ("3200",))])
def test_no_principal_holds_a_role_nowhere(roles: tuple[str, ...], scopes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="scope"):
        Principal("someone", roles, scopes)
