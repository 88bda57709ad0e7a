"""A softphone that knows nothing but a QR code: it registers, its call is forwarded on no answer to the
answerphone, the mail with the message arrives at a mail server, and its lamp shows it until it was heard."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from email import message_from_bytes
from email.policy import default
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import zxingcpp
from aiosmtpd.smtp import SMTP, Envelope, Session
from lxml import etree

from chappe.media import pcm, wav
from tests.clients.running import Account, Server, running_server
from tests.peers.baresip import Baresip, free_ports, telephone
from tests.peers.waiting import eventually

_SETTINGS = """
[carriers.sip]
type = "sip"
listen = "127.0.0.1"
port = {sip}
first_port = 33000
last_port = 33999
requests_per_second = 50

[mail]
host = "127.0.0.1"
port = {mail}
start_tls = false
"""
_LPCONFIG = "{http://www.linphone.org/xsds/lpconfig.xsd}"


class MailServer:
    """Takes every mail."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        return "250 OK"


@pytest.fixture
async def mail() -> AsyncIterator[tuple[MailServer, int]]:
    one, loop = MailServer(), asyncio.get_running_loop()
    listener = await loop.create_server(lambda: SMTP(one, hostname="mail.example", loop=loop), "127.0.0.1", 0)
    yield one, listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()


def scanned(svg: str) -> str:
    """What a camera reads that looks at the drawing of a QR code."""
    (side,) = re.findall(r'viewBox="0 0 (\d+) \d+"', svg)
    path = re.findall(r'class="qrline"[^>]* d="([^"]+)"', svg) or re.findall(r' d="(M\d+ [^"]+)"', svg)
    size = int(side)
    scale = 4 if "scale(4)" in svg else 1
    rows = [bytearray(b"\xff" * size) for _ in range(size)]
    x = y = 0.0
    for order, numbers in re.findall(r"([Mmh])([^Mmh]*)", path[-1]):
        values = [float(one) for one in re.findall(r"-?[\d.]+", numbers)]
        if order == "M":
            x, y = values
        elif order == "m":
            x, y = x + values[0], y + values[1]
        else:
            left, top = int(x * scale), int((y - 0.5) * scale)
            for row in rows[top : top + scale]:
                row[left : left + int(values[0]) * scale] = bytes(int(values[0]) * scale)
            x += values[0]
    picture = memoryview(b"".join(rows)).cast("B", shape=[size, size])
    (code,) = zxingcpp.read_barcodes(picture)
    return str(code.text)


def fetch(url: str) -> tuple[int, bytes]:
    place = urlsplit(url)
    connection = HTTPConnection(place.netloc, timeout=30)
    try:
        connection.request("GET", place.path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def configured(xml: bytes) -> dict[str, str]:
    """Linphone's settings by section and key."""
    root = etree.fromstring(xml)
    return {
        f"{section.get('name')}.{entry.get('name')}": entry.text or ""
        for section in root.iter(f"{_LPCONFIG}section")
        for entry in section.iter(f"{_LPCONFIG}entry")
    }


async def until_lamp(phone: Baresip, words: str) -> None:
    def seen() -> Sequence[dict[str, Any]]:
        return [one for one in phone.events if one["type"] == "MWI_NOTIFY" and words in str(one)]

    await eventually(seen)


async def test_a_softphone_set_up_by_a_qr_code(tmp_path: Path, mail: tuple[MailServer, int]) -> None:
    taken, port = mail
    (sip,) = free_ports(1)
    (tmp_path / "chappe").mkdir()
    serving = running_server(tmp_path / "chappe", _SETTINGS.format(sip=sip, mail=port))
    server: Server = await asyncio.to_thread(serving.__enter__)
    try:
        account: Account = await asyncio.to_thread(server.create_account, "shop", 200)
        ask = partial(asyncio.to_thread, account.ask)
        await ask("POST", "/v1/lines", {})
        first, second = [one["number"] for one in (await ask("GET", "/v1/lines"))["data"]]
        await ask(
            "PATCH", f"/v1/centrex/{first}", {"voicemail_mail": "jeanne@example.com", "short_number": "201"}
        )
        goes = {"present": {"no_answer": "answerphone", "no_answer_after": 5}}
        await ask("PATCH", f"/v1/lines/{first}", {"profiles": goes, "greeting": "Bonjour."})

        offered = await ask("POST", f"/v1/centrex/{first}/provisioning", {"telephone": "linphone"})
        url = scanned(offered["qr"])
        status, xml = await asyncio.to_thread(fetch, url)
        assert status == 200
        assert (await asyncio.to_thread(fetch, url))[0] == 404  # once
        read = configured(xml)
        found = re.fullmatch(r'"(\d+)" <sip:(\d+)@127\.0\.0\.1:(\d+)>', read["proxy_0.reg_identity"])
        assert found is not None
        assert found[1] == "201"

        other = await ask("POST", f"/v1/lines/{second}/sip-credentials")
        callee = telephone(
            tmp_path / "softphone",
            read["auth_info_0.username"],
            read["auth_info_0.passwd"],
            int(found[3]),
            lamp=True,
        )
        caller = telephone(tmp_path / "caller", other["user"], other["password"], sip, hertz=440)
        async with callee as softphone, caller as phone:
            for number in (first, second):
                await eventually(lambda number=number: registered(ask, number))  # type: ignore[misc]
            await until_lamp(softphone, "Messages-Waiting: no")

            await phone.ask("dial", f"sip:201@127.0.0.1:{sip}")
            await softphone.until("CALL_INCOMING")
            await phone.until("CALL_ESTABLISHED", seconds=30)  # nobody has answered for five seconds
            await eventually(lambda: recorded(ask))
            before = len(phone.heard())
            await eventually(lambda: len(phone.heard()) > before + 2 * pcm.RATE * pcm.WIDTH)  # it says a tone
            await phone.ask("hangup")

            [envelope] = await eventually(lambda: taken.taken)
            assert envelope.rcpt_tos == ["jeanne@example.com"]
            message = message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=default)
            [sound] = message.iter_attachments()
            assert wav.decode(sound.get_payload(decode=True)).rate == 8000

            await until_lamp(softphone, "Voice-Message: 1/0")
            [kept] = (await ask("GET", "/v1/recordings"))["data"]
            place = urlsplit(server.url)
            await asyncio.to_thread(hear, place.netloc, account.rest_key, kept["id"])
            await until_lamp(softphone, "Voice-Message: 0/1")
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


async def registered(ask: Any, number: str) -> object:
    """When a line's telephone has registered."""
    return (await ask("GET", f"/v1/centrex/{number}"))["registered_at"]


async def recorded(ask: Any) -> object:
    """What is being recorded, or was."""
    return (await ask("GET", "/v1/recordings"))["data"]


def hear(host: str, key: str, ref: str) -> None:
    connection = HTTPConnection(host, timeout=30)
    try:
        connection.request("GET", f"/v1/recordings/{ref}/audio", headers={"Authorization": f"Bearer {key}"})
        assert connection.getresponse().read().startswith(b"RIFF")
    finally:
        connection.close()
