"""How many calls accounts have: asked for, or looked at by the transaction that writes another one."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from chappe.model.limits import CallCounts, CallLimits, judge
from chappe.store.hot import SetStatement
from chappe.store.ids import first_id_of

_RUNG = (
    "(select count(*) from legs as l join calls as c on c.id = l.call_id"
    " where l.account_id = r.account_id and c.kind = 'conference' and not l.inbound and {which})"
)
_OPEN = "from calls as c where c.over_at is null and c.account_id = r.account_id and c.kind <> 'conference'"
_LEFT = "from calls as c where c.account_id = r.account_id and not c.is_virtual and c.id >= r.first_of_{time}"


def _placed(time: str) -> str:
    """How many were placed since a time that left the sandbox, parties rung by conferences among them."""
    rung = _RUNG.format(which=f"l.carrier <> 'sandbox' and l.id >= r.first_of_{time}")
    return f"(select count(*) {_LEFT.format(time=time)} and c.kind <> 'conference') + {rung}"


def _where(asked: str, count: str) -> str:
    """What has no limit is not counted."""
    return f"case when r.{asked} > 0 then {count} else 0 end"


_COUNTS = SetStatement(
    "select "
    + ", ".join(
        [
            _where("at_once", f"(select count(*) {_OPEN}) + {_RUNG.format(which='l.ended_at is null')}"),
            _where(
                "at_line",
                f"(select count(*) {_OPEN} and (c.first = r.line or r.both_ways > 0 and c.second = r.line))",
            ),
            _where("a_minute", _placed("minute")),
            _where("a_day", _placed("day")),
            _where(
                "cap",
                f"(select cast(coalesce(sum(c.price), 0) as bigint) {_LEFT.format(time='day')})",
            ),
        ]
    )
    + " from r",
    [
        ("account_id", "bigint"),
        ("at_once", "bigint"),
        ("at_line", "bigint"),
        ("line", "text"),
        ("both_ways", "bigint"),
        ("a_minute", "bigint"),
        ("first_of_minute", "bigint"),
        ("a_day", "bigint"),
        ("first_of_day", "bigint"),
        ("cap", "bigint"),
    ],
)
_LOCK = SetStatement(
    "select id from accounts where id in (select key from r) order by id for update", [("key", "bigint")]
)


def call_counts(connection: Connection, limits: CallLimits) -> CallCounts:
    """What there is of an account's calls at this moment, as far as these limits need it."""
    day = limits.at.replace(hour=0, minute=0, second=0, microsecond=0)
    (row,) = _COUNTS.run(
        connection,
        [
            (
                limits.account_id,
                limits.at_once,
                limits.at_line,
                limits.line,
                int(limits.both_ways),
                limits.a_minute,
                first_id_of(limits.at - timedelta(minutes=1)),
                limits.a_day,
                first_id_of(day),
                limits.cap,
            )
        ],
    )
    return CallCounts(*row)


def check_calls(connection: Connection, asked: Sequence[CallLimits]) -> None:
    """Raise Refusal `too_many_calls` where one of these calls, which are not written yet, passes its limits;
    those of one account count one after the other, also where other nodes write at this moment."""
    if connection.dialect.name == "postgresql":
        _LOCK.run(connection, [(one.account_id,) for one in asked])
    before: dict[int, list[CallLimits]] = {}
    for limits in asked:
        counts, others = call_counts(connection, limits), before.setdefault(limits.account_id, [])
        more = sum(not one.is_called for one in others)
        counts = CallCounts(
            counts.at_once + more,
            counts.at_line + sum(one.line == limits.line for one in others),
            counts.in_minute + more,
            counts.in_day + more,
            counts.cost,
        )
        if (refusal := judge(limits, counts)) is not None:
            raise refusal
        others.append(limits)
