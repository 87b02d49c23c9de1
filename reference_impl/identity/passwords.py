"""Passwords as Argon2id hashes (RFC 9106); a check costs the same whether the account exists or not."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords:
    """Hashes and checks, in threads: Argon2 releases the interpreter lock."""

    def __init__(self, time_cost: int, memory_kib: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(2, "argon2")
        self._nobody = self._hasher.hash("no account has this password")

    def close(self) -> None:
        """End the threads; what waits is not begun."""
        self._threads.shutdown(cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the encoded hash of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.hash_now, password)

    def hash_now(self, password: str) -> str:
        """Return the encoded hash of a password, in this thread."""
        return self._hasher.hash(password)

    def aged(self, password_hash: str) -> bool:
        """Say whether a hash was made at other costs than those of the settings."""
        return self._hasher.check_needs_rehash(password_hash)

    async def holds(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password fits; without a hash the same work is done and the answer is False."""
        loop = asyncio.get_running_loop()
        fits = await loop.run_in_executor(self._threads, self._verify, password_hash or self._nobody, password)
        return fits and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
