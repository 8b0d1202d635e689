"""Whether memory stays: many mixed requests of all townships, and what is held meanwhile."""

from collections.abc import Callable
from typing import Final

from benchmarks.load import LoadFailed, Until, load
from benchmarks.stage import Ready

_PARTS: Final = 20
_WARM: Final = 2
"""Of twenty parts, those after which the server counts as warm."""


def held(
    server: Ready, clients: int, requests: int, say: Callable[[str], None]
) -> dict[str, object]:
    """
    Return what the server holds after each part, and how much more at the end than when warm.

    Raises: LoadFailed where one answer was not the right one.
    """
    shots, megabytes = list(server.shots.values()), [server.server.megabytes()]
    asked = 0
    for part in range(_PARTS):
        until = Until(requests=max(clients, requests // _PARTS))
        result = load(server.server.address, shots, clients, until, seed=part)
        if result.wrong:
            raise LoadFailed(f"{result.wrong} of {len(result.times)} answers were not right")
        asked += len(result.times)
        megabytes.append(server.server.megabytes())
        say(f"after {asked:,} requests: {megabytes[-1]:.1f} MB")
    growth = megabytes[-1] / megabytes[_WARM] - 1
    return {"requests": asked, "megabytes": megabytes, "growth_after_warm": round(growth, 4)}
