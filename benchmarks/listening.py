"""Serves a peer as fast as uvicorn can, on a port that it tells on standard output."""

import socket
import sys

import uvicorn
from starlette.types import ASGIApp


def listen(app: ASGIApp) -> None:
    """Serve until SIGTERM, with uvloop and httptools where they are installed."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False)
        sys.stdout.write(f"serving http://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(config).run([listening])
