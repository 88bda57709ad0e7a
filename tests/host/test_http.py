"""Requests to customers' servers: what is reached, what is refused, and what can never be reached."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import pytest

from chappe.host.addresses import is_permitted, read_address
from chappe.host.errors import TargetFailed, TargetRefused
from chappe.host.http import GuardedClient
from chappe.model.outgoing import Outgoing


def table(text: str) -> list[str]:
    return text.split()


LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

# Every line is one way to write a URL that leads to a place a customer has no business with.
FORBIDDEN_URLS = table("""
http://127.0.0.1:{port}/ http://127.0.0.1.:{port}/ http://127.1:{port}/ http://127.0.1:{port}/
http://127.1.:{port}/ http://2130706433:{port}/ http://017700000001:{port}/ http://0x7f000001:{port}/
http://0X7F000001:{port}/ http://0x7f.1:{port}/ http://0x7f.0x0.0x0.0x1:{port}/ http://0177.0.0.1:{port}/
http://0177.0.0.01:{port}/ http://00000177.0.0.1:{port}/ http://0x0000007f.0.0.1:{port}/
http://127.0.0.0x1:{port}/ http://127.0x1:{port}/ http://127.00000000000001:{port}/ http://127.65535:{port}/
http://127.255.255.254:{port}/ http://127.000.000.001:{port}/ http://１２７.0.0.1:{port}/
http://①②⑦.0.0.1:{port}/ http://127。0。0。1:{port}/ http://127｡0｡0｡1:{port}/ http://０x7f.1:{port}/
http://127.0.0.1:{port}#@example.com/ http://example.com@127.0.0.1:{port}/ http://a:b@127.0.0.1:{port}/
http://example.com:80@127.0.0.1:{port}/ http://a@b@127.0.0.1:{port}/ http://127.0.0.1:{port}?@example.com/
HTTP://127.0.0.1:{port}/ https://127.0.0.1:{port}/ http://0:{port}/ http://0.0.0.0:{port}/ http://0x0:{port}/
http://0x:{port}/ http://00:{port}/ http://0.1:{port}/ http://[::1]:{port}/ http://[0:0:0:0:0:0:0:1]:{port}/
http://[::0001]:{port}/ http://[::]:{port}/ http://[::127.0.0.1]:{port}/ http://[::7f00:1]:{port}/
http://[::ffff:127.0.0.1]:{port}/ http://[::ffff:7f00:1]:{port}/ http://[::FFFF:7F00:0001]:{port}/
http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/ http://[::ffff:0.0.0.0]:{port}/ http://[::ffff:10.0.0.1]:{port}/
http://[::ffff:0:127.0.0.1]:{port}/ http://[64:ff9b::127.0.0.1]:{port}/ http://[64:ff9b::7f00:1]:{port}/
http://[64:ff9b::10.1.2.3]:{port}/ http://[64:ff9b::a9fe:a9fe]:{port}/ http://[64:ff9b:1::7f00:1]:{port}/
http://[64:ff9b:1::808:808]:{port}/ http://[2002:7f00:1::]:{port}/ http://[2002:7f00:0001::1]:{port}/
http://[2002:c0a8:101::1]:{port}/ http://[2002:a9fe:a9fe::]:{port}/ http://[2001:0:7f00:1::]:{port}/
http://[2001:0:808:808:0:0:80ff:fffe]:{port}/ http://[2001:0:808:808::f5ff:fffe]:{port}/
http://[2001::1]:{port}/ http://[2001:2::1]:{port}/ http://[2001:10::1]:{port}/ http://[2001:20::1]:{port}/
http://[2001:db8::1]:{port}/ http://[3fff::1]:{port}/ http://[5f00::1]:{port}/ http://[100::1]:{port}/
http://[fe80::1]:{port}/ http://[fe80::1%25eth0]:{port}/ http://[fe80::1%25lo]:{port}/ http://[fec0::1]:{port}/
http://[febf::1]:{port}/ http://[fc00::1]:{port}/ http://[fd00::1]:{port}/ http://[fd00:ec2::254]:{port}/
http://[fdff:ffff::1]:{port}/ http://[ff02::1]:{port}/ http://[ff0e::1]:{port}/ http://[4000::1]:{port}/
http://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:{port}/ http://10.0.0.1/ http://10.255.255.255/ http://10.1/
http://167772161/ http://0xa000001/ http://012.0.0.1/ http://172.16.0.1/ http://172.31.255.255/
http://0xac.0x10.0.1/ http://192.168.0.1/ http://192.168.1/ http://3232235777/ http://0300.0250.1.1/
http://169.254.169.254/latest/meta-data/ http://2852039166/ http://0xa9fea9fe/ http://0251.0376.0251.0376/
http://169.254.43518/ http://169.16689662/ http://[::ffff:169.254.169.254]/ http://[::ffff:a9fe:a9fe]/
http://100.64.0.1/ http://100.100.100.200/ http://100.127.255.255/ http://192.0.0.1/ http://192.0.0.192/
http://192.0.2.1/ http://198.51.100.7/ http://203.0.113.9/ http://192.88.99.1/ http://198.18.0.1/
http://198.19.255.255/ http://224.0.0.1/ http://239.255.255.250/ http://240.0.0.1/ http://255.255.255.255/
http://4294967295/ http://0xffffffff/ http://037777777777/ http://0.255.255.255/
""")

# Not addresses, not names, or not HTTP: nothing is looked up and nothing is sent.
MALFORMED_URLS = table("""
http:///x http://:{port}/ http: http:127.0.0.1 //127.0.0.1/ 127.0.0.1:{port} file:///etc/passwd
ftp://127.0.0.1/ gopher://127.0.0.1:{port}/_x dict://127.0.0.1:{port}/ unix:///var/run/docker.sock
javascript:alert(1) data:text/plain,x ws://127.0.0.1:{port}/ http+unix://%2fvar%2frun%2fdocker.sock/
http://127.0.0.256/ http://256.0.0.1/ http://1.2.3.4.5/ http://127.0.0.1.2/ http://4294967296/ http://08.8.8.8/
http://0x100000000/ http://example.0x7f/ http://example.1/ http://1_27.0.0.1/ http://+127.0.0.1/
http://127%2e0.0.1/ http://%31%32%37.0.0.1/ http://127.0.0.1%00.example.com/ http://127.0.0.1\\@example.com/
http://example.com\\@127.0.0.1/ http://[::1 http://::1/ http://[127.0.0.1]/ http://[::1%25lo]:{port}/
http://127.0.0.1:99999/ http://127.0.0.1:x/ http://.127.0.0.1/ http://127..0.1/ http://./
http://../ http://-:{port}:{port}/ http://exa$mple.com/
""")

PUBLIC = table("""
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255
198.20.0.0 203.0.112.255 203.0.114.0 223.255.255.255 2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450::1
3ffe::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1
""")


class Receiver:
    """A server of somebody: keeps every request head it got, answers always the same, may never answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[str] = []
        self.connections = 0
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head.decode("latin-1"))
                writer.write(self.answer)
                await writer.drain()
                if b"connection: close" in self.answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def answer(body: bytes = b"ok", status: str = "200 OK", *headers: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers))
    return head.encode() + b"\r\n" + body


@asynccontextmanager
async def receiver(text: bytes = answer(), host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Receiver]:
    one = Receiver(text)
    server = await asyncio.start_server(one.talk, host, port)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def client(
    *answers: Sequence[str], allow: Sequence[object] = LOOPBACK, **settings: object
) -> AsyncIterator[GuardedClient]:
    """A client whose resolver gives these answers in turn; looking up more names than that is an error."""
    waiting = list(answers)

    async def resolve(name: str, port: int) -> Sequence[str]:
        if not waiting:
            raise AssertionError(f"{name} was looked up once too often")
        return waiting.pop(0)

    one = GuardedClient(allow=allow, resolve=resolve, **settings)  # type: ignore[arg-type]
    try:
        yield one
    finally:
        await one.close()
    assert not waiting, "a name was not looked up"


@pytest.fixture
async def trap() -> AsyncIterator[Receiver]:
    """A server that nothing may reach."""
    async with receiver(answer(b"secret")) as one:
        yield one
    assert one.connections == 0


def test_the_tables_are_long_enough() -> None:
    assert len(set(FORBIDDEN_URLS)) == len(FORBIDDEN_URLS) >= 120
    assert len(set(MALFORMED_URLS)) == len(MALFORMED_URLS) >= 40


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
async def test_a_forbidden_address_is_refused_in_every_spelling(url: str, trap: Receiver) -> None:
    async with client(allow=()) as guarded:
        with pytest.raises(TargetRefused, match=r"is not a public address.*\[outgoing\] allow|malformed"):
            await guarded.send(Outgoing("GET", url.format(port=trap.port)))


async def test_a_refusal_names_the_address_behind_a_spelling_and_the_setting() -> None:
    async with client(allow=()) as guarded:
        with pytest.raises(TargetRefused) as refusal:
            await guarded.send(Outgoing("GET", "http://0x7f.1/"))
    assert refusal.value.detail == (
        "127.0.0.1, the address of 0x7f.1, is not a public address. If it may be called, add its network "
        'to the setting [outgoing] allow, for example allow = ["127.0.0.1/32"]'
    )


async def test_no_socket_is_made_for_a_forbidden_address_even_past_the_check_of_the_url(
    trap: Receiver,
) -> None:
    async with client(allow=()) as guarded:
        with pytest.raises(TargetRefused):
            await guarded._socket("127.0.0.1", trap.port)


@pytest.mark.parametrize("url", MALFORMED_URLS)
async def test_a_malformed_url_is_refused_even_where_everything_is_allowed(url: str, trap: Receiver) -> None:
    async with client(allow=(ip_network("0.0.0.0/0"), ip_network("::/0"))) as guarded:
        with pytest.raises(TargetRefused, match=r"malformed|does not begin with http"):
            await guarded.send(Outgoing("GET", url.format(port=trap.port)))


@pytest.mark.parametrize(
    "url", ["http://a\r\nb/", "http://127.0.0.1/\nx", "http://127.0.0.1/\x00", "http://h/\tx"]
)
async def test_control_characters_in_a_url_are_refused(url: str) -> None:
    async with client() as guarded:
        with pytest.raises(TargetRefused, match="control character"):
            await guarded.send(Outgoing("GET", url))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert is_permitted(ip_address(address))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("010.8.8.8", "8.8.8.8"),
        ("0x8.8.8.8", "8.8.8.8"),
        ("8.8.2056", "8.8.8.8"),
        ("8.526344", "8.8.8.8"),
        ("134744072", "8.8.8.8"),
        ("0.0.0.0.", "0.0.0.0"),
        ("::ffff:8.8.8.8", "::ffff:8.8.8.8"),
    ],
)
def test_an_address_is_read_as_browsers_read_it(host: str, address: str) -> None:
    assert read_address(host) == ip_address(address)


@pytest.mark.parametrize("host", ["example.com", "localhost", "0x7g", "127.0.0.1.example", "1e3", "a.0b"])
def test_a_name_is_not_an_address(host: str) -> None:
    assert read_address(host) is None


@pytest.mark.parametrize(
    "spelling", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "0177.1"]
)
async def test_an_allowed_network_is_reached_in_every_spelling(spelling: str) -> None:
    async with receiver() as server, client() as guarded:
        got = await guarded.send(Outgoing("GET", f"http://{spelling}:{server.port}/inbound?x=%E9&y=%41+b;c~"))
    assert (got.status, got.body) == (200, b"ok")
    assert server.heads[0].startswith("GET /inbound?x=%E9&y=%41+b;c~ HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%lo"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::a00:1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["2606:4700:4700::1111", "fd00::1"],
    ],
)
async def test_a_name_with_one_forbidden_address_is_refused(found: list[str], trap: Receiver) -> None:
    async with client(found, allow=()) as guarded:
        with pytest.raises(TargetRefused, match=r"the address of receiver\.example, is not a public"):
            await guarded.send(Outgoing("GET", f"http://receiver.example:{trap.port}/"))


async def test_a_name_whose_answer_changes_between_two_requests_never_reaches_the_second_place() -> None:
    # 127.0.0.2 plays the public server, 127.0.0.1 the inside of our network, on the same port.
    once = answer(b"ok", "200 OK", "connection: close")
    async with (
        receiver(once, "127.0.0.2") as public,
        receiver(answer(b"secret"), "127.0.0.1", public.port) as inside,
        client(["127.0.0.2"], ["127.0.0.1"], allow=(ip_network("127.0.0.2/32"),)) as guarded,
    ):
        outgoing = Outgoing("GET", f"http://receiver.example:{public.port}/")
        assert (await guarded.send(outgoing)).body == b"ok"
        with pytest.raises(TargetRefused):
            await guarded.send(outgoing)
    assert (public.connections, inside.connections) == (1, 0)


async def test_the_connection_goes_to_the_checked_address_and_host_keeps_the_name() -> None:
    async with receiver(host="127.0.0.2") as server, client(["127.0.0.2"]) as guarded:
        # The resolver answers once: a second lookup between the check and the connection would fail here.
        got = await guarded.send(Outgoing("POST", f"http://Receiver.Example:{server.port}/x", {}, b"body"))
    assert got.status == 200
    assert f"\r\nhost: receiver.example:{server.port}\r\n" in server.heads[0].lower()


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_tls_asks_for_the_name_and_a_broken_handshake_is_temporary(reply: bytes) -> None:
    hello: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.set_result(await reader.read(4096))
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server, client(["127.0.0.1"]) as guarded:
        with pytest.raises(TargetFailed):
            await guarded.send(
                Outgoing("GET", f"https://receiver.example:{server.sockets[0].getsockname()[1]}/")
            )
    assert b"receiver.example" in await hello


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 For ever"])
async def test_a_redirect_is_an_answer_and_is_not_followed(status: str, trap: Receiver) -> None:
    location = f"location: http://127.0.0.1:{trap.port}/"
    async with receiver(answer(b"", status, location), "127.0.0.2") as server, client() as guarded:
        got = await guarded.send(Outgoing("GET", f"http://127.0.0.2:{server.port}/"))
    assert got.status == int(status[:3])
    assert got.headers["location"] == f"http://127.0.0.1:{trap.port}/"


async def test_a_long_body_is_cut_and_the_connection_is_not_used_again() -> None:
    async with receiver(answer(b"x" * 1_000_000)) as server, client(body_limit=1000) as guarded:
        for _ in range(2):
            got = await guarded.send(Outgoing("GET", f"http://127.0.0.1:{server.port}/"))
            assert got.body == b"x" * 1000
    assert server.connections == 2


async def test_a_body_without_end_is_cut() -> None:
    endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n"
    async with receiver(endless) as server, client(body_limit=1024) as guarded:
        assert (await guarded.send(Outgoing("GET", f"http://127.0.0.1:{server.port}/"))).body == b"x" * 1024


async def test_a_compressed_body_is_neither_asked_for_nor_unpacked() -> None:
    packed = gzip.compress(b"0" * 10_000_000)
    text = answer(packed, "200 OK", "content-encoding: gzip")
    async with receiver(text) as server, client() as guarded:
        got = await guarded.send(Outgoing("GET", f"http://127.0.0.1:{server.port}/"))
    assert got.body == packed
    assert "\r\naccept-encoding: identity\r\n" in server.heads[0].lower()


async def test_a_connection_is_kept_for_the_next_request_and_cookies_are_not() -> None:
    text = answer(b"ok", "200 OK", "set-cookie: a=1", "set-cookie: b=2")
    async with receiver(text) as server, client(["127.0.0.1"]) as guarded:
        for _ in range(3):
            got = await guarded.send(Outgoing("GET", f"http://receiver.example:{server.port}/"))
    assert (server.connections, len(server.heads)) == (1, 3)
    assert got.headers["set-cookie"] == "a=1, b=2"
    assert "cookie:" not in "".join(server.heads).lower()


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch, trap: Receiver) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    async with receiver() as server, client(["127.0.0.1"]) as guarded:
        assert (await guarded.send(Outgoing("GET", f"http://receiver.example:{server.port}/"))).body == b"ok"


@pytest.mark.parametrize(
    ("userinfo", "header"),
    [
        ("jade:secret", "Basic amFkZTpzZWNyZXQ="),
        ("jade", "Basic amFkZTo="),
        (":secret", "Basic OnNlY3JldA=="),
        ("ja%3Ade:p%C3%A9", "Basic amE6ZGU6cMOp"),
    ],
)
async def test_credentials_of_the_url_become_a_header(userinfo: str, header: str) -> None:
    async with receiver() as server, client() as guarded:
        await guarded.send(Outgoing("GET", f"http://{userinfo}@127.0.0.1:{server.port}/x"))
    assert f"\r\nAuthorization: {header}\r\n" in server.heads[0]
    assert f"\r\nHost: 127.0.0.1:{server.port}\r\n" in server.heads[0]


async def test_the_requests_own_authorization_wins_over_the_urls() -> None:
    async with receiver() as server, client() as guarded:
        await guarded.send(
            Outgoing("GET", f"http://a:b@127.0.0.1:{server.port}/", {"authorization": "Bearer x"})
        )
    assert [line for line in server.heads[0].lower().split("\r\n") if "authorization" in line] == [
        "authorization: bearer x"
    ]


async def test_credentials_are_not_repeated_in_a_refusal() -> None:
    async with client() as guarded:
        with pytest.raises(TargetRefused) as refusal:
            await guarded.send(Outgoing("GET", "http://jade:secret@exa$mple/"))
    assert "secret" not in str(refusal.value)


async def test_a_url_in_other_letters_is_encoded() -> None:
    async with receiver() as server, client(["127.0.0.1"]) as guarded:
        await guarded.send(Outgoing("GET", f"http://bücher.example:{server.port}/é?q=ça va"))
    assert server.heads[0].startswith("GET /%C3%A9?q=%C3%A7a+va HTTP/1.1\r\n")
    assert f"host: xn--bcher-kva.example:{server.port}" in server.heads[0].lower()


@pytest.mark.parametrize(
    ("method", "headers"), [("GET", {"x": "a\r\nb: c"}), ("GE T", {}), ("GET", {"x\r\ny": ""})]
)
async def test_a_request_that_would_smuggle_lines_is_refused(method: str, headers: dict[str, str]) -> None:
    async with receiver() as server, client() as guarded:
        with pytest.raises(TargetRefused, match="cannot be sent"):
            await guarded.send(Outgoing(method, f"http://127.0.0.1:{server.port}/", headers))
    assert server.heads == []


async def test_a_port_outside_the_list_is_refused(trap: Receiver) -> None:
    async with client(ports=(80, 443)) as guarded:
        with pytest.raises(TargetRefused, match=rf"port {trap.port}; permitted are 80, 443"):
            await guarded.send(Outgoing("GET", f"http://127.0.0.1:{trap.port}/"))


async def test_a_server_that_does_not_answer_in_time_is_a_temporary_failure() -> None:
    async with receiver(b"") as server, client(total_seconds=0.05) as guarded:
        with pytest.raises(TargetFailed, match=r"did not answer within 0\.05 s|in time"):
            await guarded.send(Outgoing("GET", f"http://127.0.0.1:{server.port}/"))


async def test_a_server_that_stops_within_the_body_is_a_temporary_failure() -> None:
    half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"
    async with receiver(half) as server, client(total_seconds=0.05) as guarded:
        with pytest.raises(TargetFailed, match=r"did not answer|in time"):
            await guarded.send(Outgoing("GET", f"http://127.0.0.1:{server.port}/"))


async def test_a_refused_connection_is_a_temporary_failure() -> None:
    async with receiver() as server:
        port = server.port
    async with client() as guarded:
        with pytest.raises(TargetFailed, match=f"No connection to 127.0.0.1:{port}: connection refused$"):
            await guarded.send(Outgoing("GET", f"http://127.0.0.1:{port}/"))


async def test_a_name_without_address_is_a_temporary_failure() -> None:
    async with client([]) as guarded:
        with pytest.raises(TargetFailed, match=r"could not be resolved: receiver\.example has no address"):
            await guarded.send(Outgoing("GET", "http://receiver.example/"))


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 20000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_http_is_a_temporary_failure(garbage: bytes) -> None:
    async with receiver(garbage) as server, client() as guarded:
        with pytest.raises(TargetFailed, match="broke off"):
            await guarded.send(Outgoing("GET", f"http://127.0.0.1:{server.port}/"))


async def test_a_client_works_again_after_it_was_closed() -> None:
    async with receiver() as server, client() as guarded:
        for _ in range(2):
            assert (await guarded.send(Outgoing("GET", f"http://127.0.0.1:{server.port}/"))).status == 200
            await guarded.close()
