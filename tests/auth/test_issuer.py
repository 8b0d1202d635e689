"""The embedded issuer and its accounts."""

import json
from pathlib import Path

import pytest

from auth.accounts import load_accounts
from auth.authenticate import Authenticator
from auth.issuer import EmbeddedIssuer, issuers_file
from auth.principal import Principal
from auth.trust import load_issuers
from contract.document import Mistakes
from contract.errors import Unauthenticated
from tests.auth.tokens import CLERK, NOW, Clock, Endpoint


async def test_the_embedded_issuer_makes_tokens_that_its_own_files_admit(tmp_path: Path) -> None:
    issuer = EmbeddedIssuer.opened(tmp_path / "state", clock=Clock())
    accepting = Authenticator(
        load_issuers(issuers_file(tmp_path / "state")), Endpoint(), clock=Clock()
    )

    again = EmbeddedIssuer.opened(tmp_path / "state", clock=Clock())

    for text in (issuer.token(CLERK), again.token(CLERK)):
        assert await accepting.authenticate(f"Bearer {text}") == CLERK


def test_the_embedded_key_is_readable_by_its_owner_alone_and_never_published(
    tmp_path: Path,
) -> None:
    EmbeddedIssuer.opened(tmp_path / "state")

    key = tmp_path / "state" / "issuer-key.json"
    published = json.loads((tmp_path / "state" / "jwks.json").read_text())
    assert oct(key.stat().st_mode & 0o777) == "0o600"
    assert [sorted(entry) for entry in published["keys"]] == [
        ["alg", "crv", "kid", "kty", "use", "x"]
    ]
    assert sorted(path.name for path in key.parent.iterdir()) == [
        "issuer-key.json",
        "issuers.toml",
        "jwks.json",
    ]


async def test_a_token_stops_with_its_end_and_the_skew(tmp_path: Path) -> None:
    issuer = EmbeddedIssuer.opened(tmp_path, clock=Clock())
    clock = Clock()
    accepting = Authenticator(load_issuers(issuers_file(tmp_path)), Endpoint(), clock)
    text = issuer.token(CLERK, ttl_seconds=900)

    clock.now = NOW + 959
    assert await accepting.authenticate(f"Bearer {text}") == CLERK
    clock.now = NOW + 960

    with pytest.raises(Unauthenticated):
        await accepting.authenticate(f"Bearer {text}")


ACCOUNTS = """\
[account."xinglong.clerk"]
roles = ["township_clerk"]
scopes = ["320411003"]
department = "便民服务中心"
purpose = "临时救助"

[account."市.民政"]
roles = ["city_officer", "auditor"]
scopes = ["3204", "32"]
department = "民政"
"""


def test_accounts_are_read_as_they_stand_in_the_file(tmp_path: Path) -> None:
    officer = Principal("市.民政", ("city_officer", "auditor"), ("3204", "32"), "民政", "")
    (tmp_path / "accounts.toml").write_text(ACCOUNTS, "utf-8")

    assert load_accounts(tmp_path / "accounts.toml") == {
        "xinglong.clerk": CLERK,
        "市.民政": officer,
    }


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("roles = []", "account a is of another shape"),
        ('roles = ["x"]\nscopes = "32"', "account a is of another shape"),
        ('roles = ["x"]\nscopes = ["32"]\npassword = "x"', "account a is of another shape"),
        ('roles = ["x"]\nscopes = ["32", "33"]', "every role needs the scope it is held in"),
        ('roles = ["x"]\nscopes = [""]', "a scope is a division code of significant digits"),
    ],
)
def test_an_account_of_another_shape_is_named(tmp_path: Path, table: str, what: str) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(f"[account.a]\n{table}\n")

    with pytest.raises(Mistakes) as caught:
        load_accounts(path)

    assert str(caught.value).startswith(f"{path}:1: {what}. Write roles")


@pytest.mark.parametrize("citizen", ["11010519491231002x", "110105491231002", "1"])
def test_an_account_whose_citizen_number_is_none_is_named_without_it(
    tmp_path: Path, citizen: str
) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(f'[account.a]\nroles = ["x"]\nscopes = ["32"]\ncitizen = "{citizen}"\n')

    with pytest.raises(Mistakes) as caught:
        load_accounts(path)

    assert str(caught.value) == (
        f"{path}:1: citizen of a is none. Write the citizen number of 18 characters,"
        " X in upper case."
    )
