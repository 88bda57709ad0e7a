"""Every form of the console, asked as another site would have a browser ask it: nothing is done."""

import re

from starlette.routing import Route

from chappe.web import pages
from chappe.web.popup import PATH as POPUP
from tests.platform import World
from tests.web.browser import Browser

_VISITORS = ("/login", "/sign-up", "/logout")
"""Forms that people fill in who have not logged in; their token is bound to a cookie of theirs."""

OPEN = {"/", "/language/1", "/login", "/metrics", "/provisioning/1", "/sign-up", "/static/1/1"}
"""What is there without a login; metrics and provisioning have a secret of their own."""


def paths(world: World, method: str) -> list[str]:
    """The address of each page or form; the widget's are for other people's pages, and have a proof
    instead."""
    routes = [one for one in pages.build(world.platform).routes if isinstance(one, Route)]
    found = [one.path for one in routes if method in (one.methods or ())]
    assert len(found) >= 50
    return [re.sub(r"{[^}]*}", "1", path) for path in found if not path.startswith(POPUP)]


async def test_no_form_does_anything_without_its_token(sandbox_world: World) -> None:
    browser = Browser(sandbox_world.chappe.application)
    await browser.sign_up()
    own = (await browser.get("/account")).find("//input[@name='token']/@value")[0]
    other = Browser(sandbox_world.chappe.application)
    await other.sign_up("other@example.com")
    theirs = (await other.get("/account")).find("//input[@name='token']/@value")[0]
    for path in paths(sandbox_world, "POST"):
        for token in ("", theirs, f"{own}x"):
            page = await browser.ask("POST", path, {"token": token, "name": "x"})
            assert page.status == 403, (path, token)
        page = await browser.ask("POST", path, {"token": own, "name": "x"}, {"sec-fetch-site": "cross-site"})
        assert page.status == 403, path


async def test_no_form_of_members_does_anything_for_who_has_not_logged_in(sandbox_world: World) -> None:
    visitor = Browser(sandbox_world.chappe.application)
    token = (await visitor.get("/login")).find("//input[@name='token']/@value")[0]
    for path in paths(sandbox_world, "POST"):
        page = await visitor.ask("POST", path, {"token": token, "name": "x"})
        if path not in _VISITORS:
            assert (page.status, page.headers.get("location")) == (303, "/login"), path


async def test_pages_of_members_send_visitors_to_the_login(sandbox_world: World) -> None:
    visitor = Browser(sandbox_world.chappe.application)
    open_to_all = set()
    for path in paths(sandbox_world, "GET"):
        page = await visitor.ask("GET", path)
        if page.headers.get("location", "").partition("?")[0] != "/login":
            open_to_all.add(path)
    assert open_to_all == OPEN
