"""How many calls an account may have, and what they may cost in a day."""

from datetime import datetime
from typing import NamedTuple

from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import CREDIT

_ASK = "its operator may allow more (chappe account calls)"
CALLED_LINE = "called_line"
"""The field of a refusal for the line that is called: it has as many calls as it may have."""


class CallLimits(NamedTuple):
    """What bounds one more call of an account that is placed `at` a time, 0 for no limit: calls that go on at
    once, those that begin with `line` (`both_ways`: or go to it; `is_called`: that is where this one, which
    stands before it already, goes to), and of those that leave the platform how
    many in a minute and in a day (UTC), and the `cap` of what they cost in that day. `live_cost` is what
    calls that are not over have cost until now (thousandths)."""

    account_id: int
    at: datetime
    at_once: int = 0
    at_line: int = 0
    line: str = ""
    both_ways: bool = False
    is_called: bool = False
    a_minute: int = 0
    a_day: int = 0
    cap: int = 0
    live_cost: int = 0

    @property
    def is_bounded(self) -> bool:
        """Whether there is any limit."""
        return bool(self.at_once or self.at_line or self.a_minute or self.a_day or self.cap)


class CallCounts(NamedTuple):
    """What there is of an account's calls (see CallLimits), 0 where nobody asks. Telephones that conferences
    have rung count as calls; `cost` is that of calls that are over, in thousandths."""

    at_once: int = 0
    at_line: int = 0
    in_minute: int = 0
    in_day: int = 0
    cost: int = 0


def judge(limits: CallLimits, counts: CallCounts) -> Refusal | None:
    """Why there may not be another call; None where there may."""
    spent = counts.cost + limits.live_cost
    if limits.at_once and counts.at_once >= limits.at_once:
        detail = f"{limits.at_once} calls of this account are going on; wait until one of them ends"
    elif limits.at_line and counts.at_line >= limits.at_line:
        detail = f"{limits.at_line} calls of the line {limits.line} are going on; wait until one of them ends"
        if limits.is_called:
            return Refusal(Fault.TOO_MANY_CALLS, detail, CALLED_LINE)
    elif limits.a_minute and counts.in_minute >= limits.a_minute:
        detail = f"{counts.in_minute} calls were placed within a minute; wait for the next one"
    elif limits.a_day and counts.in_day >= limits.a_day:
        many = f"{counts.in_day} calls were placed today (UTC)"
        detail = f"{many}, and this account may place {limits.a_day}; {_ASK}"
    elif limits.cap and spent >= limits.cap:
        detail = f"the calls of today (UTC) have used up the {limits.cap / CREDIT:g} credits of a day; {_ASK}"
    else:
        return None
    return Refusal(Fault.TOO_MANY_CALLS, detail)
