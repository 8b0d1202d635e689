"""What a server does beside answering: looks for newer files, and at the systems themselves."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.living import Living, Served
from gateway.rounds import Rounds
from sources.quantity import seconds

logger = logging.getLogger(__name__)
NEVER: Final = "never"


def interval(text: str) -> float:
    """
    Return an interval such as "5s" in seconds, 0 for never.

    Raises: ValueError, with what to write, for anything else.
    """
    try:
        return 0.0 if text == NEVER else seconds(text)
    except ValueError as error:
        raise ValueError(f'"{text}" is no interval; write {NEVER}, or {error}') from None


@asynccontextmanager
async def looking(
    living: Living[Served], reload_every: str, check_every: str
) -> AsyncIterator[None]:
    """
    Reload when files change and check systems, each so often, as long as the block lasts.

    Raises: ValueError for a time that is neither a duration nor never.
    """
    reload_seconds, check_seconds = interval(reload_every), interval(check_every)
    tasks = [asyncio.create_task(living.watch(reload_seconds))]
    if check_seconds:
        tasks.append(asyncio.create_task(Rounds(living.using, check_seconds).run()))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                logger.error("it had ended before: %s", type(ended).__name__, exc_info=ended)
