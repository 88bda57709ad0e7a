"""Throws bytes at the SMPP codec and at both sides of a bind, guided by which lines they reach.

python -m tests.fuzz.smpp [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys

import atheris

with atheris.instrument_imports(include=["chappe.protocols"]):
    from chappe.protocols.errors import ProtocolError
    from chappe.protocols.smpp.bind import Answered, Asked, Bind, Side, State
    from chappe.protocols.smpp.bodies import Login
    from chappe.protocols.smpp.codes import Command
    from chappe.protocols.smpp.pdus import decode, encode
    from chappe.protocols.smpp.receipts import read_receipt

SEEDS = (
    "0000001000000015000000000000000a",
    "000000140000000900000000000000016d65000000340000",
    "0000002c000000050000000000000002000101333300000132300004000000000000000000000469643a31",
    "000000128000000400000000000000013100",
)


def one_input(data: bytes) -> None:
    """One run: as a unit, as a receipt, and as what comes over a connection in three pieces."""
    try:
        pdu = decode(data)
    except ProtocolError:
        pass
    else:
        try:
            again = decode(encode(pdu))
        except ValueError:
            again = pdu  # longer than what we may write
        assert again == pdu
    read_receipt(data)
    for side in Side:
        bind: Bind[int] = Bind(side, 0.0)
        if side is Side.CLIENT:
            bind.login(State.TRANSCEIVER, Login("me"))
            bind.receive(bytes.fromhex("00000010800000090000000000000001"), 0.0)
            bind.ask(Command.SUBMIT_SM, [(1, b""), (2, b"")], 0.0)
        third = len(data) // 3
        for piece in (data[:third], data[third : 2 * third], data[2 * third :]):
            for event in bind.receive(piece, 1.0):
                if isinstance(event, Asked):
                    bind.answer(event)
                assert not isinstance(event, Answered) or event.tag in (1, 2)
        bind.tick(1e6)
        bind.outgoing()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
