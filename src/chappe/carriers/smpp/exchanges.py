"""Units that went between us and customers, as texts to be looked at later."""

from collections.abc import Sequence

from chappe.protocols.smpp.bodies import Body
from chappe.protocols.smpp.codes import RESPONSE, Command, Tag, status_name
from chappe.protocols.smpp.fields import Tlvs
from chappe.protocols.smpp.pdus import decode_body

_SECRET = "password"
_MASK = "***"
_MOST = 16_384  # characters, as exchanges of other dialects


def asked(command: Command, sequence: int, body: Body) -> str:
    """A request: its name and number, then what is not empty, octets in hexadecimal, passwords masked."""
    return "\n".join([f"{command.name.lower()} {sequence}", *_fields(body)])[:_MOST]


def answered(command: Command, sequence: int, status: int, body: Body | None, why: str = "") -> str:
    """Its answer; `why` are our words for a refusal, which the wire has no place for."""
    lines = [f"{Command(command | RESPONSE).name.lower()} {sequence} {status_name(status)}"]
    if body is not None:
        lines += _fields(body)
    if why:
        lines.append(f"# {why}")
    return "\n".join(lines)[:_MOST]


def delivered(bodies: Sequence[bytes]) -> str:
    """What we asked a customer to take, unit after unit."""
    command = Command.DELIVER_SM
    units = ("\n".join([command.name.lower(), *_fields(decode_body(command, 0, one))]) for one in bodies)
    return "\n\n".join(units)[:_MOST]


def _fields(body: Body) -> list[str]:
    lines: list[str] = []
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if name == "tlvs":
            lines += _parameters(value)
        elif name == _SECRET:
            lines.append(f"{name}: {_MASK}")
        elif value:
            lines.append(f"{name}: {value.hex() if isinstance(value, bytes) else value}")
    return lines


def _parameters(tlvs: Tlvs) -> list[str]:
    known = {tag.value: tag.name.lower() for tag in Tag}
    return [f"{known.get(tag, f'0x{tag:04x}')}: {value.hex()}" for tag, value in tlvs]
