"""What people write into fields of a form, as values."""

from chappe.model.errors import Fault, Refusal


def whole(written: str, field: str) -> int | None:
    """A whole number; None where nothing was written. Raises Refusal at the field."""
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise Refusal(Fault.INVALID_PARAMETER, f"{written[:40]!r} is no whole number", field)
    return int(written)
