"""The commands `check` and `draft`: mapping files, against live systems or made from them."""

import asyncio
import os
from contextlib import aclosing
from json import dumps
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console

from contract.document import Mistake
from gateway.graph import Files, open_graph
from gateway.onboarding import check_files
from gateway.settings import SERVING, CommandRefused, Serving
from onboarding.check import Report
from onboarding.drafts.draft import Wanted, drafted
from onboarding.scorecard import document, render, render_changes
from schema.graph import core_entities

errors: Final = Console(stderr=True, highlight=False)


def check_command(
    *files: Annotated[Path, Parameter(help="Mapping files; all of the folder by default.")],
    keys: Annotated[
        Path | None, Parameter(help="CSV of keys, for a system that is asked by key alone.")
    ] = None,
    json: Annotated[bool, Parameter(help="Print one JSON document.", negative="")] = False,
    options: Serving = SERVING,
) -> None:
    """Prove mapping files against the live systems; prints what is wrong and what to change."""
    reports, mistakes = asyncio.run(_check(files, keys, options))
    if json:
        print(dumps(document(reports, mistakes), ensure_ascii=False, indent=2))  # noqa: T201 -- the answer
    else:
        for shown in (render(reports), *render_changes(reports)):
            Console(width=160).print(shown)
        for mistake in mistakes:
            errors.print(str(mistake), style="red", markup=False, soft_wrap=True)
    if mistakes or not all(report.is_sound for report in reports):
        raise CommandRefused("some system does not answer, or is not as its mapping file says")


def draft_command(
    url: Annotated[str, Parameter(help="Database, description or service; may be '${NAME}'.")],
    *,
    name: Annotated[str, Parameter(help="Name of the system; from its address by default.")] = "",
    out: Annotated[Path | None, Parameter(help="File to write, never over another one.")] = None,
    header: Annotated[str, Parameter(help="A header sent with the value of NAME_TOKEN.")] = "",
    only: Annotated[
        tuple[str, ...], Parameter(help="Tables, paths or fields; all by default.")
    ] = (),
) -> None:
    """Write a first mapping file from a database, an OpenAPI description or a GraphQL service."""
    named = name or (out.stem if out else "")
    text = asyncio.run(
        drafted(Wanted(url, named, header, only), tuple(core_entities()), os.environ)
    )
    if out is None:
        print(text, end="")  # noqa: T201 -- the answer
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CommandRefused(f"{out} is there already; name another file") from None
    errors.print(f"wrote {out}; what is to be decided stands in it", markup=False)


async def _check(
    files: tuple[Path, ...], keys: Path | None, options: Serving
) -> tuple[tuple[Report, ...], tuple[Mistake, ...]]:
    if files or keys:
        named = files or tuple(sorted(options.departments.glob("*.toml")))
        checked = await check_files(named, options.departments, os.environ, keys)
        return checked.reports, checked.mistakes
    every = Files(options.departments, options.policy)
    async with aclosing(open_graph(every, os.environ, bytes(32))) as graph:
        return await graph.check(), await graph.mistakes()
