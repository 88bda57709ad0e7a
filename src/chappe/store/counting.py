"""What counts up and is never told twice, however many ask at once: one statement each, on both databases."""

from sqlalchemy import Connection, text


def count_up(connection: Connection, name: str) -> int:
    """The next number of a counter; the first is 1. One that is not used leaves a gap."""
    counted = text(
        "insert into counters (name, value) values (:name, 1)"
        " on conflict (name) do update set value = counters.value + 1 returning value"
    )
    return int(connection.execute(counted, {"name": name}).scalar_one())


def take_turn(connection: Connection, account_id: int, group_id: int) -> int | None:
    """The turn of a ring group, which is the next one's from now on; None where there is no such group."""
    taken = text(
        "update ring_groups set turn = turn + 1 where id = :id and account_id = :account_id"
        " returning turn - 1"
    )
    turn = connection.execute(taken, {"id": group_id, "account_id": account_id}).scalar()
    return None if turn is None else int(turn)
