"""Which datagrams are looked at at all: strangers may ask a little, and only to register; scanners hear
nothing."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address

_BURST = 4.0
_FAMILY = 10.0
_REMEMBERED = 10_000
_FAILURE = 5.0
"""Tokens hold what may be asked in four seconds; an address with a telephone of ours may ask ten times as
much; of so many addresses is known what they asked; and a wrong proof costs as much as five requests (all our
choice)."""

_SCANNERS = (
    b"friendly-scanner",
    b"friendly-request",
    b"sipvicious",
    b"sundayddr",
    b"sip-scan",
    b"sipsak",
    b"sipcli",
    b"sipptk",
    b"smap",
    b"iwar",
    b"siparmyknife",
    b"test agent",
    b"vaxsipuseragent",
    b"pplsip",
)
"""What scanners call themselves (as rules of intrusion detection name them)."""


@dataclass(slots=True)
class _Budget:
    tokens: float
    at: float


class Admission:
    """Remembers what each address asked lately. Times are in seconds."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._budgets: OrderedDict[str, _Budget] = OrderedDict()
        self._trunks: tuple[IPv4Network, ...] = ()
        self._telephones: dict[str, float] = {}
        self.silenced = 0

    def trust(self, trunks: Iterable[IPv4Network]) -> None:
        """Trunks speak from these networks."""
        self._trunks = tuple(trunks)

    def know(self, host: str, until: float) -> None:
        """A telephone that has proven to be one of ours is at an address until then."""
        self._telephones[host] = max(until, self._telephones.get(host, 0))

    def is_trunk(self, host: str) -> bool:
        """Whether an address is a trunk's."""
        return any(ip_address(host) in network for network in self._trunks)

    def is_known(self, host: str, now: float) -> bool:
        """Whether a telephone of ours has registered from an address."""
        until = self._telephones.get(host)
        if until is not None and until <= now:
            del self._telephones[host]
            return False
        return until is not None

    def admits(self, data: bytes, host: str, now: float) -> bool:
        """Whether a datagram is to be read."""
        if self._judge(data, host, now):
            return True
        self.silenced += 1
        return False

    def _judge(self, data: bytes, host: str, now: float) -> bool:
        if self.is_trunk(host):
            return True
        if self.is_known(host, now):
            return self._pay(host, 1, self._per_second * _FAMILY, now)
        if not data.startswith(b"REGISTER ") and not data.startswith(b"SIP/2.0 "):
            return False
        if not self._pay(host, 1, self._per_second, now):
            return False
        head = data[:2000].lower()
        return not any(name in head for name in _SCANNERS)

    def failed(self, host: str, now: float) -> None:
        """A proof from an address was wrong."""
        self._pay(host, _FAILURE, self._per_second, now, may_owe=True)

    def _pay(self, host: str, price: float, per_second: float, now: float, *, may_owe: bool = False) -> bool:
        most = per_second * _BURST
        budget = self._budgets.get(host)
        if budget is None:
            budget = self._budgets[host] = _Budget(most, now)
            if len(self._budgets) > _REMEMBERED:
                self._budgets.popitem(last=False)
        budget.tokens = min(most, budget.tokens + (now - budget.at) * per_second)
        budget.at = now
        self._budgets.move_to_end(host)
        if budget.tokens < price and not may_owe:
            return False
        budget.tokens -= price
        return True
