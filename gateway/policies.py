"""The commands about policies: what an account sees, and what a new policy opens or closes."""

import asyncio
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from auth.difference import Change, differences
from auth.policy import HIDDEN, LEVELS, SHOWN, Grant, Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.quota import worded
from auth.wording import words
from contract.entity import Entity
from gateway.account_command import known_account
from gateway.graph import Files, entities_of, open_graph
from gateway.settings import store_in
from gateway.tallies import Counting, Tally
from schema.graph import core_entities
from sources.code_systems import CodeSystems

_WIDTH: Final = 160

app: Final = App(name="policy", help="Say what a policy shows to whom, and what a new one changes.")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Whose:
    """Whose view is wanted: an account's, or that of a role in a scope."""

    account: Annotated[str, Parameter(help="Name of the account.")] = ""
    state: Annotated[Path, Parameter(help="Folder in which the store is.")] = Path(".state/demo")
    store: Annotated[str, Parameter(help="Database of the server; in the folder by default.")] = ""
    role: Annotated[str, Parameter(help="A role of the policy, where no account is named.")] = ""
    scope: Annotated[str, Parameter(help="Division code in which the role is held.")] = ""
    department: Annotated[str, Parameter(help="Name of the department they work for.")] = ""

    def principal(self) -> Principal:
        """
        Return the account, or somebody with the role.

        Raises: ValueError, CommandRefused, StoreUnavailable.
        """
        if bool(self.account) == bool(self.role) or bool(self.role) != bool(self.scope):
            raise ValueError("name an account with --account, or a role with --role and --scope")
        if self.role:
            return Principal("", (self.role,), (self.scope,), self.department)
        return asyncio.run(known_account(self.store or store_in(self.state), self.account))


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """Where the declarations are that a policy speaks of."""

    departments: Annotated[Path, Parameter(help="Folder of mapping files.")] = Path("departments")
    policy: Annotated[Path, Parameter(help="Which role sees which rows and fields.")] = Path(
        "auth/policy.toml"
    )


@dataclass(frozen=True, slots=True)
class Seen:
    """What one role in one scope opens of one entity, in words."""

    entity: str
    role: str
    rows: str
    shown: tuple[str, ...]
    masked: tuple[str, ...]
    hidden: tuple[str, ...]
    looked_up: tuple[str, ...]


class PolicyOpens(ValueError):
    """The second of two policies opens something that the first does not."""


@app.command
def show(whose: Whose = Whose(), where: Where = Where()) -> None:
    """Print what an account sees: of each entity which rows, and which fields of them."""
    principal = whose.principal()
    files = Files(where.departments, where.policy)
    entities = entities_of(files)
    policy = _policy(where.policy, entities)
    held = {name: entity for name, entity in entities.items() if entity.fields}
    view = View(policy, held, CodeSystems(files.divisions), principal)
    console = Console(width=_WIDTH, highlight=False)
    for part in (render_roles(view), render_seen(view.seen())):
        console.print(part)
    console.print(f"no row of: {', '.join(view.closed()) or 'none'}", markup=False)
    for counted in view.counted():
        console.print(counted, markup=False)
    console.print(f"quota: {view.quota()}", markup=False)


@app.command
def diff(
    before: Annotated[Path, Parameter(help="The policy in force.")],
    after: Annotated[Path, Parameter(help="The policy that shall replace it.")],
    *,
    departments: Annotated[Path, Parameter(help="Folder of mapping files.")] = Path("departments"),
    within: Annotated[
        str, Parameter(help="A county or township; its rows are counted on the live systems.")
    ] = "",
    json: Annotated[bool, Parameter(help="Print one JSON document.", negative="")] = False,
) -> None:
    """Print what the second policy opens and closes; the status is 1 where it opens something."""
    files = Files(departments, before)
    entities = entities_of(files)
    policies = _policy(before, entities), _policy(after, entities)
    changes = differences(*policies, entities)
    tallies = asyncio.run(_tallies(files, policies, changes, within)) if within else ()
    if json:
        print(dumps(document(changes, tallies), ensure_ascii=False, indent=2))  # noqa: T201 -- the answer
    else:
        console = Console(width=_WIDTH)
        console.print(render_changes(changes))
        if tallies:
            console.print(render_tallies(tallies))
    if any(change.opens for change in changes):
        raise PolicyOpens(f"{after} opens what {before} does not")


async def _tallies(
    files: Files, policies: tuple[Policy, Policy], changes: Iterable[Change], within: str
) -> tuple[Tally, ...]:
    async with aclosing(open_graph(files, os.environ, bytes(32))) as graph:
        return await Counting(graph, *policies).tallies(changes, within)


def _policy(path: Path, entities: Mapping[str, Entity]) -> Policy:
    return load_policy(path, entities, entities.keys() - core_entities().keys())


@dataclass(frozen=True, slots=True)
class View:
    """
    The policy as one principal meets it, over the entities that some system holds.

    A scope in a code that was renamed counts as renamed, as it does when questions are answered.
    """

    policy: Policy
    entities: Mapping[str, Entity]
    systems: CodeSystems
    principal: Principal

    def held(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield each role, its title, its scope, and whether the policy knows it there."""
        for name, scope in zip(self.principal.roles, self.principal.scopes, strict=True):
            role = self.policy.roles.get(name)
            title = role.title if role else ""
            yield name, title, self.named(self.systems.scope(scope)), self._state(name, scope)

    def seen(self) -> Iterator[Seen]:
        """Yield what each role opens of each entity, entity by entity."""
        for entity in self.entities:
            for grant in self._grants(entity):
                yield self._seen(entity, grant)

    def quota(self) -> str:
        """Return how much the account may ask, its roles together, in words."""
        quota = self.policy.quota(self.principal)
        return "; ".join(f"{kind} {worded(limits)}" for kind, limits in quota.items())

    def closed(self) -> tuple[str, ...]:
        """Return the entities of which no row is open."""
        return tuple(name for name in self.entities if not self._grants(name))

    def counted(self) -> Iterator[str]:
        """Yield what each role may count of rows that it does not list, in words."""
        for entity in self.entities:
            for grant in self.policy.aggregate_grants(self._holder(), entity):
                rows = words(grant.rows, self.named)
                least = f"cells of {self.policy.threshold} people at least"
                role = self.principal.roles[grant.number]
                yield f"{role} counts {entity}: {rows}, {grant.words()}; {least}"

    def named(self, code: str) -> str:
        """Return a division's code and name; any other text as it is."""
        division = self.systems.tree.get(code)
        return f"{code} {division.name}" if division else code

    def _state(self, name: str, scope: str) -> str:
        role = self.policy.roles.get(name)
        if role is None:
            return "opens nothing: the policy has no such role"
        level = LEVELS[len(self.systems.scope(scope))]
        return "in force" if level in role.levels else f"opens nothing: its scope is a {level}"

    def _grants(self, entity: str) -> tuple[Grant, ...]:
        return self.policy.grants(self._holder(), entity)

    def _holder(self) -> Principal:
        scopes = tuple(map(self.systems.scope, self.principal.scopes))
        return Principal("", self.principal.roles, scopes, self.principal.department)

    def _seen(self, entity: str, grant: Grant) -> Seen:
        role = self.principal.roles[grant.number]
        rule = self.policy.rule(self.policy.roles[role], entity)
        masked = (f"{n}: {a}" for n, a in grant.access.items() if a not in (SHOWN, HIDDEN))
        return Seen(
            entity,
            role,
            f"{rule}: {words(grant.rows, self.named)}",
            tuple(name for name, access in grant.access.items() if access == SHOWN),
            tuple(masked),
            tuple(name for name, access in grant.access.items() if access == HIDDEN),
            tuple(sorted(grant.lookup)),
        )


def render_roles(view: View) -> Table:
    """Return the roles that the principal holds, as a table for a terminal."""
    rendered = Table("role", "title", "scope", "state")
    for held in view.held():
        rendered.add_row(*map(escape, held))
    return rendered


def render_seen(seen: Iterable[Seen]) -> Table:
    """Return what is seen, as a table for a terminal."""
    headings = ("entity", "role", "rows", "shown", "masked", "hidden", "look-up by")
    rendered = Table(*headings, show_lines=True)
    for each in seen:
        lists = (each.shown, each.masked, each.hidden, each.looked_up)
        texts = (each.entity, each.role, each.rows, *map(", ".join, lists))
        rendered.add_row(*map(escape, texts))
    return rendered


def render_changes(changes: Sequence[Change]) -> Table | str:
    """Return what changes, as a table for a terminal."""
    if not changes:
        return "nothing changes"
    rendered = Table(
        "role", "levels", "entity", "what", "before", "after", "effect", show_lines=True
    )
    for change in changes:
        what = f"{change.what}: {', '.join(change.fields)}" if change.fields else change.what
        levels, said = ", ".join(change.levels), (change.before, change.after, effect(change))
        rendered.add_row(*map(escape, (change.role, levels, change.entity, what, *said)))
    return rendered


def render_tallies(tallies: Iterable[Tally]) -> Table:
    """Return how many rows are open before and after, as a table for a terminal."""
    rendered = Table("role", "scope", "department", "entity", "rows before", "rows after")
    for each in tallies:
        counts = ("not counted" if n is None else str(n) for n in (each.before, each.after))
        texts = (each.role, each.scope, each.department, each.entity, *counts)
        rendered.add_row(*map(escape, texts))
    return rendered


def effect(change: Change) -> str:
    """Return what the change does, in words."""
    effects = {"opens": change.opens, "closes": change.closes}
    return " and ".join(word for word, holds in effects.items() if holds)


def document(changes: Sequence[Change], tallies: Sequence[Tally] = ()) -> dict[str, object]:
    """Return what changes as one JSON document."""
    return {
        "opens": any(change.opens for change in changes),
        "closes": any(change.closes for change in changes),
        "changes": [asdict(change) for change in changes],
        "counts": [asdict(tally) for tally in tallies],
    }
