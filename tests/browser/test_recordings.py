"""Two telephones that speak are recorded, and the recording is heard on the page of their call."""

import urllib.request

from playwright.sync_api import expect

from chappe.media import pcm, wav
from tests.browser.conftest import Desk
from tests.clients.running import Account, Server, eventually

FIRST, SECOND = "33639980051", "33639980052"
LENGTH = "document.querySelector('audio').duration"


def test_a_recording_is_heard_on_the_page_of_its_call(server: Server, desk: Desk) -> None:
    person = desk("en")
    person.sign_up()
    key = person.shown_key()
    account = Account(server, key, "", "", "")
    answers = {"call": "answer", "answer_after_ms": 0}
    for number, does in (
        (FIRST, {"say": "Bonjour, ici le premier téléphone."}),
        (SECOND, {"say": "Bonjour, ici le second.", "hang_up_after_ms": 3000}),
    ):
        account.ask("PUT", f"/v1/sandbox/handsets/{number}/behaviour", {**answers, **does})
    call = account.ask("POST", "/v1/calls", {"from": FIRST, "to": SECOND, "record": True})["id"]
    person.open_live(f"/calls/{call}")
    expect(person.page.locator("#recorded", has_text="Being recorded")).to_be_visible()
    player = person.page.locator("#recorded audio")
    expect(player).to_be_visible()

    [recording] = account.ask("GET", f"/v1/recordings?call={call}")["data"]
    assert recording["milliseconds"] > 2000
    request = urllib.request.Request(f"{server.url}/v1/recordings/{recording['id']}/audio")
    request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        sound = wav.decode(answer.read()).samples
    loud = [frame for frame in pcm.frames(sound) if pcm.rms(frame) > 300]
    assert len(loud) * 20 > 500  # speech, not silence

    player.evaluate("audio => audio.play()")
    eventually(lambda: player.evaluate("audio => audio.currentTime > 0.3"))
    assert abs(person.page.evaluate(LENGTH) - recording["milliseconds"] / 1000) < 0.1
    player.evaluate("audio => audio.pause()")
    person.page.get_by_role("button", name="Delete this recording").click()
    expect(person.page.locator("#recorded")).to_have_count(0)
    assert account.ask("GET", "/v1/recordings")["data"] == []
