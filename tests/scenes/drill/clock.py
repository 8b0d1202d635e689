"""A clock that does not count the time in which a busy machine let this process wait its turn."""

import threading
import time
from pathlib import Path


def seconds() -> float:
    """Return a time that passes only while this thread runs or waits for something else."""
    return time.monotonic() - _waited_for_a_processor()


def _waited_for_a_processor() -> float:
    kept = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
    try:
        return int(kept.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0
