"""One server and one Chromium for all tests with a browser; a fresh window for each person."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.browser.console import LOCALES, SECONDS, Person, Watch
from tests.browser.customer import Site, running_site
from tests.browser.network import SETTINGS, Centre, Watched, running_centre, watch_over
from tests.browser.sample import Sample, live_in
from tests.clients.running import ENVIRONMENT, Server, running_server

NETWORK = "network.chappe.example"
NAME = "chappe.example"
"""A name for the server that only our browser knows, so that pictures show no passing port."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--use-fake-device-for-media-stream",  # a microphone, and nobody is asked for it
    "--use-fake-ui-for-media-stream",
)
measured: list[str] = []
"""Sentences for pytest's summary."""

Desk = Callable[..., Person]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="package")
def centre() -> Iterator[Centre]:
    with running_centre() as centre:
        yield centre


@pytest.fixture(scope="package")
def network(tmp_path_factory: pytest.TempPathFactory, centre: Centre) -> Iterator[Server]:
    """A second server, with networks."""
    settings = SETTINGS.format(centre=centre.port)
    with running_server(tmp_path_factory.mktemp("network"), settings) as server:
        yield server


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # Not for the whole session: as long as Playwright runs, no test of this thread may have an event loop.
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def chromium(server: Server, network: Server, playwright: Playwright) -> Iterator[Browser]:
    named = (
        f"--host-resolver-rules=MAP {NAME}:80 127.0.0.1:{server.port},"
        f"MAP {NETWORK}:80 127.0.0.1:{network.port}",
        f"--unsafely-treat-insecure-origin-as-secure=http://{NAME},http://{NETWORK}",
    )
    with launched(playwright, *named) as browser:
        yield browser


@contextmanager
def launched(playwright: Playwright, *options: str) -> Iterator[Browser]:
    """A Chromium of its own."""
    browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium", args=[*QUIET, *options], env={**ENVIRONMENT}
    )
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture
def desk(server: Server, chromium: Browser) -> Iterator[Desk]:
    """Makes windows; at the end none of them may have complained."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def sit_down(language: str = "fr", url: str = server.url, **options: Any) -> Person:
        context, person = window(chromium, url, language, **options)
        opened.append((context, person.watch))
        return person

    yield sit_down
    for context, _ in opened:
        context.close()
    assert [complaint for _, watch in opened for complaint in watch.complaints] == []


@pytest.fixture(scope="package")
def sample(server: Server, chromium: Browser, site: Site) -> Sample:
    """An account with a lively past, reached under NAME."""
    context, person = window(chromium, f"http://{NAME}", "fr")
    with context:
        made = live_in(person, server, site)
    assert person.watch.complaints == []
    return made


@pytest.fixture(scope="package")
def watched(network: Server, chromium: Browser, site: Site, centre: Centre) -> Watched:
    """An operator's account with traffic, reached under NETWORK."""
    context, person = window(chromium, f"http://{NETWORK}", "fr")
    with context:
        made = watch_over(person, network, site, centre)
    assert person.watch.complaints == []
    return made


def window(chromium: Browser, url: str, language: str, **options: Any) -> tuple[BrowserContext, Person]:
    """Somebody with a window of their own."""
    context = chromium.new_context(
        **{
            "viewport": {"width": 1280, "height": 900},
            "locale": LOCALES[language],
            "timezone_id": "Europe/Paris",
            "color_scheme": "light",
            "reduced_motion": "reduce",
            **options,
        }
    )
    context.set_default_timeout(15 * SECONDS)
    if url.startswith("http://127."):
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
    watch = Watch(frozenset({"127.0.0.1", NAME, NETWORK}))
    watch.over(context)
    return context, Person(context.new_page(), url, watch)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for sentence in measured:
        terminalreporter.write_line(f"browser: {sentence}")
