"""Runs the migrations on the connection that store/migrate.py hands over."""

from typing import Any, Literal

from alembic import context

from chappe.store.tables import Choice, PlainText, metadata


def render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A Choice is written as plain text: a migration must not depend on an enum of today."""
    if kind == "type" and isinstance(item, PlainText):
        return "sa.Text()"
    return "sa.String(32)" if kind == "type" and isinstance(item, Choice) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render,
    user_module_prefix="",
)
with context.begin_transaction():
    context.run_migrations()
