"""Who a telephone is: Digest challenges that need no memory, and proofs that are asked after in the
platform."""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import md5
from hmac import compare_digest, new
from secrets import token_hex

from aiosipua import SipRequest

from chappe.carriers.sip.words import Ask, Known
from chappe.protocols import digest
from chappe.protocols.errors import ProtocolError

REALM = "chappe"
_LIFE = 300
_REMEMBERED = 10_000
_MOST_ASKED = 500
"""Seconds for which a nonce is good, of how many nonces the counts are known, how many questions may be open
(our choice)."""

Told = Callable[[str], None]


class Proofs:
    """Checks proofs; `ask` sends a question to the platform, which `known` answers."""

    def __init__(self, secret: bytes, ask: Callable[[Ask], None]) -> None:
        self._secret = secret
        self._ask = ask
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._open: OrderedDict[int, Callable[[Known], None]] = OrderedDict()
        self._last = 0

    def challenge(self, now: float, stale: bool = False) -> str:
        """The value of a WWW-Authenticate header."""
        return digest.challenge(REALM, self._sealed(f"{int(now):x}.{token_hex(8)}"), stale)

    def check(self, request: SipRequest, now: float, then: Told, again: Callable[[bool], None]) -> None:
        """Who sends a request. `then` is told the number of the line that was proven, or an empty text for a
        proof that is wrong, whether there is such a user or not; `again` where there is none yet or its nonce
        is too old (True)."""
        header = request.headers.get_first("authorization") or request.headers.get_first(
            "proxy-authorization"
        )
        if not header or not digest.is_digest(header):
            again(False)
            return
        try:
            proof = digest.read_proof(header, request.method)
        except ProtocolError:
            then("")
            return
        if proof.realm != REALM or not self._is_fresh(proof, now):
            again(True)
            return
        if len(self._open) >= _MOST_ASKED:
            self._open.popitem(last=False)
        self._last += 1

        def judge(known: Known) -> None:
            # Somebody who is not there is judged as long as somebody who is.
            wanted = md5(f"{known.ha1}:{proof.hashed}".encode("latin-1", "replace"), usedforsecurity=False)
            right = compare_digest(wanted.hexdigest(), proof.response.encode("ascii", "replace").decode())
            if right and known.ha1 and self._counts.get(proof.nonce, 0) < proof.count:
                self._counts[proof.nonce] = proof.count
                if len(self._counts) > _REMEMBERED:
                    self._counts.popitem(last=False)
                then(known.line)
            else:
                then("")

        self._open[self._last] = judge
        self._ask(Ask(self._last, proof.user[:200]))

    def known(self, word: Known) -> None:
        """The platform's answer."""
        judge = self._open.pop(word.ask, None)
        if judge is not None:
            judge(word)

    def _sealed(self, words: str) -> str:
        """A nonce that only we can have made, of its time and what makes it the only one."""
        return f"{words}.{new(self._secret, words.encode(), 'sha256').hexdigest()[:32]}"

    def _is_fresh(self, proof: digest.Proof, now: float) -> bool:
        words = proof.nonce.rpartition(".")[0]
        if not proof.nonce.isascii() or not compare_digest(self._sealed(words), proof.nonce):
            return False
        return -1 <= now - int(words.partition(".")[0], 16) <= _LIFE
