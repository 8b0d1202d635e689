"""
Our server with a policy that opens everything and without a ledger.

It exists to tell what permission and ledger cost, and is no way to run a server.
"""

import os
import sys
from contextlib import aclosing
from pathlib import Path

import uvloop
from cyclopts import run

import server
from gateway.graph import Files, open_graph
from gateway.settings import Serving
from resolvers.context import RequestContext
from schema.graph import list_fields
from schema.limits import Limits
from web.endpoint import Asking


async def serve(options: Serving) -> None:
    """Serve until SIGTERM."""
    files = Files(options.departments, options.policy)
    async with aclosing(open_graph(files, os.environ, bytes(32))) as graph:

        async def context(asking: Asking) -> RequestContext:
            return graph.context(asking.principal, asking.request_id)

        limits = Limits(lists=list_fields(graph.schema))
        await server.serve_graph(server.Graph(graph.schema, context, limits=limits), options, _say)


async def _say(url: str) -> None:
    sys.stdout.write(f"serving {url}\n")
    sys.stdout.flush()


def main(departments: Path, policy: Path, issuers: Path) -> None:
    """Serve these files on any port."""
    serving = Serving(listen="127.0.0.1:0", departments=departments, policy=policy, issuers=issuers)
    uvloop.run(serve(serving))


if __name__ == "__main__":
    run(main)
