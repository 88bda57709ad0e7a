"""Telephones behind a trunk that answer at once: one socket for any number of them, no sound."""

import asyncio
import re
import time
from collections import Counter
from typing import Any, cast


class Answerer(asyncio.DatagramProtocol):
    """Takes every call. `rung` notes when each number was rung first, `offers` how often each call was
    offered: more than once where it was changed later on (re-INVITE)."""

    def __init__(self) -> None:
        self.rung: dict[str, float] = {}
        self.offers: Counter[str] = Counter()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """See asyncio."""
        now = time.perf_counter()
        head, _, _ = data.decode().partition("\r\n\r\n")
        method, *_ = head.split(" ", 1)
        if method not in ("INVITE", "BYE", "CANCEL", "OPTIONS"):
            return
        if method == "INVITE":
            if found := re.match(r"INVITE sip:\+?(\d+)@", head):
                self.rung.setdefault(found[1], now)
            if found := re.search(r"\r\nCall-ID: *(\S+)", head):
                self.offers[found[1]] += 1
        lines = [line for line in head.split("\r\n") if re.match("(Via|From|To|Call-ID|CSeq):", line)]
        lines = [f"{line};tag=1" if line.startswith("To:") and "tag=" not in line else line for line in lines]
        host, port = self._transport.get_extra_info("sockname")  # type: ignore[union-attr]
        body = ""
        if method == "INVITE":
            lines += [f"Contact: <sip:{host}:{port}>", "Content-Type: application/sdp"]
            body = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            body += "m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        said = ["SIP/2.0 200 OK", *lines, f"Content-Length: {len(body)}", "", body]
        self._transport.sendto("\r\n".join(said).encode(), addr)  # type: ignore[union-attr]
