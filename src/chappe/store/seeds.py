"""What the settings file says of the platform's data: it counts when it says something new, and what was
changed in the console since then stays."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from chappe.model.directory import ShortCode
from chappe.model.ledger import Route, Tariff
from chappe.store.tables import TABLES, json_text

_KEYS: Mapping[type, tuple[str, ...]] = {
    ShortCode: ("number",),
    Route: ("kind", "prefix"),
    Tariff: ("kind", "prefix"),
}
_MAY_CHANGE = (Route, Tariff)

_SAID = text("select value from settings where name = :name")
_SAY = text(
    "insert into settings (name, value) values (:name, :value)"
    " on conflict (name) do update set value = excluded.value"
)


def adopt(connection: Connection, records: Sequence[ShortCode | Route | Tariff]) -> None:
    """Insert the records of the settings file that are not there, and give routes and tariffs the values of
    the file where it has changed since it was last adopted."""
    for record in records:
        table, key = TABLES[type(record)], _KEYS[type(record)]
        values = {c.name: getattr(record, c.name) for c in table.columns if c.name not in ("id", *key)}
        if isinstance(record, _MAY_CHANGE):
            name = " ".join(["seed", table.name, *(getattr(record, part) for part in key)])
            now = {"name": name, "value": json_text(values)}
            if connection.execute(_SAID, {"name": name}).scalar() == now["value"]:
                continue
            connection.execute(_SAY, now)
        same = [table.c[part] == getattr(record, part) for part in key]
        found = connection.execute(select(table.c.id).where(*same)).scalar()
        if found is None:
            # Another node that starts at this moment reads the same settings file.
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(
                    insert(table).values(id=record.id, **{p: getattr(record, p) for p in key}, **values)
                )
        elif isinstance(record, _MAY_CHANGE):
            connection.execute(update(table).where(table.c.id == found).values(**values))
