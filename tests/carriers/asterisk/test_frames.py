"""Frames of a WebSocket, against those of another implementation."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Ping, TextMessage

from chappe.carriers.asterisk import frames
from chappe.carriers.asterisk.frames import FrameError, Frames

SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)


@pytest.mark.parametrize("size", SIZES)
def test_what_we_write_is_read(size: int) -> None:
    text, server = "é" * (size // 2) + "x" * (size % 2), Connection(ConnectionType.SERVER)
    server.receive_data(frames.frame(frames.TEXT, text.encode()) + frames.frame(frames.PING, b"?"))
    *pieces, ping = server.events()
    assert "".join(one.data for one in pieces if isinstance(one, TextMessage)) == text
    assert isinstance(ping, Ping)
    assert ping.payload == b"?"


@given(st.lists(st.sampled_from(SIZES), max_size=6), st.integers(1, 3), st.integers(0, 10**6))
def test_what_is_written_to_us_is_read_however_it_is_cut(sizes: list[int], parts: int, seed: int) -> None:
    server, chance = Connection(ConnectionType.SERVER), random.Random(seed)
    sent, stream = [b"x" * size for size in sizes], b""
    for text in sent:
        cuts = sorted(chance.randrange(len(text) + 1) for _ in range(parts - 1))
        pieces = [text[begin:end] for begin, end in pairwise([0, *cuts, len(text)])]
        for place, piece in enumerate(pieces):
            is_last = place == len(pieces) - 1
            stream += server.send(TextMessage(piece.decode(), message_finished=is_last))
            if not is_last:
                stream += server.send(Ping(b"between"))
    reader, read = Frames(), []
    while stream:
        size = chance.choice((1, 2, 9, 4000, 70_000))
        read += [content for kind, content in reader.receive(stream[:size]) if kind == frames.TEXT]
        stream = stream[size:]
    assert read == sent


@pytest.mark.parametrize(
    "sent", [b"\x81\x85abcd12345", b"\xc1\x00", b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"]
)
def test_what_no_server_sends_ends_the_connection(sent: bytes) -> None:
    with pytest.raises(FrameError):
        list(Frames().receive(sent))
