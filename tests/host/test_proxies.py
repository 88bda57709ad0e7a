"""Who asks, behind proxies that are trusted and others that are not."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chappe.host.asking import Quick
from chappe.host.proxies import Proxies
from chappe.model.commands import ChangeLine
from chappe.protocols.http import HttpRequest, HttpResponse
from chappe.services import lines
from chappe.settings import Settings
from tests.asgi import Reply, ask
from tests.platform import World, a_world, caller

NEAR = Proxies.of(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])
SHOP = "203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("127.0.0.1", SHOP, SHOP),
        ("127.0.0.1", f"192.0.2.1, {SHOP}", SHOP),  # the client wrote the first one itself
        ("127.0.0.1", f"192.0.2.1,{SHOP}, 10.1.2.3", SHOP),
        ("::ffff:127.0.0.1", f"::ffff:{SHOP}", SHOP),
        ("10.9.9.9", f"{SHOP}:4711", SHOP),
        ("2001:db8::1", "[2001:db9::7]:4711", "2001:db9::7"),
        ("127.0.0.1", "2001:db9::7", "2001:db9::7"),
        ("192.0.2.7", SHOP, None),  # not ours: its header is its own affair
        ("127.0.0.1", "", None),
        ("127.0.0.1", "127.0.0.1", None),
        ("127.0.0.1", "10.1.1.1, 127.0.0.1", None),
        ("127.0.0.1", f"{SHOP}, unknown", None),
        ("127.0.0.1", f"{SHOP},", None),
        ("127.0.0.1", f"{SHOP}, " + "10.0.0.1, " * 1000 + "10.0.0.1", None),
        ("", SHOP, None),
    ],
)
def test_the_last_address_that_is_not_trusted_is_the_client(
    peer: str, chain: str, client: str | None
) -> None:
    assert NEAR.client(peer, chain) == client


async def test_an_answer_in_one_piece_sees_the_client() -> None:
    seen: list[HttpRequest] = []

    async def answer(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse(200)

    choose = NEAR.choice(lambda path: Quick(answer, 9, lambda: HttpResponse(413)) if path == "/a" else None)
    assert choose("/b") is None
    quick = choose("/a")
    assert quick is not None and quick.body_limit == 9
    for peer in ("127.0.0.1", "192.0.2.7"):
        headers = {"x-forwarded-for": SHOP, "x-real-ip": SHOP, "host": "h"}
        await quick.answer(HttpRequest("GET", "h", "/a", b"/a", b"", headers, b"", peer=peer))
    assert [one.peer for one in seen] == [SHOP, "192.0.2.7"]
    assert [sorted(one.headers) for one in seen] == [["host"], ["host", "x-forwarded-for", "x-real-ip"]]


@pytest.mark.parametrize(
    ("peer", "headers", "relayed"),
    [
        ("127.0.0.1", {}, False),
        ("127.0.0.1", {"x-forwarded-for": SHOP}, True),
        ("172.17.0.1", {"forwarded": f"for={SHOP}"}, True),
        ("::1", {"x-real-ip": SHOP}, True),
        ("", {"x-real-ip": SHOP}, True),
        ("100.64.0.7", {"x-forwarded-for": SHOP}, True),
        ("::ffff:10.0.0.1", {"x-forwarded-for": SHOP}, True),
        ("8.8.8.8", {"x-forwarded-for": "192.168.1.7"}, False),  # a customer's own proxy on its way out
        ("::ffff:8.8.8.8", {"x-forwarded-for": "192.168.1.7"}, False),
    ],
)
def test_a_near_proxy_is_not_taken_for_the_client(peer: str, headers: dict[str, str], relayed: bool) -> None:
    request = HttpRequest("GET", "h", "/a", b"/a", b"", headers, b"", peer=peer)
    assert request.is_relayed is relayed


async def send_as_line(world: World, sources: str, chain: str) -> Reply:
    """A Keyyo request through a proxy on this machine, for a line that is open to these addresses."""
    new = await world.account()
    line = new.secrets["keyyo"].login
    await lines.change_line(world.platform, caller(new), ChangeLine(line, allowed_sources=sources))
    target = f"/sendsms.html?ACCOUNT={line}&CALLEE=0612345678&MSG=a"
    headers = {"X-Forwarded-For": chain} if chain else {}
    return await ask(world.chappe.application, "GET", target, headers=headers)


async def test_behind_a_trusted_proxy_lines_know_their_programs(tmp_path: Path) -> None:
    settings = Settings(trusted_proxies=("127.0.0.1",))
    for sources, chain, status in (
        (SHOP, SHOP, 200),
        (SHOP, f"{SHOP}, 192.0.2.1", 401),
        ("127.0.0.1", SHOP, 401),
        ("127.0.0.1", "", 200),
    ):
        async with a_world(str(tmp_path / f"{sources}{len(chain)}"), settings) as world:
            assert (await send_as_line(world, sources, chain)).status == status


async def test_a_proxy_that_nobody_trusts_opens_no_line_and_is_warned_of(sandbox_world: World) -> None:
    with capture_logs() as said:
        reply = await send_as_line(sandbox_world, "127.0.0.1", SHOP)
    assert reply.status == 401
    assert "Digest" in reply.headers["www-authenticate"]
    assert reply.text.endswith("because it is that of a proxy (setting trusted_proxies)")
    [warning] = [one for one in said if one["log_level"] == "warning"]
    assert "trusted_proxies" in warning["event"] and warning["proxy"] == "127.0.0.1"


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_page_and_its_websocket_see_the_client(kind: str) -> None:
    seen: list[dict[str, object]] = []

    async def page(scope: dict[str, object], receive: object, send: object) -> None:
        seen.append(scope)

    scope = {"type": kind, "client": ("127.0.0.1", 9), "headers": [(b"x-forwarded-for", SHOP.encode())]}
    await NEAR.application(page)(scope, None, None)  # type: ignore[arg-type]
    assert (seen[0]["client"], seen[0]["headers"]) == ((SHOP, 0), [])
