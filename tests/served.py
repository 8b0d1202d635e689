"""A real server in a process of its own, on loopback."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@asynccontextmanager
async def served(
    receive_seconds: float = 30,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "tests/tiny.py",
        str(receive_seconds),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
        yield process, url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
