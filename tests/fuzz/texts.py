"""Throws texts at the alphabets of SMPP and octets at their readers, guided by which lines they reach.

python -m tests.fuzz.texts [-runs=1000000] [-max_total_time=600]     # options of libFuzzer
"""

import sys
from itertools import product

import atheris

with atheris.instrument_imports(
    include=["chappe.model.gsm", "chappe.model.smstext", "chappe.carriers.smpp.texts"]
):
    from chappe.carriers.smpp.texts import Brought, Part, Texts, TextSettings
    from chappe.model.smstext import JOINED_LIMIT, LONE_LIMIT, Encoding, plan, septets, split
from chappe.protocols.smpp.codes import UDHI
from chappe.protocols.smpp.coding import Alphabet
from chappe.protocols.smpp.fields import decode_tlvs

NETWORKS = tuple(
    Texts(TextSettings(alphabet, latin1, languages, way, flash))
    for alphabet, latin1, languages, way, flash in product(
        ("gsm7", "latin1"),
        (False, True),
        ((), ("turkish", "spanish", "portuguese")),
        ("udh8", "udh16", "sar", "payload"),
        ("10", "f0"),
    )
)

SEEDS = tuple(
    bytes((network,)) + text.encode()
    for network, text in (
        (0, "Bonjour à 5 € [ok]"),
        (8, "é€{}" * 60),
        (9, "Çağrı İçin teşekkürler, görüşürüz. " * 6),
        (24, "¡Mañana a las 5, señor Ibáñez! Camión, según. " * 5),
        (25, "Não há coração sem emoção: você, Ângela, avó. " * 5),
        (2, "😀👍🏽" * 40),
        (33, "Latin-1: ½ þ ð " * 12),
        (16, "x" * 152 + "€" + "y" * 160),
    )
)


def one_input(data: bytes) -> None:
    """One run: a text is cut and put together again, in the platform's plan and on a network; and the same
    octets are read as whatever a network may call them."""
    if len(data) < 2:
        return
    text = data[1:].decode("utf-8", "ignore")
    _cut_and_joined(text)
    network = NETWORKS[data[0] % len(NETWORKS)]
    encoding = Encoding.UCS2 if data[0] & 0x40 else plan(text).encoding
    _sent_and_read(network, text, encoding, flash=data[0] >= 0x80)
    _read(network, data)


def _cut_and_joined(text: str) -> None:
    planned = plan(text)
    parts = split(text, planned.encoding)
    assert "".join(parts) == text
    assert len(parts) == planned.segments
    most = LONE_LIMIT if len(parts) == 1 else JOINED_LIMIT
    for part in parts:
        units = septets(part) if planned.encoding is Encoding.GSM7 else len(part.encode("utf-16-be")) // 2
        assert units <= most[planned.encoding]


def _sent_and_read(network: Texts, text: str, encoding: Encoding, flash: bool) -> None:
    parts = network.parts(text, encoding, flash, reference=7)
    brought = [_came(network, one) for one in parts]
    if len(parts) > 1:
        assert [one.place for one in brought] == [(7, len(parts), number + 1) for number in range(len(parts))]
        assert all(_octets_on_air(part, one) <= 140 for part, one in zip(parts, brought, strict=True))
    whole = brought[0]._replace(octets=b"".join(one.octets for one in brought))
    assert network.text(whole)[0] == text
    assert all(one.coding.message_class == (0 if flash else None) for one in brought)


def _came(network: Texts, part: Part) -> Brought:
    tlvs = decode_tlvs(part.tlvs, 0, len(part.tlvs))
    return network.read(part.esm_class, part.data_coding, part.octets, tlvs)


def _octets_on_air(part: Part, brought: Brought) -> int:
    """What the network puts into an SMS: sar_ parameters become a header, septets are packed."""
    header = len(part.octets) - len(brought.octets) if part.esm_class & UDHI else 0
    if part.tlvs:
        header = header + 5 if header else 6
    if brought.coding.alphabet is not Alphabet.DEFAULT:
        return header + len(brought.octets)
    return header + (len(brought.octets) * 7 + 7) // 8


def _read(network: Texts, data: bytes) -> None:
    text, encoding = network.text(network.read(data[0] & UDHI, data[1], data[2:]))
    if encoding is not Encoding.BINARY:
        plan(text)  # what came can be sent


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
