"""Signing up, logging in and out, and what keeps forms and cookies safe."""

import pytest

from tests.platform import World
from tests.web.browser import Browser

PASSWORD = "ten letters"


@pytest.fixture
def browser(sandbox_world: World) -> Browser:
    return Browser(sandbox_world.chappe.application)


@pytest.fixture
def stranger(sandbox_world: World) -> Browser:
    return Browser(sandbox_world.chappe.application)


async def test_signing_up_shows_every_key_once_and_the_welcome_credits(browser: Browser) -> None:
    page = await browser.sign_up()
    secrets = page.words("//div[@class='secret' or contains(@class,'secret')]//code | //dd//code")
    assert page.status == 200
    assert any(secret.startswith("ck_") for secret in secrets)
    assert page.words("//h3") == [
        "REST",
        "Orange API",
        "NetOxygen",
        "CapitoleMobile",
        "Axialys",
        "Keyyo",
        "SMPP",
    ]
    assert page.words("//*[@id='purse']/b") == ["200"]
    again = await browser.get("/account")
    key = next(secret for secret in secrets if secret.startswith("ck_"))
    assert key not in again.text
    assert f"…{key[-4:]}" in again.text


async def test_a_password_that_is_too_short_is_refused_beside_its_field(browser: Browser) -> None:
    page = await browser.sign_up(password="short")
    assert page.status == 422
    assert page.words("//*[@id='password-said']") == [
        "A password needs 10 to 200 characters. Choose a longer one."
    ]
    assert page.find("//input[@name='email']/@value") == ["camille@example.com"]


async def test_an_address_signs_up_once(browser: Browser, stranger: Browser) -> None:
    await browser.sign_up()
    page = await stranger.sign_up()
    assert page.status == 422
    assert "has an account already" in page.words("//*[@id='email-said']")[0]


async def test_a_wrong_password_does_not_let_in(browser: Browser, stranger: Browser) -> None:
    await browser.sign_up()
    page = await stranger.post("/login", {"email": "camille@example.com", "password": "another one"})
    assert page.status == 401
    assert "do not go together" in page.words("//*[@id='password-said']")[0]
    assert (await stranger.get("/account")).words("//h1") == ["Log in"]


async def test_too_many_wrong_passwords_close_the_door_for_a_while(
    browser: Browser, stranger: Browser, sandbox_world: World
) -> None:
    await browser.sign_up()
    wrong = {"email": "camille@example.com", "password": "another one"}
    statuses = [(await stranger.post("/login", wrong)).status for _ in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    right = {"email": "camille@example.com", "password": PASSWORD}
    assert (await stranger.post("/login", right)).status == 429
    sandbox_world.clock.move(minutes=2)
    assert (await stranger.post("/login", right)).words("//h1") == ["Telephones"]


async def test_a_visitor_is_sent_to_the_page_asked_for_after_the_login(
    browser: Browser, stranger: Browser
) -> None:
    await browser.sign_up()
    asked = await stranger.ask("GET", "/messages?q=to:06")
    assert (asked.status, asked.headers["location"]) == (303, "/login?next=/messages%3Fq%3Dto%3A06")
    login = {"email": "camille@example.com", "password": PASSWORD}
    page = await stranger.post(asked.headers["location"], login)
    assert page.find("//input[@name='q']/@value") == ["to:06"]


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_a_login_never_leads_to_another_host(browser: Browser, elsewhere: str) -> None:
    await browser.sign_up()
    page = await browser.ask("GET", f"/language/fr?back={elsewhere}")
    assert page.headers["location"] == "/"


async def test_a_form_without_a_token_is_refused_and_does_nothing(browser: Browser) -> None:
    await browser.sign_up()
    before = (await browser.get("/numbers")).find("//*[@class='sentence']")
    page = await browser.ask("POST", "/numbers", {"token": ""})
    assert page.status == 403
    assert page.words("//h1") == ["This form is no longer good"]
    assert len((await browser.get("/numbers")).find("//*[@class='sentence']")) == len(before)


async def test_the_token_of_somebody_else_is_refused(browser: Browser, stranger: Browser) -> None:
    await browser.sign_up()
    await stranger.sign_up("other@example.com")
    (token, *_) = (await stranger.get("/account")).find("//input[@name='token']/@value")
    assert (await browser.ask("POST", "/numbers", {"token": token})).status == 403


async def test_a_token_of_before_the_login_is_refused_after_it(browser: Browser) -> None:
    (token,) = (await browser.get("/sign-up")).find("//input[@name='token']/@value")
    await browser.sign_up()
    assert (await browser.ask("POST", "/numbers", {"token": token})).status == 403


async def test_a_form_sent_by_another_site_is_refused(browser: Browser) -> None:
    await browser.sign_up()
    page = await browser.post("/numbers", at="/account", sec_fetch_site="cross-site")
    assert page.status == 403


async def test_no_two_pages_have_the_same_token(browser: Browser) -> None:
    tokens = [(await browser.get("/login")).find("//input[@name='token']/@value")[0] for _ in range(2)]
    assert tokens[0] != tokens[1]


async def test_logging_out_ends_the_session_for_good(browser: Browser) -> None:
    await browser.sign_up()
    kept = dict(browser.cookies)
    page = await browser.post("/logout", at="/account")
    assert page.words("//*[@role='status']") == ["You are logged out."]
    assert "chappe_session" not in browser.cookies
    thief = Browser(browser.application, cookies=kept)
    assert (await thief.get("/account")).words("//h1") == ["Log in"]


async def test_changing_the_password_ends_other_sessions_and_keeps_this_one(browser: Browser) -> None:
    await browser.sign_up()
    other = Browser(browser.application, cookies=dict(browser.cookies))
    changed = {"old": PASSWORD, "password": "a new password"}
    page = await browser.post("/account/password", changed, at="/account")
    assert "The password is changed" in page.words("//*[@role='status']")[0]
    assert (await other.get("/account")).words("//h1") == ["Log in"]


async def test_a_wrong_present_password_changes_nothing(browser: Browser) -> None:
    await browser.sign_up()
    changed = {"old": "nothing", "password": "a new password"}
    page = await browser.post("/account/password", changed, at="/account")
    assert page.status == 422
    assert page.words("//*[@id='old-said']") == ["This is not your present password. Type it again."]


async def test_a_session_ends_by_its_age(browser: Browser, sandbox_world: World) -> None:
    await browser.sign_up()
    sandbox_world.clock.move(days=15)
    assert (await browser.get("/account")).words("//h1") == ["Log in"]


async def test_a_cookie_that_was_changed_is_no_session(browser: Browser) -> None:
    await browser.sign_up()
    account, *rest = browser.cookies["chappe_session"].split(".")
    browser.cookies["chappe_session"] = ".".join([str(int(account) + 1), *rest])
    assert (await browser.get("/account")).words("//h1") == ["Log in"]


@pytest.mark.parametrize("cookie", ["", ".", "a.b.c.d.e.f", "1.2.3", "é"])
async def test_a_cookie_that_is_nonsense_is_no_session(browser: Browser, cookie: str) -> None:
    browser.cookies["chappe_session"] = cookie
    assert (await browser.get("/account")).words("//h1") == ["Log in"]


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    (token,) = (await browser.get("/sign-up")).find("//input[@name='token']/@value")
    form = {"token": token, "email": "camille@example.com", "password": PASSWORD}
    page = await browser.ask("POST", "/sign-up", form)
    assert page.headers["set-cookie"].startswith("chappe_session=")
    assert "HttpOnly" in page.headers["set-cookie"]
    assert "SameSite=lax" in page.headers["set-cookie"]
    assert "Secure" not in page.headers["set-cookie"]


async def test_cookies_stay_on_https_where_the_platform_is_reached_by_it(browser: Browser) -> None:
    browser.scheme = "https"
    assert "Secure" in (await browser.ask("GET", "/login")).headers["set-cookie"]


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/static/x/console.css"])
async def test_every_answer_carries_the_headers_that_keep_it_safe(browser: Browser, path: str) -> None:
    headers = (await browser.ask("GET", path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_form_that_is_too_large_is_refused_in_words(browser: Browser) -> None:
    page = await browser.post("/login", {"email": "a" * 300_000})
    assert page.status == 413
    assert page.words("//h1") == ["This form is too large"]


async def test_a_suspended_account_is_out_at_once(browser: Browser, sandbox_world: World) -> None:
    from chappe.services import accounts

    await browser.sign_up()
    user = await sandbox_world.platform.store.queries.user_by_email("camille@example.com")
    account = await sandbox_world.platform.store.queries.account(user.account_id)
    await accounts.suspend_account(sandbox_world.platform, account, True)
    assert (await browser.get("/account")).words("//h1") == ["Log in"]


async def test_a_member_sends_files_and_a_visitor_does_not(sandbox_world: World) -> None:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    (token,) = (await browser.get("/calls")).find("//form[@class='card']//input[@name='token']/@value")
    parts = (("token", token), ("first", "+33639980011"), ("second", "+33639980012"))
    head = "--limit\r\nContent-Disposition: form-data; name="
    body = "".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in parts)
    sent = (body + "--limit--\r\n").encode()
    kind = {"content-type": "multipart/form-data; boundary=limit"}
    page = await browser.ask("POST", "/calls", sent, kind)
    assert page.status == 303
    broken = await browser.ask("POST", "/calls", sent[:80], kind)
    assert broken.status == 403
    browser.cookies.clear()
    assert (await browser.ask("POST", "/login", sent, kind)).status == 403
