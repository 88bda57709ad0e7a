"""Proving secrets: keyed hashes for keys, argon2id for passwords, a cache of what was proven, a budget of
failures (reference: performance.md 3.4); and sealing the few that must be read again."""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import blake2b, md5
from ipaddress import IPv6Address, ip_address
from typing import Any, Generic, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chappe.model.commands import Caller, Digest
from chappe.model.errors import Challenge, Fault, Refusal

V = TypeVar("V")

_PROVEN_FOR = timedelta(minutes=5)
_CALLER_FOR = timedelta(seconds=2)
_FAILURE_WINDOW = timedelta(minutes=1)
_QUEUE_LIMIT = 64
_NONCE_SECONDS = 300
_MAC = 32


class Remembered(Generic[V]):
    """A bounded memory whose entries end by time; hits do not extend them."""

    def __init__(self, lifetime: timedelta, size: int) -> None:
        self._lifetime = lifetime
        self._size = size
        self._entries: OrderedDict[Hashable, tuple[datetime, V]] = OrderedDict()

    def get(self, key: Hashable, now: datetime) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= now:
            del self._entries[key]
            return None
        return entry[1]

    def put(self, key: Hashable, value: V, now: datetime) -> None:
        self._entries[key] = (now + self._lifetime, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        self._entries.clear()


class Door:
    """Holds what was proven in this process. `secret` is the platform's, 32 bytes."""

    def __init__(self, secret: bytes, process_secret: bytes, hasher: PasswordHasher | None = None) -> None:
        self.secret = secret
        self._process_secret = process_secret
        # A key of its own, from which nothing follows for the hashes that `secret` makes.
        self._sealing = AESGCM(blake2b(key=secret, digest_size=32, person=b"sealing").digest())
        self._hasher = hasher or PasswordHasher()
        # argon2id takes 60 to 130 ms: never on the event loop, and on one thread at most.
        self._pool = ThreadPoolExecutor(1, "argon2")
        self._proven: Remembered[bool] = Remembered(_PROVEN_FOR, 10_000)
        self._callers: Remembered[Caller] = Remembered(_CALLER_FOR, 10_000)
        self._failures: Remembered[list[int]] = Remembered(_FAILURE_WINDOW, 10_000)
        self._used: Remembered[bool] = Remembered(timedelta(seconds=_NONCE_SECONDS), 100_000)
        self._paced: Remembered[bool] = Remembered(timedelta(seconds=1), 100_000)
        self._asked: Remembered[list[int]] = Remembered(_FAILURE_WINDOW, 100_000)
        self._running: dict[bytes, asyncio.Task[bool]] = {}
        self._admitting: dict[bytes, asyncio.Task[Caller | None]] = {}
        self._dummy: str | None = None

    def key_login(self, dialect: str, secret: str) -> str:
        """Under which login a key of a dialect is stored: its keyed hash in hexadecimal."""
        return self._digest(self.secret, dialect, secret).hex()

    def seal(self, text: str, about: str, nonce: bytes) -> str:
        """A secret that must be read again, encrypted (AES-256-GCM): it opens only under the same `about`,
        such as the line whose it is. `nonce` are twelve bytes nobody has used. Empty stays empty."""
        if not text:
            return ""
        return (nonce + self._sealing.encrypt(nonce, _bytes(text), _bytes(about))).hex()

    def unseal(self, sealed: str, about: str) -> str:
        """The secret again; empty where there is none, or it was sealed with another platform's secret."""
        try:
            data = bytes.fromhex(sealed)
            return self._sealing.decrypt(data[:12], data[12:], _bytes(about)).decode() if data else ""
        except (ValueError, InvalidTag):
            return ""

    def trace(self, *parts: str) -> bytes:
        """A name for credentials in this process's memory, from which they cannot be read."""
        return self._digest(self._process_secret, *parts)

    def caller(self, trace: bytes, now: datetime) -> Caller | None:
        """Who was let in with these credentials in the last two seconds."""
        return self._callers.get(trace, now)

    async def together(
        self, trace: bytes, prove: Callable[[], Coroutine[Any, Any, Caller | None]]
    ) -> Caller | None:
        """Prove credentials, once for all who offer them at the same moment."""
        task = self._admitting.get(trace)
        if task is None:
            task = asyncio.create_task(prove())
            self._admitting[trace] = task
            task.add_done_callback(lambda _: self._admitting.pop(trace, None))
        return await asyncio.shield(task)

    def remember(self, trace: bytes, caller: Caller, now: datetime) -> None:
        """Let the same credentials in again without a look into the store, for two seconds."""
        self._callers.put(trace, caller, now)

    def forget(self) -> None:
        """A credential, user or account has changed: prove everything anew."""
        self._callers.clear()
        self._proven.clear()

    async def hash_password(self, password: str) -> str:
        """The argon2id hash of a password, made off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._hasher.hash, _bytes(password))

    async def password_fits(self, login: str, password: str, stored: str | None, now: datetime) -> bool:
        """Whether a password fits a stored hash; None (unknown login) takes as long as a wrong one.

        Only successes are remembered, under a key that contains the stored hash, so that a changed hash
        forgets them by itself. Twins at the same moment are proven once.
        """
        trace = self.trace(login, password, stored or "")
        if stored is not None and self._proven.get(trace, now):
            return True
        task = self._running.get(trace)
        if task is None:
            if len(self._running) >= _QUEUE_LIMIT:
                raise Refusal(
                    Fault.RATE_LIMITED, "too many logins are being checked at this moment; try again shortly"
                )
            task = asyncio.create_task(self._prove(stored, password))
            self._running[trace] = task
            task.add_done_callback(lambda _: self._running.pop(trace, None))
        fits = await asyncio.shield(task)
        if fits:
            self._proven.put(trace, True, now)
        return fits

    async def _prove(self, stored: str | None, password: str) -> bool:
        loop = asyncio.get_running_loop()
        if stored is None:
            if self._dummy is None:
                self._dummy = await loop.run_in_executor(self._pool, self._hasher.hash, "nobody's password")
            await loop.run_in_executor(self._pool, self._verify, self._dummy, password)
            return False
        return await loop.run_in_executor(self._pool, self._verify, stored, password)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    def challenge(self, nonce: bytes, now: datetime, *, stale: bool = False) -> Challenge:
        """Something to prove a password with: the time and random bytes, signed, so that any process with the
        platform's secret knows it for one of ours."""
        text = f"{int(now.timestamp()):08x}{nonce.hex()}"
        return Challenge(text + self._signed(text), stale)

    def digest_fits(self, proof: Digest, stored: str | None, now: datetime) -> bool | None:
        """Whether a proof fits a stored digest hash; None where it does and its nonce is too old, or was used
        with this count before in this process (RFC 7616, 3.3 and 3.4)."""
        expected = md5(f"{stored}:{proof.hashed}".encode("latin-1", "replace"), usedforsecurity=False)
        fits = same(expected.hexdigest(), proof.response) and stored is not None
        text, mac = proof.nonce[:-_MAC], proof.nonce[-_MAC:]
        if not same(self._signed(text), mac) or not fits:
            return False
        use = self.trace("nonce", proof.nonce, str(proof.count))
        if int(text[:8], 16) + _NONCE_SECONDS <= now.timestamp() or self._used.get(use, now):
            return None
        self._used.put(use, True, now)
        return True

    def check_pace(self, who: str, now: datetime) -> None:
        """Refuse with `rate_limited` when `who` was let pass within the last second."""
        if self._paced.get(who, now):
            raise Refusal(Fault.RATE_LIMITED, "one request each second; come back later")
        self._paced.put(who, True, now)

    def check_rate(self, who: str, most: int, now: datetime) -> None:
        """Note that `who` asks; refuse with `rate_limited` when that was more than so often in a minute."""
        count = self._asked.get(who, now)
        if count is None:
            self._asked.put(who, [1], now)
        elif count[0] >= most:
            raise Refusal(Fault.RATE_LIMITED, f"{most} requests within a minute; wait a minute and try again")
        else:
            count[0] += 1

    def _signed(self, text: str) -> str:
        return self._digest(self.secret, "nonce", text).hex()[:_MAC]

    def check_failures(self, who: str, limit: int, now: datetime) -> None:
        """Refuse with `rate_limited` when `who` (an address, a login) failed `limit` times in a minute."""
        count = self._failures.get(who, now)
        if count is not None and count[0] >= limit:
            raise Refusal(
                Fault.RATE_LIMITED, f"{count[0]} failed logins within a minute; wait a minute and try again"
            )

    def count_failure(self, who: str, now: datetime) -> None:
        """Note a failed login."""
        count = self._failures.get(who, now)
        if count is None:
            self._failures.put(who, [1], now)
        else:
            count[0] += 1

    @staticmethod
    def _digest(key: bytes, *parts: str) -> bytes:
        data = b"".join([len(one).to_bytes(4) + one for one in map(_bytes, parts)])
        return blake2b(data, key=key, digest_size=20).digest()


def _bytes(text: str) -> bytes:
    # surrogates may come in from wires that decode bytes one by one
    return text.encode("utf-8", "surrogatepass")


def same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def network_of(address: str) -> str:
    """Who is behind an address as far as counting goes: the address, of IPv6 the /64 that one house has."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if isinstance(read, IPv6Address):
        return str(read.ipv4_mapped or f"{IPv6Address(int(read) >> 64 << 64)}/64")
    return str(read)
