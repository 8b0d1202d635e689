"""Passwords: kept so that they cannot be read, tried a few at a time."""

import asyncio
from threading import Event

import pytest
from argon2 import PasswordHasher

from auth.passwords import Passwords, given_password
from contract.errors import TooManyRequests
from tests.accounts import PASSWORD, cheap_passwords

WRONG = "not the right password"


async def test_a_password_matches_its_own_hash_alone() -> None:
    passwords = cheap_passwords()
    kept = await passwords.hashed(PASSWORD)
    tries = [
        await passwords.matches(hashed, password)
        for hashed, password in ((kept, PASSWORD), (kept, WRONG), ("", ""), ("no hash", PASSWORD))
    ]
    passwords.close()

    assert tries == [True, False, False, False]
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


async def test_a_hash_of_weaker_rules_is_made_anew_at_the_next_sign_in() -> None:
    weak, strong = cheap_passwords(), Passwords(PasswordHasher(2, 16, 1))
    kept = await weak.hashed(PASSWORD)
    found = [each.is_dated(kept) for each in (weak, strong)]
    for each in (weak, strong):
        each.close()

    assert found == [False, True]


def test_given_passwords_are_never_the_same() -> None:
    assert len({given_password() for _ in range(100)}) == 100


async def test_who_gives_up_waiting_still_takes_a_place_until_the_work_is_done() -> None:
    passwords, held = cheap_passwords(waiting=0), Event()
    tasks = [asyncio.create_task(passwords._in_thread(lambda: held.wait(20))) for _ in range(2)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    with pytest.raises(TooManyRequests):
        await passwords.matches("", WRONG)
    held.set()
    passwords.close()
