"""The gateway's own secret, from which the keys of ids and cursors are derived."""

import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Final

_BYTES: Final = 32


def read_secret(path: Path) -> bytes:
    """
    Return the secret in the file; the first time it is made, readable by its owner alone.

    Replicas share one file: ids and cursors live as long as it does.
    Raises: ValueError for a file too short to be a secret.
    """
    if not path.exists():
        write_once(path, b64encode(secrets.token_bytes(_BYTES)))
    secret = path.read_bytes().strip()
    if len(secret) < _BYTES:
        raise ValueError(f"{path}: a key of at least {_BYTES} bytes is needed; remove it to renew")
    return secret


def write_once(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, unless there is one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        os.link(beside, path)  # whoever is first wins, also between processes
    except FileExistsError:
        pass
    finally:
        beside.unlink()
