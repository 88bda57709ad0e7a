"""Another account's things do not exist: the same answer as for what nobody has, on every wire."""

import json
from datetime import timedelta

import pytest

from chappe.dialects.rest.operations import OPERATIONS
from chappe.media import pcm, tones, wav
from chappe.model.calls import Recorded, Recording, RecordingPurpose
from chappe.services import accounts, consents, recordings
from chappe.services.accounts import NewAccount
from tests.asgi import Reply
from tests.journeys.wires import Capitole, Keyyo, NetOxygen, Orange, Rest
from tests.platform import World
from tests.services.asking import ALICE, from_phone, send_one

PHONE = "33639980001"
UNKNOWN_NUMBER = "33698765432"
UNKNOWN_REF = "0" * 26
UNKNOWN_ID = "154150738000000000"
STYLE = (b"button { color: teal }", "text/css")
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260301T000000Z\r\n"
    b"DTSTART;VALUE=DATE:20260405\r\nSUMMARY:Easter\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    "text/calendar",
)


async def _lived_in(world: World, new: NewAccount) -> dict[str, str]:
    """One of everything, made through the wire; the path's parameter by the operation's resource."""
    rest = Rest(world, new)
    posted = {}
    for name, path, body in (
        ("messages", "/v1/messages", {"to": ALICE, "text": "secret", "send_at": _later(world)}),
        ("keywords", "/v1/keywords", {"short_code": "20345", "word": "secret"}),
        ("subscriptions", "/v1/subscriptions", {"url": "https://secret.example", "events": ["*"]}),
        ("blacklist", "/v1/blacklist", {"number": "33611111111", "reason": "secret"}),
        ("conferences", "/v1/conferences", {"name": "secret", "participants": [{"number": ALICE}]}),
        (
            "announcements",
            "/v1/announcements",
            {"to": ALICE, "say": "secret", "reference": "to be told", "starts_at": _later(world)},
        ),
        ("calls", "/v1/calls", {"from": PHONE, "to": ALICE, "reference": "secret", "longest_seconds": 60}),
    ):
        reply = await rest.call("POST", path, body)
        assert reply.status == 201, reply
        posted[name] = json.loads(reply.body)
    consent = {"numbers": ALICE, "source": "secret form"}
    assert (await rest.call("POST", "/v1/consents", consent)).status == 201
    await consents.give_sender(world.platform, new.account, "Secret")
    await send_one(world, new, text="secret")
    await world.settle()
    uploaded = await rest.upload("/v1/sounds?name=secret", pcm.to_alaw(tones.sine(440, 1)), "audio/PCMA")
    assert uploaded.status == 201, uploaded
    call = await world.platform.store.queries.call_by_ref(new.account.id, posted["calls"]["id"])
    recording = Recording(
        id=world.platform.ids.new_id(),
        ref=world.platform.ids.new_ref(),
        account_id=new.account.id,
        call_id=call.id,
        leg_id=None,
        purpose=RecordingPurpose.CALL,
        started_at=world.clock.now(),
    )
    await recordings.begin(world.platform, call, recording)
    path = recordings.unfinished(world.platform, recording.id)
    wav.write(path, tones.sine(440, 1))
    await recordings.keep(
        world.platform, call, recording, Recorded(recording.id, world.clock.now(), 1.0, str(path))
    )
    spans = [{"day": "monday", "opens": "9:00", "closes": "12:00"}]
    reply = await rest.call("POST", "/v1/opening-hours", {"name": "secret", "spans": spans})
    assert reply.status == 201, reply
    group = {"operators": [{"number": PHONE, "name": "secret"}]}
    reply = await rest.call("PUT", "/v1/ring-groups/secret", group)
    assert reply.status < 300, reply
    assert (await rest.call("POST", "/v1/blocked-addresses", {"address": "192.0.2.7"})).status < 300
    reply = await rest.call("POST", "/v1/popups", {"name": "secret"})
    assert reply.status == 201, reply
    popup = json.loads(reply.body)["id"]
    reply = await rest.upload(f"/v1/popups/{popup}/files/style?name=secret.css", *STYLE, "PUT")
    assert reply.status == 204, reply
    asked = {"popup": popup, "visitor": ALICE, "at": _later(world), "name": "secret"}
    reply = await rest.call("POST", "/v1/callbacks", asked)
    assert reply.status == 201, reply
    legs = await rest.get(f"/v1/sandbox/handsets/{PHONE}/calls")
    numbers = await rest.get("/v1/numbers")
    deliveries = await rest.get("/v1/deliveries")
    await from_phone(world, new, "20345", "secret")
    return {
        "messages": posted["messages"]["messages"][0]["id"],
        "keywords": posted["keywords"]["id"],
        "subscriptions": posted["subscriptions"]["id"],
        "blacklist": "33611111111",
        "lines": new.secrets["keyyo"].login,
        "numbers": numbers["data"][0]["number"],
        "deliveries": deliveries["data"][0]["id"],
        "sandbox": ALICE,
        "calls": posted["calls"]["id"],
        "conferences": posted["conferences"]["id"],
        "announcements": posted["announcements"]["id"],
        "participant": posted["conferences"]["participants"][0]["id"],
        "leg": legs["data"][0]["id"],
        "recordings": recording.ref,
        "sounds": json.loads(uploaded.body)["id"],
        "consents": ALICE,
        "senders": "Secret",
        "opening-hours": "secret",
        "ring-groups": "secret",
        "popups": popup,
        "callbacks": json.loads(reply.body)["id"],
        "centrex": new.secrets["keyyo"].login,
    }


def _later(world: World) -> str:
    return (world.clock.now() + timedelta(hours=1)).isoformat()


# Every operation of REST that names a thing: its body, and a name that nobody has.
NAMED: dict[str, tuple[object, str]] = {
    "GET /v1/messages/{id}": (None, UNKNOWN_REF),
    "POST /v1/messages/{id}/cancel": (None, UNKNOWN_REF),
    "PATCH /v1/numbers/{number}": ({"email": "me@shop.example"}, UNKNOWN_NUMBER),
    "DELETE /v1/numbers/{number}": (None, UNKNOWN_NUMBER),
    "GET /v1/lines/{number}": (None, UNKNOWN_NUMBER),
    "PATCH /v1/lines/{number}": ({"allowed_sources": "192.0.2.1"}, UNKNOWN_NUMBER),
    "POST /v1/lines/{number}/sip-credentials": (None, UNKNOWN_NUMBER),
    "PATCH /v1/keywords/{id}": ({"email": "me@shop.example"}, UNKNOWN_ID),
    "DELETE /v1/keywords/{id}": (None, UNKNOWN_ID),
    "DELETE /v1/blacklist/{number}": (None, UNKNOWN_NUMBER),
    "GET /v1/subscriptions/{id}": (None, UNKNOWN_REF),
    "PATCH /v1/subscriptions/{id}": ({"enabled": False}, UNKNOWN_REF),
    "DELETE /v1/subscriptions/{id}": (None, UNKNOWN_REF),
    "POST /v1/deliveries/{id}/replay": (None, UNKNOWN_ID),
    "DELETE /v1/consents/{number}": (None, UNKNOWN_NUMBER),
    "DELETE /v1/senders/{sender}": (None, "Nobody"),
    "GET /v1/calls/{id}": (None, UNKNOWN_REF),
    "POST /v1/calls/{id}/hangup": (None, UNKNOWN_REF),
    "GET /v1/conferences/{id}": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/participants": ({"participants": [{"number": PHONE}]}, UNKNOWN_REF),
    "POST /v1/conferences/{id}/participants/{participant}/call": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/participants/{participant}/mute": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/participants/{participant}/unmute": (None, UNKNOWN_REF),
    "DELETE /v1/conferences/{id}/participants/{participant}": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/lock": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/unlock": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/record": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/record/stop": (None, UNKNOWN_REF),
    "POST /v1/conferences/{id}/end": (None, UNKNOWN_REF),
    "GET /v1/announcements/{id}": (None, UNKNOWN_REF),
    "POST /v1/announcements/{id}/cancel": (None, UNKNOWN_REF),
    "POST /v1/calls/{id}/transfer": ({"leg": "first", "to": ALICE}, UNKNOWN_REF),
    "POST /v1/calls/{id}/pick-up": ({"line": PHONE}, UNKNOWN_REF),
    "POST /v1/calls/{id}/play": ({"leg": "first", "say": "hi"}, UNKNOWN_REF),
    "POST /v1/calls/{id}/stop": ({"leg": "first"}, UNKNOWN_REF),
    "POST /v1/calls/{id}/keys": ({"leg": "first", "keys": "1"}, UNKNOWN_REF),
    "POST /v1/calls/{id}/mute": ({"leg": "first"}, UNKNOWN_REF),
    "POST /v1/calls/{id}/record": ({}, UNKNOWN_REF),
    "POST /v1/calls/{id}/legs/{leg}/hangup": (None, UNKNOWN_REF),
    "GET /v1/recordings/{id}": (None, UNKNOWN_REF),
    "GET /v1/recordings/{id}/audio": (None, UNKNOWN_REF),
    "DELETE /v1/recordings/{id}": (None, UNKNOWN_REF),
    "GET /v1/sounds/{id}": (None, UNKNOWN_REF),
    "GET /v1/sounds/{id}/audio": (None, UNKNOWN_REF),
    "DELETE /v1/sounds/{id}": (None, UNKNOWN_REF),
    "GET /v1/opening-hours/{name}": (None, "nobody"),
    "GET /v1/opening-hours/{name}/state": (None, "nobody"),
    "DELETE /v1/opening-hours/{name}": (None, "nobody"),
    "PUT /v1/opening-hours/{name}": ({"spans": []}, "nobody"),
    "POST /v1/opening-hours/{name}/import": (CALENDAR, "nobody"),
    "GET /v1/ring-groups/{name}": (None, "nobody"),
    "DELETE /v1/ring-groups/{name}": (None, "nobody"),
    "DELETE /v1/ring-groups/{name}/operators/{operator}": (None, "nobody"),
    "GET /v1/popups/{id}": (None, UNKNOWN_REF),
    "PATCH /v1/popups/{id}": ({"open_message": "hi"}, UNKNOWN_REF),
    "DELETE /v1/popups/{id}": (None, UNKNOWN_REF),
    "GET /v1/popups/{id}/destinations": (None, UNKNOWN_REF),
    "POST /v1/popups/{id}/destinations": ({"destinations": ["FR_Mobile"], "allowed": True}, UNKNOWN_REF),
    "GET /v1/popups/{id}/files": (None, UNKNOWN_REF),
    "GET /v1/popups/{id}/files/{file}": (None, UNKNOWN_REF),
    "PUT /v1/popups/{id}/files/{file}": (STYLE, UNKNOWN_REF),
    "DELETE /v1/popups/{id}/files/{file}": (None, UNKNOWN_REF),
    "GET /v1/callbacks/{id}": (None, UNKNOWN_REF),
    "POST /v1/callbacks/{id}/cancel": (None, UNKNOWN_REF),
    "GET /v1/centrex/{number}": (None, UNKNOWN_NUMBER),
    "PATCH /v1/centrex/{number}": ({"site": "Lyon"}, UNKNOWN_NUMBER),
    "POST /v1/centrex/{number}/provisioning": (None, UNKNOWN_NUMBER),
}

# What is put under a name that is free makes a thing of one's own.
MAKES_OWN: dict[str, object] = {
    "PUT /v1/ring-groups/{name}": {"order": "random"},
    "PUT /v1/ring-groups/{name}/operators/{operator}": {"position": 5},
}

TOO_EARLY = {
    "POST /v1/calls/{id}/transfer",
    "POST /v1/calls/{id}/pick-up",
    "POST /v1/conferences/{id}/participants/{participant}/mute",
    "POST /v1/conferences/{id}/participants/{participant}/unmute",
}

# Every telephone is there for everybody, and shows each account its own traffic.
TELEPHONES = {
    "GET /v1/sandbox/handsets/{number}/messages": None,
    "POST /v1/sandbox/handsets/{number}/messages": {"to": "20345", "text": "hi"},
    "PUT /v1/sandbox/handsets/{number}/behaviour": {"receipt": "none"},
    "GET /v1/sandbox/handsets/{number}/calls": None,
    "POST /v1/sandbox/handsets/{number}/calls": {"to": "123"},
}

# What rang at a telephone is its caller's.
AT_TELEPHONES = {
    "POST /v1/sandbox/handsets/{number}/calls/{id}/keys": {"keys": "1"},
    "POST /v1/sandbox/handsets/{number}/calls/{id}/answer": None,
    "POST /v1/sandbox/handsets/{number}/calls/{id}/reject": None,
    "POST /v1/sandbox/handsets/{number}/calls/{id}/hangup": None,
    "GET /v1/sandbox/handsets/{number}/calls/{id}/heard": None,
}

LISTS = {
    "GET /v1/messages",
    "GET /v1/account",
    "GET /v1/account/ledger",
    "GET /v1/numbers",
    "GET /v1/keywords",
    "GET /v1/blacklist",
    "GET /v1/subscriptions",
    "GET /v1/deliveries",
    "GET /v1/sandbox/handsets",
    "GET /v1/rules",
    "GET /v1/consents",
    "GET /v1/senders",
    "GET /v1/calls",
    "GET /v1/conferences",
    "GET /v1/announcements",
    "GET /v1/recordings",
    "GET /v1/sounds",
    "GET /v1/voices",
    "GET /v1/opening-hours",
    "GET /v1/ring-groups",
    "GET /v1/popups",
    "GET /v1/callbacks",
    "GET /v1/blocked-addresses",
    "GET /v1/programs",
}


# The network is nobody's own: operators see it whole, others not at all.
NETWORK = {
    "GET /v1/network/routes": None,
    "POST /v1/network/routes": {"prefix": "33", "carriers": ["sandbox"]},
    "PATCH /v1/network/routes/{id}": {"carriers": ["sandbox"]},
    "DELETE /v1/network/routes/{id}": None,
    "GET /v1/network/tariffs": None,
    "POST /v1/network/tariffs": {"prefix": "33", "price": 2},
    "PATCH /v1/network/tariffs/{id}": {"price": 3},
    "DELETE /v1/network/tariffs/{id}": None,
    "GET /v1/network/carriers": None,
    "GET /v1/network/binds": None,
}


def test_every_operation_of_rest_is_asked() -> None:
    assert {verb for verb in OPERATIONS if "/network/" in verb} == set(NETWORK)
    rest = set(OPERATIONS) - set(NETWORK)
    named = {verb.replace("{operator}", "{number}") for verb in (*NAMED, *MAKES_OWN)}
    assert {verb for verb in rest if "{" in verb} == {*named, *TELEPHONES, *AT_TELEPHONES}
    bare = {verb for verb in rest if verb.startswith("GET") and "{" not in verb}
    assert bare - LISTS == {"GET /v1/openapi.json", "GET /v1/lines", "GET /v1/centrex"}


def _said(reply: Reply, name: str) -> tuple[int, str]:
    return reply.status, reply.text.replace(name, "?")


async def _answered(world: World, owner: NewAccount) -> None:
    """Both telephones of the owner's call are taken up."""
    for number in (PHONE, ALICE):
        legs = await Rest(world, owner).get(f"/v1/sandbox/handsets/{number}/calls")
        at = f"/v1/sandbox/handsets/{number}/calls/{legs['data'][0]['id']}"
        assert (await Rest(world, owner).call("POST", f"{at}/answer")).status == 202
        await world.chappe.switchboard.settle()


@pytest.mark.parametrize("verb", NAMED)
async def test_rest_tells_nothing_of_another_account_s_things(world: World, verb: str) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    things = await _lived_in(world, owner)
    if "/calls/{id}/" in verb:
        await _answered(world, owner)
    method, path = verb.split(" ")
    path = path.replace("{leg}", "first").replace("{participant}", things["participant"])
    path = path.replace("{operator}", PHONE).replace("{file}", "style")
    body, unknown = NAMED[verb]
    theirs = things[path.split("/")[2]]
    said = []
    for name in (theirs, unknown):
        said.append(_said(await _asked(Rest(world, thief), method, _at(path, name), body), name))
    assert said[0] == said[1] and said[0][0] == 404
    mine = await _asked(Rest(world, owner), method, _at(path, theirs), body)
    # Nothing was done to it; nobody speaks yet who could be given away, or waits for somebody to pick up.
    assert mine.status < 300 or (verb in TOO_EARLY and mine.status == 409), mine
    await world.chappe.switchboard.stop()


@pytest.mark.parametrize("verb", MAKES_OWN)
async def test_what_one_makes_is_one_s_own(world: World, verb: str) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    await _lived_in(world, owner)
    method, path = verb.split(" ")
    where = path.replace("{operator}", PHONE).replace("{name}", "secret")
    thing = "/".join(where.split("/")[:4])
    before = await Rest(world, owner).get(thing)
    reply = await _asked(Rest(world, thief), method, where, MAKES_OWN[verb])
    assert reply.status < 300, reply
    assert await Rest(world, owner).get(thing) == before
    assert await Rest(world, thief).get(thing) != before


async def _asked(rest: Rest, method: str, where: str, body: object) -> Reply:
    if isinstance(body, tuple):
        return await rest.upload(where, *body, method)
    return await rest.call(method, where, body)


def _at(path: str, name: str) -> str:
    for what in ("{id}", "{number}", "{sender}", "{name}"):
        path = path.replace(what, name)
    return path


async def test_rest_lists_only_what_is_one_s_own(world: World) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    fresh = {verb: await Rest(world, thief).call("GET", verb[4:]) for verb in LISTS}
    await _lived_in(world, owner)
    for verb in LISTS:
        reply = await Rest(world, thief).call("GET", verb[4:])
        assert (reply.status, reply.body) == (200, fresh[verb].body), verb
        assert "secret" not in reply.text


async def test_the_network_is_for_operators_alone(world: World) -> None:
    shop = await world.account("shop")
    for verb, body in NETWORK.items():
        method, path = verb.split(" ")
        reply = await Rest(world, shop).call(method, path.replace("{id}", UNKNOWN_ID), body)
        assert (reply.status, json.loads(reply.body)["code"]) == (403, "not_allowed"), verb
    await accounts.set_operator(world.platform, shop.account, True)
    ids: dict[str, str] = {}
    for verb, body in NETWORK.items():
        method, path = verb.split(" ")
        kind = path.split("/")[3]
        reply = await Rest(world, shop).call(method, path.replace("{id}", ids.get(kind, "")), body)
        assert reply.status < 300, reply
        if method == "POST":
            ids[kind] = json.loads(reply.body)["id"]
    await accounts.set_operator(world.platform, shop.account, False)
    assert (await Rest(world, shop).call("GET", "/v1/network/routes")).status == 403


async def test_a_telephone_shows_each_account_its_own_traffic(world: World) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    await _lived_in(world, owner)
    seen = await Rest(world, owner).get(f"/v1/sandbox/handsets/{ALICE}/messages")
    for verb, body in TELEPHONES.items():
        method, path = verb.split(" ")
        said = []
        for name in (ALICE, UNKNOWN_NUMBER):
            reply = await Rest(world, thief).call(method, path.replace("{number}", name), body)
            said.append(_said(reply, name))
            assert "secret" not in reply.text
        # Nobody has the number that is dialled, for one as for the other.
        assert said[0] == said[1] and (said[0][0] < 300 or '"field":"to"' in said[0][1])
    assert await Rest(world, owner).get(f"/v1/sandbox/handsets/{ALICE}/messages") == seen


@pytest.mark.parametrize("verb", AT_TELEPHONES)
async def test_nobody_takes_another_account_s_call(world: World, verb: str) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    leg = (await _lived_in(world, owner))["leg"]
    method, path = verb.split(" ")
    said = []
    for name in (leg, UNKNOWN_ID):
        where = path.replace("{number}", PHONE).replace("{id}", name)
        said.append(_said(await Rest(world, thief).call(method, where, AT_TELEPHONES[verb]), name))
    assert said[0] == said[1] and said[0][0] == 404
    calls = (await Rest(world, owner).get("/v1/calls"))["data"]
    [call] = [one for one in calls if one["reference"] == "secret"]
    assert [one["state"] for one in call["legs"]] == ["ringing"]  # nothing was done to it


async def test_orange_tells_nothing_of_another_account_s_calls(world: World) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    theirs = (await _lived_in(world, owner))["calls"]
    for verb, named in (("/call/getHistory.xml", "callid"), ("/call/releaseCall.xml", "call_id")):
        said = []
        for name in (theirs, UNKNOWN_REF):
            answer = await Orange(world, thief).call(verb, **{named: name})
            assert answer.findtext("status/status_code") == "404"
            said.append([(one.tag, (one.text or "").replace(name, "?")) for one in answer.iter()])
        assert said[0] == said[1]
    answer = await Orange(world, owner).call("/call/getHistory.xml", callid=theirs)
    assert answer.findtext("history/state") == "LIVE"


async def test_orange_tells_nothing_of_another_account_s_messages(world: World) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    theirs = await send_one(world, owner, text="secret")
    said = []
    for name in (theirs.ref, UNKNOWN_REF):
        answer = await Orange(world, thief).call("/sms/getHistory.xml", callid=name)
        assert answer.findtext("status/status_code") == "404" and answer.find("history") is None
        said.append([(one.tag, (one.text or "").replace(name, "?")) for one in answer.iter()])
    assert said[0] == said[1]
    answer = await Orange(world, owner).call("/sms/getHistory.xml", callid=theirs.ref)
    assert answer.findtext("history/content") == "secret"


async def test_netoxygen_tells_nothing_of_another_account_s_messages(world: World) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    at = world.clock.now() + timedelta(hours=1)
    theirs = await send_one(world, owner, text="secret", send_at=at)
    for function in ("get_status", "cancel_message"):
        one, two = await NetOxygen(world, thief).call(function, [theirs.ref, UNKNOWN_REF])
        assert (one[0], two[0]) == (theirs.ref, UNKNOWN_REF)
        assert one[1] == two[1]
    assert await NetOxygen(world, owner).call("cancel_message", theirs.ref) == [[theirs.ref, True]]


async def test_rest_lists_an_account_s_own_lines(world: World) -> None:
    for new in (await world.account("owner"), await world.account("thief")):
        [line] = (await Rest(world, new).get("/v1/lines"))["data"]
        assert line["number"] == new.secrets["keyyo"].login
        [line] = (await Rest(world, new).get("/v1/centrex"))["data"]
        assert line["number"] == new.secrets["keyyo"].login


async def test_capitole_tells_nothing_of_another_account_s_blacklist(world: World) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    await Rest(world, owner).call("POST", "/v1/blacklist", {"number": ALICE})
    assert await Capitole(world, owner).send(ALICE, "Bonjour") == f"{ALICE}_IS_BLACKLISTED;200"
    assert await Capitole(world, thief).send(ALICE, "Bonjour") == "SENDING_OK;199"


async def test_keyyo_lets_nobody_act_for_another_account_s_line(world: World) -> None:
    owner, thief = await world.account("owner"), await world.account("thief")
    # With the thief's own password the line is none of the thief's, as one that nobody has.
    said = []
    for name in (owner.secrets["keyyo"].login, UNKNOWN_NUMBER):
        reply = await Keyyo(world, thief).send(ALICE, "Bonjour", line=name, proven=True)
        said.append((reply.status, reply.text.replace(name, "?")))
    assert said[0] == said[1] and said[0][0] == 404
