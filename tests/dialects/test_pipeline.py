"""The path that every dialect's requests take, apart from what each dialect says."""

import pytest

from tests.asgi import ask
from tests.platform import World


@pytest.mark.parametrize(
    "path", ["/sms/sendSMS.xml", "//sms//sendSMS.xml", "/SMS/SENDSMS.XML", "/sms/sendsms", "/Sms/sendSMS.xml"]
)
async def test_old_base_addresses_find_their_dialect(sandbox_world: World, path: str) -> None:
    new = await sandbox_world.account()
    key = new.secrets["orange"].secret
    reply = await ask(
        sandbox_world.chappe.application, "GET", f"{path}?id={key}&to=33612345678&content=Hello"
    )
    assert "<status_code>200</status_code>" in reply.text


@pytest.mark.parametrize("path", ["//api2/", "/api2", "/API2/"])
async def test_a_doubled_slash_before_xml_rpc(sandbox_world: World, path: str) -> None:
    body = b"<?xml version='1.0'?><methodCall><methodName>clean_number</methodName><params><param><value>" + (
        b"022/364 8000</value></param></params></methodCall>"
    )
    reply = await ask(sandbox_world.chappe.application, "POST", path, body=body)
    assert "41223648000" in reply.text


async def test_a_kept_exchange_shows_no_secret(sandbox_world: World) -> None:
    new = await sandbox_world.account()
    orange, rest = new.secrets["orange"].secret, new.secrets["rest"].secret
    netoxygen = new.secrets["netoxygen"]
    app = sandbox_world.chappe.application
    await ask(app, "GET", f"/sms/sendSMS.xml?id={orange}&to=33612345678&content=Hello")
    spelled = "".join(f"%{byte:02x}" for byte in orange.encode())
    await ask(app, "GET", f"/sms/sendSMS.xml?id={spelled}&to=33612345678&content=Hello")
    params = "".join(
        f"<param><value><string>{word}</string></value></param>"
        for word in (netoxygen.login, netoxygen.secret)
    )
    body = f"<methodCall><methodName>get_credits</methodName><params>{params}</params></methodCall>"
    await ask(app, "POST", "/api2/", body=body.encode())
    headers = {"authorization": f"Bearer {rest}", "content-type": "application/json"}
    subscribed = await ask(
        app, "POST", "/v1/subscriptions", headers=headers, body=b'{"url":"http://127.0.0.1/","events":["*"]}'
    )
    assert "whsec_" in subscribed.text
    await sandbox_world.settle()
    kept = await sandbox_world.platform.store.queries.exchanges(new.account.id, None, 100)
    assert len([exchange for exchange in kept if not exchange.outgoing]) == 4
    for exchange in kept:
        for secret in (orange, spelled, rest, netoxygen.secret, "whsec_"):
            assert secret not in exchange.request + exchange.answer


async def test_a_multipart_form_is_read(sandbox_world: World) -> None:
    new = await sandbox_world.account()
    parts = {"id": new.secrets["orange"].secret, "to": "33612345678", "content": "Été"}
    body = "".join(
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    )
    reply = await ask(
        sandbox_world.chappe.application,
        "POST",
        "/sms/sendSMS.xml",
        headers={"content-type": "multipart/form-data; boundary=limit"},
        body=(body + "--limit--\r\n").encode(),
    )
    assert "<status_code>200</status_code>" in reply.text


async def test_a_broken_multipart_form_is_refused_in_the_dialects_own_words(sandbox_world: World) -> None:
    reply = await ask(
        sandbox_world.chappe.application,
        "POST",
        "/sms/sendSMS.xml",
        headers={"content-type": "multipart/form-data; boundary=limit"},
        body=b"--limit\r\nnonsense",
    )
    assert reply.status == 200
    assert "<status_code>400</status_code>" in reply.text


async def test_a_defect_is_answered_with_a_reference_and_no_traceback(
    sandbox_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = await sandbox_world.account()

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr(sandbox_world.platform.store, "commit", broken)
    key = new.secrets["orange"].secret
    reply = await ask(
        sandbox_world.chappe.application, "GET", f"/sms/sendSMS.xml?id={key}&to=33612345678&content=Hello"
    )
    assert "<status_code>500</status_code>" in reply.text
    assert "reference" in reply.text
    assert "secret inside" not in reply.text


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/v1/messages", '"status":413'), ("/api2/", "<int>413</int>"), ("/sms/sendSMS.xml", ">400<")],
)
async def test_a_body_that_announces_too_much_is_not_waited_for(
    sandbox_world: World, path: str, answer: str
) -> None:
    reply = await ask(
        sandbox_world.chappe.application, "POST", path, headers={"content-length": "999999999999"}, body=b"{"
    )
    assert answer in reply.text


@pytest.mark.parametrize(
    "headers", [{"content-encoding": "gzip"}, {"content-type": "application/json; charset=utf-16"}]
)
async def test_rest_reads_utf_8_only(sandbox_world: World, headers: dict[str, str]) -> None:
    new = await sandbox_world.account()
    headers = {
        "authorization": f"Bearer {new.secrets['rest'].secret}",
        "content-type": "application/json",
        **headers,
    }
    body = b'{"to":"33612345678","text":"x"}'
    reply = await ask(sandbox_world.chappe.application, "POST", "/v1/messages", headers=headers, body=body)
    assert reply.status == 415
