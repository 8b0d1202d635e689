"""
Passwords: which are accepted, how they are kept (Argon2id), and how many are tried at once.

Trying one takes memory and a processor on purpose. So few are tried at the same time, some wait,
and who comes then is sent away. A password is never written anywhere, not even into an error.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

from contract.errors import BadInput, TooManyRequests

Result = TypeVar("Result")

MINIMUM_CHARACTERS: Final = 10
MAXIMUM_CHARACTERS: Final = 128
MINIMUM_DIFFERENT: Final = 5

_AT_ONCE: Final = 2
_WAITING: Final = 32
_GIVEN_BYTES: Final = 12
_COMMON: Final = frozenset(
    Path(__file__).with_name("common-passwords.txt").read_text(encoding="utf-8").split()
)
_SHORT: Final = f"密码至少 {MINIMUM_CHARACTERS} 个字符,最多 {MAXIMUM_CHARACTERS} 个字符。"
_SIMPLE: Final = "密码过于简单:请勿使用常见密码、账号名或少数几个重复的字符。"
_SAME: Final = "新密码不能与原密码相同。"


class Passwords:
    """Hashes and tries passwords in threads of its own; `close` when no more come."""

    def __init__(self, hasher: PasswordHasher | None = None, waiting: int = _WAITING) -> None:
        self.tried = 0
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._most = _AT_ONCE + waiting
        self._inside = 0
        self._coming = 0
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        # What a password is tried against where there is none: the same work, never the same.
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(32))

    async def matches(self, kept: str, password: str) -> bool:
        """
        Return whether the password is the one of the hash; the same work where there is no hash.

        Raises: TooManyRequests when too many wait already.
        """
        self.tried += 1
        return await self._in_thread(lambda: self._is_right(kept or self._nobodys, password))

    async def hashed(self, password: str) -> str:
        """
        Return the hash to keep.

        Raises: TooManyRequests when too many wait already.
        """
        return await self._in_thread(lambda: self._hasher.hash(password))

    @contextmanager
    def room(self) -> Iterator[None]:
        """
        Keep a place for one more, to be taken when the block ends; what comes meanwhile sees it.

        Raises: TooManyRequests when too many wait already.
        """
        self._check_room()
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    def _check_room(self) -> None:
        if self._inside + self._coming >= self._most:
            raise TooManyRequests

    def is_dated(self, kept: str) -> bool:
        """Return whether the hash was made by weaker rules than today's."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        self._check_room()
        self._inside += 1
        future = self._threads.submit(work)
        # Whoever gave up waiting still takes a place as long as the work is not done.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        return await asyncio.wrap_future(future)

    def _leave(self) -> None:
        self._inside -= 1

    def _is_right(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False


def given_password() -> str:
    """Return a password that an administrator gives, to be changed when it is first used."""
    return secrets.token_urlsafe(_GIVEN_BYTES)


def check_password(password: str, account: str, before: str) -> None:
    """
    Refuse a password that is easily guessed, or the one before again.

    Raises: BadInput, which says what to write instead and repeats nothing.
    """
    if not MINIMUM_CHARACTERS <= len(password) <= MAXIMUM_CHARACTERS:
        raise BadInput(_SHORT)
    plain = password.casefold()
    is_common = plain in _COMMON or len(set(plain)) < MINIMUM_DIFFERENT
    if is_common or account.casefold() in plain or plain in account.casefold():
        raise BadInput(_SIMPLE)
    if password == before:
        raise BadInput(_SAME)
