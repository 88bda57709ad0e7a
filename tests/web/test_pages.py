"""Every page, in both languages, with what a member does on it."""

import asyncio
import re
from typing import Any

import pytest
import pytest_asyncio

from chappe.model.commands import BlockNumber, FindMessages, Password, SendMessages
from chappe.services import accounts, directory, history, inbox, messages
from tests.platform import World
from tests.web.browser import Browser

PAGES = (
    "/telephones",
    "/messages",
    "/messages/new",
    "/calls",
    "/conferences",
    "/announcements",
    "/lines",
    "/hours",
    "/numbers",
    "/subscriptions",
    "/account",
    "/account/rights",
)
SENT = {"to": "06 12 34 56 78", "text": "Night train", "sender": ""}


@pytest_asyncio.fixture
async def member(sandbox_world: World) -> Browser:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    return browser


async def other_message(world: World) -> str:
    """The ref of a message of another account."""
    other = await world.account("other")
    caller = directory.caller_of(other.account, other.user, "rest")
    outcome = await messages.send(world.platform, caller, SendMessages(("+33612345678",), "Secret"))
    ref: str = outcome.results[0].message.ref  # type: ignore[union-attr]
    return ref


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_has_a_title_one_heading_and_its_place_in_the_menu(
    member: Browser, path: str, language: str
) -> None:
    member.language = language
    page = await member.get(path)
    assert page.status == 200
    assert page.find("/html/@lang") == [language]
    assert len(page.words("//h1")) == 1
    assert page.find("//nav//a[@aria-current='page']/@href") == ["/" + path.split("/")[1]]


@pytest.mark.parametrize("path", [*PAGES, "/telephones/33612345678"])
async def test_every_field_has_a_label_and_every_name_is_there_once(member: Browser, path: str) -> None:
    await member.post("/telephones/open", {"number": "06 12 34 56 78"}, at="/telephones")
    page = await member.get(path)
    ids = page.find("//@id")
    assert len(ids) == len(set(ids))
    for control in page.find("//input[not(@type='hidden')] | //select | //textarea"):
        named = control.get("aria-label") or control.get("aria-hidden") == "true"
        labelled = page.find(f"//label[@for='{control.get('id')}']") or control.xpath("ancestor::label")
        assert named or labelled, control.get("name")
    for button in page.find("//button"):
        assert button.get("aria-label") or button.text_content().strip()


@pytest.mark.parametrize("path", [*PAGES, "/", "/login", "/sign-up"])
async def test_nothing_in_a_page_is_inline(member: Browser, path: str) -> None:
    page = await member.get(path)
    assert page.find("//@style | //style | //@*[starts-with(name(), 'on')]") == []
    assert [script for script in page.find("//script") if (script.text or "").strip()] == []
    assert re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page.text) == []


@pytest.mark.parametrize("path", ["/messages", "/subscriptions", "/numbers", "/telephones"])
async def test_an_empty_list_says_what_changes_it(member: Browser, path: str) -> None:
    page = await member.get(path)
    empty = page.find("//*[@class='empty']")
    assert empty
    assert all(one.xpath(".//p") for one in empty)


async def test_a_visitor_reads_what_this_is_and_how_to_begin(sandbox_world: World) -> None:
    page = await Browser(sandbox_world.chappe.application).get("/")
    assert page.find("//a[@href='/sign-up']")
    assert page.find("//a[@href='/login']")
    assert "curl http://console.test/v1/messages" in page.text


async def test_writing_an_sms_leads_to_its_course_and_to_its_telephone(
    member: Browser, sandbox_world: World
) -> None:
    page = await member.post("/messages", SENT, at="/messages/new")
    assert page.words("//h1") == ["SMS to 06 12 34 56 78"]
    await sandbox_world.settle()
    page = await member.get(page.path)
    assert page.words("//*[contains(@class,'state')][1]") == ["Delivered"]
    titles = page.words("//ol[@class='timeline']/li/div/span[1]")
    assert titles == ["Accepted", "Sent", "Delivered"]
    assert page.words("//details[starts-with(@id,'curl-')]/summary") == ["REST", "Orange API", "NetOxygen"]
    shelf = await member.get("/telephones")
    assert shelf.words("//li[starts-with(@id,'sms-')]/p") == ["Night train"]


async def test_a_bubble_leads_to_its_message(member: Browser, sandbox_world: World) -> None:
    await member.post("/messages", SENT, at="/messages/new")
    await sandbox_world.settle()
    (link,) = (await member.get("/telephones")).find("//li[starts-with(@id,'sms-')]//a/@href")
    assert (await member.get(link)).words("//h1") == ["SMS to 06 12 34 56 78"]


async def test_a_telephone_answers_and_the_answer_is_listed(member: Browser, sandbox_world: World) -> None:
    await member.post("/messages", SENT, at="/messages/new")
    await sandbox_world.settle()
    shelf = await member.get("/telephones")
    (to,) = shelf.find("//input[@name='to']/@value")
    answered = {"to": to, "text": "On my way"}
    shelf = await member.post("/telephones/33612345678/send", answered, at="/telephones")
    assert shelf.words("//li[contains(@class,'bubble out')]/p") == ["On my way"]
    listed = await member.get("/messages")
    assert listed.words("//td[@class='text']") == ["On my way", "Night train"]


async def test_an_sms_that_nobody_took_says_so_and_how_to_take_it(
    member: Browser, sandbox_world: World
) -> None:
    await member.post("/telephones/open", {"number": "06 12 34 56 78"}, at="/telephones")
    strayed = {"to": "20345", "text": "Hello?", "alone": "1"}
    page = await member.post("/telephones/33612345678/send", strayed, at="/telephones")
    (said,) = page.words("//li[contains(@class,'bubble out')]/p[@class='unowned']")
    assert said == "Nobody took it: no account has this keyword or number. Claim it"
    assert page.find("//p[@class='unowned']/a/@href") == ["/numbers"]
    await member.post("/keywords", {"word": "hello", "short_code": "20345"}, at="/numbers")
    page = await member.post("/telephones/33612345678/send", strayed | {"text": "Hello!"}, at="/telephones")
    taken = page.find("//li[contains(@class,'bubble out')][p[1]='Hello!']")
    assert len(taken) == 1
    assert taken[0].xpath("p[@class='unowned']") == []


async def test_what_cannot_be_sent_stays_written_on_its_telephone(member: Browser) -> None:
    await member.post("/telephones/open", {"number": "06 12 34 56 78"}, at="/telephones")
    page = await member.post(
        "/telephones/33612345678/send", {"to": "20345", "text": "x" * 2001}, at="/telephones"
    )
    assert page.status == 422
    assert page.words("//textarea") == ["x" * 2001]
    assert page.words("//*[@role='alert']") == ["The text is too long. Shorten it."]


async def test_a_telephone_is_told_how_to_behave(member: Browser, sandbox_world: World) -> None:
    behaviour = {
        "receipt": "undelivered",
        "receipt_after_ms": "1500",
        "duplicate_receipts": "1",
        "alone": "1",
    }
    page = await member.post("/telephones/33612345678/behaviour", behaviour, at="/telephones")
    assert page.path == "/telephones/33612345678"
    assert page.words("//details/summary") == ["Receipt: undelivered after 1500 ms, twice"]
    await member.post("/messages", SENT, at="/messages/new")
    await sandbox_world.settle()
    sandbox_world.clock.move(seconds=2)
    await sandbox_world.settle()
    assert (await member.get("/messages")).words("//td[@class='state-cell']") == ["Undelivered"]


async def test_a_number_that_is_none_is_said_beside_its_field(member: Browser) -> None:
    page = await member.post("/telephones/open", {"number": "12"}, at="/telephones")
    assert page.status == 422
    assert page.find("//input[@id='open']/@value") == ["12"]
    assert "Write it like 06 12 34 56 78" in page.words("//*[@id='open-said']")[0]


async def test_the_account_of_another_stays_closed(member: Browser, sandbox_world: World) -> None:
    ref = await other_message(sandbox_world)
    story = await sandbox_world.platform.store.queries.messages_by_ref(1, [ref])
    assert story == ()
    for path in (f"/messages/{ref}", f"/messages/new?again={ref}"):
        page = await member.get(path)
        assert page.status == 404
        assert "Secret" not in page.text
    assert (await member.post(f"/messages/{ref}/cancel", at="/account")).status == 404


async def test_the_message_of_another_cannot_be_had_by_its_number(
    member: Browser, sandbox_world: World
) -> None:
    ref = await other_message(sandbox_world)
    other = await sandbox_world.platform.store.queries.account_named("other")
    caller = directory.caller_of(other, (await accounts.list_users(sandbox_world.platform, other.id))[0], "")
    (story,) = await history.find_messages(sandbox_world.platform, caller, FindMessages((ref,)))
    assert (await member.get(f"/messages/{story.message.id}")).status == 404  # type: ignore[union-attr]


async def test_a_price_is_said_before_it_is_charged(member: Browser) -> None:
    quoted = {"to": "06 12 34 56 78, +41 79 222 33 44", "text": "ê" * 71, "sender": ""}
    page = await member.post("/messages/quote", quoted, at="/messages/new")
    facts = page.words("//*[@id='quote']//dd")
    assert facts == ["4 credits", "2", "2", "Unicode (UCS-2)", "ê"]
    assert page.words("//*[@id='purse']/b") == ["200"]


async def test_one_bad_number_among_several_is_named(member: Browser) -> None:
    page = await member.post("/messages", SENT | {"to": "06 12 34 56 78, 079"}, at="/messages/new")
    assert page.status == 422
    assert page.words("//*[@id='to-said']")[0].startswith("079 · This is not a number")
    assert page.find("//input[@name='to']/@value") == ["06 12 34 56 78, 079"]


async def test_send_again_fills_the_form(member: Browser) -> None:
    page = await member.post("/messages", SENT, at="/messages/new")
    ref = page.path.rpartition("/")[2]
    again = await member.get(f"/messages/new?again={ref}")
    assert again.find("//input[@name='to']/@value") == ["+33612345678"]
    assert again.words("//textarea") == ["Night train"]


async def test_text_of_strangers_is_never_markup(member: Browser, sandbox_world: World) -> None:
    evil = "<script>alert(1)</script>"
    await member.post("/messages", SENT | {"text": evil}, at="/messages/new")
    await sandbox_world.settle()
    for path in ("/messages", "/telephones", "/telephones/33612345678", f"/messages?q={evil}"):
        page = await member.get(path)
        assert evil not in page.text
        assert "&lt;script&gt;" in page.text


async def test_the_list_goes_on_by_its_cursor(member: Browser, sandbox_world: World) -> None:
    user = await sandbox_world.platform.store.queries.user_by_email("camille@example.com")
    account = await sandbox_world.platform.store.queries.account(user.account_id)
    caller = directory.caller_of(account, user, "rest")
    everybody = tuple(f"+336123456{n}" for n in range(10, 70))
    await messages.send(sandbox_world.platform, caller, SendMessages(everybody, "Hello"))
    first = await member.get("/messages")
    (older,) = first.find("//a[@rel='next']/@href")
    second = await member.get(older)
    shown = [*first.find("//tr[@id]/@id"), *second.find("//tr[@id]/@id")]
    assert (len(shown), len(set(shown))) == (60, 60)
    assert second.find("//a[@rel='next']") == []


async def test_a_keyword_is_claimed_changed_and_given_up(member: Browser) -> None:
    claimed = {"word": "poll", "short_code": "20345", "url": "https://example.com/sms", "email": ""}
    page = await member.post("/keywords", claimed, at="/numbers")
    (line,) = page.words("//*[starts-with(@id,'keyword-') and contains(@class,'sentence')]//p")
    assert line == "POLL on 20345 goes to https://example.com/sms"
    (action,) = page.find("//*[contains(@class,'sentence')]//form[starts-with(@action,'/keywords/')]/@action")
    changed = {"url": "https://example.com/sms", "email": "mail@example.com", "dialect": "orange"}
    page = await member.post(action, changed, at="/numbers")
    assert "and to mail@example.com" in page.words("//*[contains(@class,'sentence')]//p")[0]
    page = await member.post(f"{action}/release", at="/numbers")
    assert "POLL" not in page.words("//section[@aria-labelledby='keywords']")[0]


async def test_a_keyword_that_cannot_be_had_leaves_the_form_as_it_was(member: Browser) -> None:
    asked = {"word": "Arrêt", "short_code": "20345", "url": "https://example.com/sms"}
    page = await member.post("/keywords", asked, at="/numbers")
    assert page.status == 422
    assert page.find("//input[@id='claim-url']/@value") == ["https://example.com/sms"]
    assert page.words("//*[@id='claim-word-said']")


async def test_the_keyword_of_another_cannot_be_changed(member: Browser, sandbox_world: World) -> None:
    stranger = Browser(sandbox_world.chappe.application)
    await stranger.sign_up("other@example.com")
    page = await stranger.post("/keywords", {"word": "poll", "short_code": "20345"}, at="/numbers")
    (action,) = page.find("//form[starts-with(@action,'/keywords/')]/@action")
    assert (await member.post(action, {"url": "https://evil.example"}, at="/numbers")).status == 404
    assert (await member.post(f"{action}/release", at="/numbers")).status == 404
    assert "POLL" in (await stranger.get("/numbers")).text


async def test_numbers_come_and_go(member: Browser) -> None:
    page = await member.post("/numbers", at="/numbers")
    sentences = "//section[@aria-labelledby='own']//*[contains(@class,'sentence')]/@id"
    first, second = page.find(sentences)
    number = second.removeprefix("number-")
    target = {"url": "https://example.com/in", "dialect": "rest"}
    page = await member.post(f"/numbers/{number}", target, at="/numbers")
    assert "goes to https://example.com/in" in page.words(f"//*[@id='{second}']//p")[0]
    page = await member.post(f"/numbers/{number}/release", at="/numbers")
    assert page.find(sentences) == [first]


async def test_a_blocked_number_gets_nothing_until_it_is_allowed_again(member: Browser) -> None:
    await member.post("/blacklist", {"number": "06 12 34 56 78"}, at="/numbers")
    page = await member.post("/messages", SENT, at="/messages/new")
    assert page.status == 422
    assert "blacklist" in page.words("//*[@id='to-said']")[0]
    page = await member.post("/blacklist/33612345678/lift", at="/numbers")
    assert page.words("//*[@role='status']") == ["Allowed again."]
    assert (await member.post("/messages", SENT, at="/messages/new")).status == 200


async def test_a_number_that_cannot_be_blocked_stays_in_its_field(member: Browser) -> None:
    page = await member.post("/blacklist", {"number": "06 12"}, at="/numbers")
    assert page.status == 422
    assert page.find("//input[@id='block']/@value") == ["06 12"]
    assert page.words("//*[@id='block-said']")[0].startswith("This is no telephone number.")


async def test_a_long_blacklist_goes_on(member: Browser, sandbox_world: World) -> None:
    user = await sandbox_world.platform.store.queries.user_by_email("camille@example.com")
    account = await sandbox_world.platform.store.queries.account(user.account_id)
    caller = directory.caller_of(account, user, "rest")
    for n in range(102):
        await inbox.block_number(sandbox_world.platform, caller, BlockNumber(f"+33612345{n:03}"))
    lifts = "//form[starts-with(@action,'/blacklist/')]/@action"
    first = await member.get("/numbers")
    (older,) = first.find("//section[@aria-labelledby='blocked']//a[@rel='next']/@href")
    assert older.startswith("/numbers?after=")
    second = await member.get(older.partition("#")[0])
    shown = [*first.find(lifts), *second.find(lifts)]
    assert (len(first.find(lifts)), len(set(shown))) == (100, 102)
    assert second.find("//a[@rel='next']") == []
    assert second.find("//nav[@class='pager']/a/@href") == ["/numbers#blocked"]


async def test_a_server_is_told_and_told_again(member: Browser, sandbox_world: World) -> None:
    asked = [("url", "https://example.com/events"), ("events", "message.delivered")]
    page = await member.post("/subscriptions", asked, at="/subscriptions")
    assert "whsec_" in page.text
    await member.post("/messages", SENT, at="/messages/new")
    await sandbox_world.settle()
    page = await member.get("/subscriptions")
    assert page.words("//td[@class='state-cell']") == ["Arrived"]
    (replay,) = page.find("//form[contains(@action,'/replay')]/@action")
    await member.post(replay, at="/subscriptions")
    await sandbox_world.settle()
    assert [sent.url for sent in sandbox_world.web.sent] == ["https://example.com/events"] * 2


@pytest.mark.parametrize(
    ("language", "after", "next_try"),
    [
        ("en", "Waiting · answered 503", "Next try"),
        ("fr", "En attente · a répondu 503", "Prochain essai"),
    ],
)
async def test_a_notice_that_waits_says_why_and_when_it_is_tried_again(
    member: Browser, sandbox_world: World, language: str, after: str, next_try: str
) -> None:
    asked = [("url", "https://example.com/events"), ("events", "message.delivered")]
    await member.post("/subscriptions", asked, at="/subscriptions")
    sandbox_world.web.answers = [503]
    page = await member.post("/messages", SENT, at="/messages/new")
    await sandbox_world.settle()
    member.language = language
    told = (await member.get(page.path)).words("//ol[@class='timeline']/li[last()]/p")
    assert told[0] == after
    assert told[1].startswith(f"{next_try} ")
    listed = (await member.get("/subscriptions")).words("//span[@class='under']")
    assert listed[0] == "https://example.com/events"
    assert listed[1].startswith(f"{after.partition(' · ')[2]} · {next_try.lower()} ")


async def test_a_notice_that_went_nowhere_has_not_arrived(member: Browser, sandbox_world: World) -> None:
    asked = [("url", "https://example.com/events"), ("events", "message.delivered")]
    page = await member.post("/subscriptions", asked, at="/subscriptions")
    (action,) = page.find("//form[starts-with(@action,'/subscriptions/')]/@action")
    sandbox_world.web.answers = [503]
    page = await member.post("/messages", SENT, at="/messages/new")
    await sandbox_world.settle()
    await member.post(f"{action}/remove", at="/account")
    sandbox_world.clock.move(minutes=1)
    await sandbox_world.settle()
    assert (await member.get("/subscriptions")).words("//td[@class='state-cell']") == ["Dropped"]
    told = (await member.get(page.path)).words("//ol[@class='timeline']/li[last()]/p")
    assert told == ["Dropped · the message or its target does not exist any more"]


async def test_a_subscription_needs_an_address_that_can_be_called(member: Browser) -> None:
    asked = {"url": "example", "events": "message.delivered"}
    page = await member.post("/subscriptions", asked, at="/subscriptions")
    assert page.status == 422
    assert page.find("//input[@id='new-url']/@value") == ["example"]
    assert "Begin with https://" in page.words("//*[@id='new-url-said']")[0]


async def test_a_subscription_is_changed_and_removed(member: Browser) -> None:
    asked = {"url": "https://example.com/events", "events": "message.delivered"}
    page = await member.post("/subscriptions", asked, at="/subscriptions")
    (action,) = page.find("//form[starts-with(@action,'/subscriptions/')]/@action")
    page = await member.post(
        action, {"url": "https://example.com/b", "events": "message.sent"}, at="/account"
    )
    assert page.words("//*[contains(@class,'sentence')]//p") == [
        "https://example.com/b is told when a message is taken by the network"
    ]
    page = await member.post(f"{action}/remove", at="/account")
    assert page.find("//*[contains(@class,'sentence')]") == []


async def test_a_key_is_rotated_with_an_overlap(member: Browser) -> None:
    page = await member.get("/account")
    rotate = page.find("//form[contains(@action,'/rotate')]/@action")[0]
    shown = await member.post(rotate, at="/account")
    (key,) = shown.words("//dd[@class='secret']/code")
    assert key.startswith("ck_")
    after = await member.get("/account")
    assert f"…{key[-4:]}" in after.text
    assert len(after.find("//*[contains(@class,'state held')]")) == 1
    (end,) = after.find("//form[contains(@action,'/end')]/@action")
    ended = await member.post(end, at="/account")
    assert ended.find("//*[contains(@class,'state held')]") == []


async def test_the_key_of_another_cannot_be_rotated(member: Browser, sandbox_world: World) -> None:
    other = await sandbox_world.account("other")
    held = await accounts.list_credentials(sandbox_world.platform, other.account.id)
    for act in ("rotate", "end"):
        assert (await member.post(f"/account/keys/{held[0].id}/{act}", at="/account")).status == 404


async def test_a_user_is_added_with_a_login_that_is_shown_once(member: Browser, sandbox_world: World) -> None:
    shown = await member.post("/account/users", {"name": " Léa Moreau "}, at="/account")
    assert shown.words("//h1") == ["A new user: Léa Moreau"]
    assert shown.words("//h3") == ["NetOxygen"]
    login, secret = shown.words("//dd[@class='secret']/code")
    caller = await directory.authenticate(
        sandbox_world.platform, "netoxygen", (Password(login, secret),), "192.0.2.1"
    )
    assert caller.user_name == "Léa Moreau"
    page = await member.get("/account")
    assert caller.account_id == int(page.words("//dl[@class='facts']/dd/code")[0])
    people = page.words("//ul[@class='people']/li")
    assert [one.partition(" now")[0] for one in people] == ["camille@example.com you", "Léa Moreau"]
    assert login in page.text
    assert secret not in page.text


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines"])
async def test_a_user_without_a_usable_name_is_not_added(member: Browser, name: str) -> None:
    page = await member.post("/account/users", {"name": name}, at="/account")
    assert page.status == 422
    assert page.words("//*[@id='user-name-said']")[0].startswith("A name has 1 to 100 letters")
    assert len(page.words("//ul[@class='people']/li")) == 1


async def test_the_default_sender_is_set_and_cleared(member: Browser) -> None:
    page = await member.post("/account/sender", {"default_sender": "Lumiere"}, at="/account")
    assert page.words("//*[@role='status']") == [
        "Messages without a sender of their own now go out under it."
    ]
    assert page.find("//input[@id='default_sender']/@value") == ["Lumiere"]
    page = await member.post("/messages", SENT, at="/messages/new")
    assert "Lumiere" in page.words("//dl[@class='facts']/dd")
    page = await member.post("/account/sender", {"default_sender": " "}, at="/account")
    assert page.words("//*[@role='status']") == ["You have no default sender any more."]
    assert page.find("//input[@id='default_sender']/@value") == [""]


async def test_a_sender_that_is_none_stays_in_its_field(member: Browser) -> None:
    wrong = {"default_sender": "Cabinet Moreau et fils"}
    page = await member.post("/account/sender", wrong, at="/account")
    assert page.status == 422
    assert page.find("//input[@id='default_sender']/@value") == ["Cabinet Moreau et fils"]
    assert page.words("//*[@id='default_sender-said']")[0].startswith("This sender cannot be used.")
    assert (await member.get("/account")).find("//input[@id='default_sender']/@value") == [""]


@pytest.mark.parametrize("path", ["/account/users", "/account/sender"])
async def test_the_account_is_changed_by_its_own_pages_only(member: Browser, path: str) -> None:
    page = await member.ask("POST", path, {"name": "x", "default_sender": "x", "token": "forged"})
    assert page.status == 403
    page = await member.get("/account")
    assert page.find("//input[@id='default_sender']/@value") == [""]
    assert len(page.words("//ul[@class='people']/li")) == 1


async def test_an_account_has_keys_for_every_dialect(member: Browser) -> None:
    headings = (await member.get("/account")).words("//div[@class='key']/h3")
    assert headings == [
        "REST",
        "Orange API",
        "NetOxygen",
        "CapitoleMobile",
        "Axialys",
        "Keyyo",
        "SMPP",
    ]


async def test_the_statement_reads_like_a_bank_statement(member: Browser, sandbox_world: World) -> None:
    await member.post("/messages", SENT, at="/messages/new")
    page = await member.get("/account")
    rows = [page.words(f"//tr[@id='{row}']/td")[1:] for row in page.find("//tr[starts-with(@id,'l-')]/@id")]
    assert rows == [["Messages sent · 1 message", "−1", "199"], ["Welcome credits", "+200", "200"]]


async def test_an_unknown_page_says_what_now(member: Browser) -> None:
    page = await member.get("/nowhere")
    assert page.status == 404
    assert page.words("//h1") == ["There is nothing here"]
    assert page.find("//main//a/@href") == ["/telephones"]


async def test_the_reader_chooses_the_language_and_stays_in_place(member: Browser) -> None:
    page = await member.get("/messages?q=to:06")
    (switch,) = page.find("//footer//a[@hreflang='fr']/@href")
    french = await member.get(switch)
    assert french.find("/html/@lang") == ["fr"]
    assert french.find("//input[@name='q']/@value") == ["to:06"]


async def test_times_are_in_the_readers_zone_and_the_zone_is_said(member: Browser) -> None:
    member.cookies["zone"] = "Asia%2FKathmandu"
    await member.post("/messages", SENT, at="/messages/new")
    page = await member.get("/messages")
    (title,) = page.find("//td//time/@title")
    assert title == "2 March 2026, 14:45:00 (Asia/Kathmandu)"
    assert "Times in Asia/Kathmandu" in page.words("//footer")[0]


async def test_the_wire_tells_when_something_happened(member: Browser, sandbox_world: World) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            await heard.put(message["body"].decode())

    wire = asyncio.create_task(member.application(member.scope("GET", "/live", {}), receive, send))
    assert await heard.get() == "retry: 2000\n\n"
    await member.post("/messages", SENT, at="/messages/new")
    assert await heard.get() == "event: changed\ndata: 1\n\n"
    gone.set()
    await wire


async def test_the_wire_is_for_members(sandbox_world: World) -> None:
    page = await Browser(sandbox_world.chappe.application).ask("GET", "/live")
    assert (page.status, page.headers["location"]) == (303, "/login")
