"""
Accounts as a file, to be taken into the store: `accounts.toml`.

After that the store alone says what an account is; the file is read by nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from auth.principal import Principal
from contract.document import Document, Mistake, Mistakes, load
from contract.identifier import is_citizen_number
from store.accounts import Account, Accounts

_NAMES: Final = frozenset({"roles", "scopes", "department", "purpose", "citizen"})
_CITIZEN: Final = "Write the citizen number of 18 characters, X in upper case."
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


@dataclass(frozen=True, slots=True)
class Taken:
    """How many accounts are new, and how many have other roles than before."""

    added: int
    changed: int


async def take_in(store: Accounts, principals: Iterable[Principal], at: float) -> Taken:
    """
    Give the store these accounts; others stay as they are, and who is disabled stays so.

    Reads:  all accounts once; new ones are written a thousand at a time.
    """
    async with store.changing() as changing:
        known = {account.name: account for account in await changing.every()}
        added: list[Account] = []
        changed = 0
        for principal in principals:
            before = known.get(principal.account)
            after = _account_of(principal, before or Account(principal.account, (), created_at=at))
            if before is None:
                added.append(replace(after, changed_at=at))
            elif after != before:
                changed += 1
                await changing.put(replace(after, changed_at=at))
        await changing.add(added)
    return Taken(len(added), changed)


def _account_of(principal: Principal, account: Account) -> Account:
    roles = tuple(zip(principal.roles, principal.scopes, strict=True))
    department, purpose = principal.department, principal.purpose
    said = replace(account, department=department, purpose=purpose, citizen=principal.citizen)
    return replace(said, roles=roles)


def _account(document: Document, name: str, table: object) -> Principal | Mistake:
    if isinstance(table, dict) and table.keys() <= _NAMES:
        roles, scopes = _texts(table.get("roles")), _texts(table.get("scopes"))
        said = _texts([table.get(each, "") for each in ("department", "purpose", "citizen")])
        if roles and scopes and said:
            department, purpose, citizen = said
            if citizen and not is_citizen_number(citizen):
                return document.mistake(("account", name), f"citizen of {name} is none", _CITIZEN)
            try:
                return Principal(name, roles, scopes, department, purpose, citizen=citizen)
            except ValueError as error:
                return document.mistake(("account", name), str(error), _WRITE)
    return document.mistake(("account", name), f"account {name} is of another shape", _WRITE)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        return ()
    return tuple(value)
