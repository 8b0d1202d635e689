"""Accounts the embedded issuer makes tokens for: `accounts.toml` in its directory."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from auth.principal import Principal
from contract.document import Document, Mistake, Mistakes, load

_NAMES: Final = frozenset({"roles", "scopes", "department", "purpose"})
_WRITE: Final = 'Write roles = ["…"], scopes = ["…"] of the same length, department and purpose.'


def load_accounts(path: Path) -> Mapping[str, Principal]:
    """
    Return the accounts of the file by name.

    Raises: Mistakes, all of them.
    """
    document = load(path)
    tables = document.data.get("account", {})
    read = {name: _account(document, name, table) for name, table in tables.items()}
    mistakes = tuple(account for account in read.values() if isinstance(account, Mistake))
    if mistakes:
        raise Mistakes(mistakes)
    return {name: account for name, account in read.items() if isinstance(account, Principal)}


def write_accounts(path: Path, accounts: Iterable[Principal]) -> None:
    """Write the accounts, readable by `load_accounts`."""
    text = "\n".join(_table(account) for account in accounts)
    path.write_text(f"# Accounts of the embedded issuer.\n{text}", encoding="utf-8")


def _account(document: Document, name: str, table: object) -> Principal | Mistake:
    if isinstance(table, dict) and table.keys() <= _NAMES:
        roles, scopes = _texts(table.get("roles")), _texts(table.get("scopes"))
        said = _texts([table.get("department", ""), table.get("purpose", "")])
        if roles and scopes and said:
            try:
                return Principal(name, roles, scopes, *said)
            except ValueError as error:
                return document.mistake(("account", name), str(error), _WRITE)
    return document.mistake(("account", name), f"account {name} is of another shape", _WRITE)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        return ()
    return tuple(value)


def _table(account: Principal) -> str:
    parts = {
        "roles": list(account.roles),
        "scopes": list(account.scopes),
        "department": account.department,
        "purpose": account.purpose,
    }
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in parts.items())
    return (
        f"[account.{json.dumps(account.account, ensure_ascii=False)}]\n" + "\n".join(lines) + "\n"
    )
