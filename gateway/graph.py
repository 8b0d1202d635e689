"""
A graph that can be served: departments, policy and schema, checked against each other.

Everything wrong with the files is found here, before the first question.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from auth.policy import Policy
from auth.policy_file import load_policy
from auth.principal import Principal
from auth.quota import Quota
from contract.document import Mistake, Mistakes
from contract.entity import Entity
from contract.errors import TooComplex
from contract.source import Source
from gateway.counting import counting
from gateway.observed import Observed, Telling
from onboarding.check import Report, Sources, check
from resolvers.context import RequestContext
from resolvers.gate import Gate
from resolvers.identity import Identity
from resolvers.operations import Operations
from resolvers.planning import Planning
from resolvers.scoping import unasked_scopes
from resolvers.seal import Seal
from resolvers.spending import Spending
from schema.graph import GraphSchema, build_schema, core_entities
from sources.assembly import Assembly, Guarded, assemble, graph_entities
from sources.code_systems import CodeSystems
from sources.declaration import Department
from sources.divisions import DATA, division_tree
from sources.federation import Explained
from sources.mapping import load_departments
from sources.needs import needs_of
from sources.reference import divisions_source, matters_source

_MOST_CALLERS: Final = 4096
_TOO_LARGE: Final = "这一次查询就超过了您的账号在一段时间内的用量,请缩小查询范围。"


@dataclass(frozen=True, slots=True)
class Files:
    """Where an operator's declarations are; matters lie beside the mapping files."""

    departments: Path
    policy: Path
    divisions: Path = DATA

    @property
    def aliases(self) -> Path:
        """Return the file of division codes that were withdrawn."""
        return self.divisions / "aliases.csv"

    @property
    def matters(self) -> Path:
        """Return the folder of the catalogue of matters."""
        return self.departments / "matters"


@dataclass(frozen=True, slots=True)
class Caller:
    """
    What is the same in every request of a principal, as long as the graph is the same.

    Nothing of it is read from a system.
    """

    principal: Principal
    titles: tuple[str, ...]
    operations: Operations
    quota: Quota


@dataclass(frozen=True, slots=True)
class OpenGraph:
    """Everything a server needs to answer questions."""

    schema: GraphSchema
    policy: Policy
    gate: Gate
    identity: Identity
    cursors: Seal
    assembly: Assembly
    observed: Observed
    systems: CodeSystems
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _callers: dict[Principal, Caller] = field(default_factory=dict, init=False, compare=False)

    def context(
        self,
        principal: Principal,
        request_id: str,
        *,
        provenance: bool = False,
        explain: bool = False,
    ) -> RequestContext:
        """Return what one request carries; a scope in a code that was renamed counts as renamed."""
        caller = self._caller(principal)
        known = caller.principal
        explained = explain and self.policy.sees_plan(known)
        return RequestContext(
            known,
            self.gate,
            self.identity,
            self.cursors,
            caller.titles,
            caller.operations,
            request_id,
            calls=Explained() if explained else [],
            shown=[] if provenance else None,
            spending=Spending(self.observed.throttle, known.account, caller.quota),
            planning=Planning(self.policy, known) if explained else None,
        )

    def spend(self, principal: Principal, kind: str, amount: int) -> None:
        """
        Spend so much of the account's quota.

        Raises: RateLimited, and nothing is spent; TooComplex for what is more than there ever is.
        """
        limits = self._caller(principal).quota.get(kind, {})
        if amount > min(limits.values(), default=amount):
            raise TooComplex(_TOO_LARGE)
        if limits:
            self.observed.throttle.spend(principal.account, kind, limits, amount)

    def _caller(self, principal: Principal) -> Caller:
        known = self._callers.get(principal)
        if known is None:
            if len(self._callers) >= _MOST_CALLERS:
                self._callers.clear()
            known = self._callers[principal] = self._new_caller(principal)
        return known

    def _new_caller(self, principal: Principal) -> Caller:
        scopes = tuple(self.systems.scope(scope) for scope in principal.scopes)
        known = replace(principal, scopes=scopes)
        roles = self.policy.roles
        titles = tuple(roles[role].title if role in roles else role for role in known.roles)
        telling = Telling(self.observed, self.policy, self.assembly, known)
        return Caller(known, titles, telling.operations(), self.policy.quota(known))

    @property
    def is_complete(self) -> bool:
        """Return whether no system failed when it was last asked."""
        return all(guard.is_well for guard in self.assembly.guards.values())

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why it does not answer everything as its files say; nothing where it does."""
        files = ("FILES_REFUSED",) if self.observed.refused else ()
        return files if self.is_complete else (*files, "SYSTEM_FAILED")

    async def check(self) -> tuple[Report, ...]:
        """
        Return a report on every department's system.

        Reads:  each entity, at most 120 times.
        """
        tree = self.systems.tree
        asked: Mapping[str, Source] = self.assembly.guards
        opened = {name: each.source for name, each in self.assembly.systems.items()}
        return await check(
            self.assembly.departments,
            Sources(asked, opened),
            lambda code: tree.get(code) is not None,
        )

    async def mistakes(self) -> tuple[Mistake, ...]:
        """Return what mapping files say that the live services' own schemas do not."""
        return await self.assembly.mistakes()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.assembly.aclose()


def open_graph(
    files: Files,
    environment: Mapping[str, str],
    secret: bytes,
    before: OpenGraph | None = None,
) -> OpenGraph:
    """
    Return the graph of the files; systems are contacted when they are first asked.

    Systems whose mapping is the same as in the graph `before` are shared with it, with their
    connections and what was counted; it goes on answering.
    Raises: Mistakes, with everything that is wrong with the files.
    """
    core = core_entities()
    systems = CodeSystems(files.divisions)
    departments = load_departments(files.departments, core, environment, systems)
    same_codes = before is not None and before.systems.aliases == systems.aliases
    kept = _unchanged(departments, before.assembly) if before and same_codes else {}
    assembly = assemble(core, departments, _reference(core, files, departments), kept)
    observed = before.observed if before else Observed()
    policy = load_policy(files.policy, assembly.entities, assembly.facets)
    _refuse_unasked_scopes(policy, assembly)
    return OpenGraph(
        build_schema(
            assembly.entities,
            [counting(observed.usage)],
        ),
        policy,
        Gate(policy, assembly.federation),
        Identity(secret, assembly.entities),
        Seal(secret, "cursor"),
        assembly,
        observed,
        systems,
        needs_of(files.matters, assembly.entities),
    )


def _unchanged(departments: Iterable[Department], before: Assembly) -> Mapping[str, Guarded]:
    """Return the open systems whose mapping says what it said, address and secrets included."""
    known = {department.name: department for department in before.departments}
    guarded = before.systems
    return {
        department.name: guarded[department.name]
        for department in departments
        if department.name in known and _same(department, known[department.name])
    }


def _same(one: Department, other: Department) -> bool:
    said = one.written, one.url, one.signature, one.codes_fingerprint
    return said == (other.written, other.url, other.signature, other.codes_fingerprint)


def _refuse_unasked_scopes(policy: Policy, assembly: Assembly) -> None:
    """
    Refuse a mapping by which a system cannot be asked for the rows of a scope alone.

    Raises: Mistakes.
    """
    write = "Declare the filters its rule in the policy needs, such as within on its divisions."
    mistakes = tuple(
        Mistake(department.file, department.entities[entity].line, what, write)
        for role, entity, source in unasked_scopes(policy, assembly.federation)
        for department in assembly.departments
        if department.name == source
        for what in (f"{entity} cannot be asked for the rows that {role} may see",)
    )
    if mistakes:
        raise Mistakes(mistakes)


def printed_schema(files: Files) -> str:
    """
    Return the graph in SDL; the systems' addresses need not be known.

    Raises: Mistakes, with everything that is wrong with the files.
    """
    return build_schema(entities_of(files)).as_str()


def entities_of(files: Files) -> dict[str, Entity]:
    """
    Return every entity of the graph; the systems' addresses need not be known.

    Raises: Mistakes, with everything that is wrong with the mapping files.
    """
    core = core_entities()
    systems = CodeSystems(files.divisions)
    departments = load_departments(files.departments, core, None, systems)
    return graph_entities(core, departments, _reference(core, files, departments))


def _reference(
    core: Mapping[str, Entity], files: Files, departments: Iterable[Department]
) -> tuple[Source, ...]:
    tree = division_tree(files.divisions)
    held = {entity for department in departments for entity in department.entities}
    return divisions_source(core, tree), matters_source(core, files.matters, held)
