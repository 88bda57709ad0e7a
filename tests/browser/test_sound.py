"""Two people speak over virtual telephones, each in a Chromium whose microphone hears a tone."""

import re
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect

from chappe.media import pcm, tones, wav
from tests.browser.conftest import launched, window
from tests.browser.console import SECONDS, Person
from tests.browser.shop import a_form, running_shop
from tests.clients.running import Account, Server, eventually, run

FIRST, SECOND = "33639980041", "33639980042"
HERTZ = {FIRST: 1000, SECOND: 600}
"""What the microphone of each hears."""

# Whatever a page gives to the loudspeaker goes to an analyser of ours as well.
TAP = """const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
  if (to instanceof AudioDestinationNode) {
    window.tap ??= new AnalyserNode(to.context, { fftSize: 8192, smoothingTimeConstant: 0 });
    connect.call(this, window.tap);
  }
  return connect.call(this, to, ...more);
};"""
LOUDEST = """() => {
  if (!window.tap) return [0, -999];
  const bins = new Float32Array(window.tap.frequencyBinCount);
  window.tap.getFloatFrequencyData(bins);
  let at = 0;
  bins.forEach((level, bin) => { if (level > bins[at]) at = bin; });
  return [at * window.tap.context.sampleRate / window.tap.fftSize, bins[at]];
}"""


def microphone(folder: Path, hertz: int) -> str:
    """What lets a Chromium hear a tone in place of a microphone."""
    path = folder / f"{hertz}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(pcm.RATE)
        file.writeframes(tones.sine(hertz, 10))
    return f"--use-file-for-fake-audio-capture={path}"


@dataclass(frozen=True, slots=True)
class Pair:
    """The same account at two machines, and its programs."""

    first: Person
    second: Person
    account: Account


@pytest.fixture
def pair(server: Server, playwright: Playwright, tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        people: list[Person] = []
        session = None
        orange = rest = ""
        for number in (FIRST, SECOND):
            browser = stack.enter_context(launched(playwright, microphone(tmp_path, HERTZ[number])))
            context, person = window(browser, server.url, "en", storage_state=session)
            stack.enter_context(context)
            context.add_init_script(TAP)
            if session is None:
                person.sign_up()
                rest = person.shown_key()
                orange = person.page.locator(".key", has_text="Orange").locator(".secret code").inner_text()
                session = context.storage_state()
            people.append(person)
        yield Pair(*people, Account(server, rest, orange, "", ""))
        assert [one for person in people for one in person.watch.complaints] == []


def hears(person: Person, hertz: int) -> bool:
    at, level = person.page.evaluate(LOUDEST)
    return abs(at - hertz) < 20 and level > -60


def call_of(pair: Pair, number: str) -> str:
    """The call that is at a telephone now."""
    calls = pair.account.ask("GET", f"/v1/sandbox/handsets/{number}/calls")["data"]
    return next((str(call["id"]) for call in calls if call["state"] != "down"), "")


def heard(pair: Pair, number: str, call: str) -> bytes:
    """What the server gave to a telephone lately."""
    url = f"{pair.account.server.url}/v1/sandbox/handsets/{number}/calls/{call}/heard"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {pair.account.rest_key}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        assert answer.headers["content-type"] == "audio/wav"
        return wav.decode(answer.read()).samples


def test_two_telephones_that_an_old_program_joins_speak_to_one_another(pair: Pair) -> None:
    for person, number in ((pair.first, FIRST), (pair.second, SECOND)):
        person.open_live(f"/telephones/{number}")
    url = f"{pair.account.server.url}/call/createCall.xml"
    printed = run(["curl", "-sS", f"{url}?id={pair.account.orange_id}&from={FIRST}&to={SECOND}"])
    assert "<status_code>200</status_code>" in printed.out, printed

    ringing = pair.first.page.locator(f"#phone-{FIRST} .call.ringing")
    expect(ringing).to_contain_text("06 39 98 00 42")
    ringing.get_by_role("button", name="Pick up").click()
    # The first one hears that it rings at the other side.
    expect(pair.first.page.locator(".call.up")).to_contain_text("it rings at the other side")
    eventually(lambda: hears(pair.first, 440))

    # The second one uses no mouse.
    pair.second.page.locator(".call.ringing button[value=answer]").focus()
    pair.second.page.keyboard.press("Enter")
    sound = pair.second.page.get_by_role("button", name="Listen and speak")
    expect(sound).to_have_attribute("aria-pressed", "true")
    eventually(lambda: hears(pair.second, HERTZ[FIRST]))
    eventually(lambda: hears(pair.first, HERTZ[SECOND]))
    calls = {number: call_of(pair, number) for number in (FIRST, SECOND)}
    for number, other in ((FIRST, SECOND), (SECOND, FIRST)):
        loud = eventually(
            lambda number=number, other=other: (
                tones.strength(  # type: ignore[misc]
                    heard(pair, number, calls[number])[-pcm.RATE * pcm.WIDTH :], HERTZ[other]
                )
                > 0.9
            )
        )
        assert loud
    # What the second one puts aside it neither hears nor speaks into.
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "false")
    eventually(lambda: not hears(pair.first, HERTZ[SECOND]))
    sound.click()
    eventually(lambda: hears(pair.first, HERTZ[SECOND]))

    pair.second.page.locator(".call.up .digit[value='5']").click()
    pair.second.page.get_by_role("button", name="Hang up").click()
    expect(pair.first.page.locator(".call")).to_have_count(0)

    # The telephones are free a moment before the call is closed.
    (call,) = eventually(lambda: pair.account.ask("GET", "/v1/calls?state=over")["data"])
    assert (call["outcome"], call["from"], call["to"]) == ("answered", FIRST, SECOND)
    assert call["price"] == sum(leg["price"] for leg in call["legs"]) > 0
    (entry, *_) = pair.account.ask("GET", "/v1/account/ledger")["data"]
    assert (entry["kind"], entry["amount"], entry["reference"]) == ("calls", -call["price"], call["id"])
    ref = re.search("<call_id>(.*?)</call_id>", printed.out)
    assert ref is not None and ref[1] == call["id"]
    url = f"{pair.account.server.url}/call/getHistory.xml?id={pair.account.orange_id}&callid={ref[1]}"
    told = run(["curl", "-sS", url])
    assert f"<credits>{call['price']:g}</credits>" in told.out, told.out


def test_a_telephone_dials_a_line_and_the_line_answers(pair: Pair) -> None:
    line = pair.account.ask("GET", "/v1/lines")["data"][0]["number"]
    pair.first.open_live(f"/telephones/{FIRST}")
    pair.second.open_live(f"/telephones/{line}")
    pair.first.page.get_by_label("To", exact=True).fill(line)
    pair.first.page.get_by_role("button", name="Call from this telephone").click()
    calling = pair.first.page.locator(".call.dialled")
    expect(calling).to_contain_text("Is calling")
    sound = calling.get_by_role("button", name="Listen and speak")
    expect(sound).to_have_attribute("aria-pressed", "true")
    eventually(lambda: hears(pair.first, 440))
    pair.second.page.get_by_role("button", name="Pick up").click()
    eventually(lambda: hears(pair.second, HERTZ[FIRST]))
    eventually(lambda: hears(pair.first, HERTZ[SECOND]))
    pair.first.page.get_by_role("button", name="Hang up").click()
    expect(pair.second.page.locator(".call")).to_have_count(0)

    pair.first.watch.expected = ("status of 422",)
    pair.first.page.get_by_label("To", exact=True).fill("0800000000")
    pair.first.page.get_by_role("button", name="Call from this telephone").click()
    expect(pair.first.page.get_by_role("alert")).to_contain_text("Nobody takes calls to this number")


def test_a_visitor_of_a_shop_is_called_back(pair: Pair) -> None:
    """The operator is the first one, the visitor the second, who looks at a page of another origin."""
    form = a_form(pair.account, [FIRST], first_rung="operator", language="en")
    pair.first.open_live(f"/telephones/{FIRST}")
    pair.second.open_live(f"/telephones/{SECOND}")
    with running_shop(form) as url:
        page = pair.second.page.context.new_page()
        page.goto(url)
        page.get_by_role("button", name="Call me back").click()
        page.get_by_label("Your telephone number").fill("06 39 98 00 42")
        page.get_by_role("dialog").get_by_role("button", name="Call me back").click()
        now = page.locator(".chappe-now")
        expect(now).to_have_text("We are ringing an adviser.")
        pair.first.page.get_by_role("button", name="Pick up").click()
        # Who has answered first hears who wants to be called.
        expect(now).to_have_text("Your telephone rings: please answer.", timeout=30 * SECONDS)
        pair.second.page.bring_to_front()
        pair.second.page.get_by_role("button", name="Pick up").click()
        eventually(lambda: hears(pair.second, HERTZ[FIRST]))
        eventually(lambda: hears(pair.first, HERTZ[SECOND]))
        page.bring_to_front()
        expect(now).to_have_text("You are connected.", timeout=30 * SECONDS)
        pair.first.page.get_by_role("button", name="Hang up").click()
        expect(now).to_have_text("The call is over. Thank you.")
        page.close()

    (told,) = pair.account.ask("GET", "/v1/callbacks?state=done")["data"]
    whole = pair.account.ask("GET", f"/v1/callbacks/{told['id']}")
    legs = {leg["number"]: leg for leg in whole["call"]["legs"]}
    assert (told["operator"], told["visitor"], told["origin"]) == (FIRST, SECOND, f"{url}/")
    up = _moment(legs[SECOND]["ended_at"]) - _moment(legs[SECOND]["answered_at"])
    assert told["talk_seconds"] == int(up.total_seconds())
    assert told["price"] > 0
    assert told["price"] == pytest.approx(sum(leg["price"] for leg in legs.values()))
    pair.first.go("/callbacks")
    row = pair.first.page.locator("tbody tr").first
    expect(row).to_contain_text("Answered")
    row.locator("a.cover").click()
    shown = f"{told['talk_seconds'] // 60}:{told['talk_seconds'] % 60:02}"
    if told["talk_seconds"]:
        expect(pair.first.page.locator("#spoken-for")).to_have_text(shown)
    expect(pair.first.page.locator("#price")).to_contain_text(f"{told['price']:g}")


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def test_on_one_page_the_telephone_in_hand_has_the_microphone(pair: Pair) -> None:
    page = pair.first.page
    pair.account.ask("POST", "/v1/calls", {"from": FIRST, "to": SECOND})
    pair.first.open_live("/telephones")
    for number in (FIRST, SECOND):
        page.locator(f"#phone-{number}").get_by_role("button", name="Pick up").click()
        expect(page.locator(f"#phone-{number} .sound")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"#phone-{FIRST} .sound")).to_have_attribute("aria-pressed", "false")
    calls = {number: call_of(pair, number) for number in (FIRST, SECOND)}

    def gets(number: str) -> bool:
        last = heard(pair, number, calls[number])[-pcm.RATE :]
        return tones.strength(last, HERTZ[FIRST]) > 0.9

    eventually(lambda: gets(FIRST) and not gets(SECOND))
    page.locator(f"#phone-{FIRST} .sound").click()
    expect(page.locator(f"#phone-{SECOND} .sound")).to_have_attribute("aria-pressed", "false")
    eventually(lambda: gets(SECOND) and not gets(FIRST))
    page.locator(f"#phone-{FIRST}").get_by_role("button", name="Hang up").click()
    expect(page.locator(".call")).to_have_count(0)


def test_who_has_no_microphone_listens(pair: Pair) -> None:
    page = pair.first.page
    refused = (
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError'))"
    )
    page.add_init_script(refused)
    pair.account.ask("POST", "/v1/calls", {"from": FIRST, "to": SECOND})
    pair.first.open_live(f"/telephones/{FIRST}")
    page.get_by_role("button", name="Pick up").click()
    expect(page.get_by_role("button", name="Listen and speak without a microphone")).to_be_visible()
    eventually(lambda: hears(pair.first, 440))
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator(".call")).to_have_count(0)
