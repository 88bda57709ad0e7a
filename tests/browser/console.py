"""A person with a real browser at the console, and everything that browser had to complain of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    WebError,
    expect,
)

PASSWORD = "correct horse battery"
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
SECONDS = 1000
"""Playwright counts in milliseconds."""

_people = count(1)


@dataclass
class Watch:
    """What pages of one context logged, broke, or fetched from elsewhere than `hosts`."""

    hosts: frozenset[str]
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def over(self, context: BrowserContext) -> None:
        context.on("console", self.heard)
        context.on("weberror", self.broke)
        context.on("request", self.asked)

    def heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(word in message.text for word in self.expected):
            self.complaints.append(f"{message.type}: {message.text} ({message.location})")

    def broke(self, error: WebError) -> None:
        self.complaints.append(f"script broke: {error.error}")

    def asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in self.hosts:
            self.complaints.append(f"left loopback: {request.url}")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses the console at `url` in one browser window."""

    page: Page
    url: str
    watch: Watch

    def go(self, path: str) -> None:
        self.page.goto(f"{self.url}{path}")

    def open_live(self, path: str) -> None:
        """Open a page and wait until its wire to the server stands."""
        with self.page.expect_response(re.compile("/live")):
            self.go(path)

    def sign_up(self, email: str = "") -> str:
        """Make an account; returns its mail address. The page then shows the keys."""
        email = email or f"person-{next(_people)}@example.com"
        self.go("/")
        self.page.locator("a[href='/sign-up']").first.click()
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.locator("button.primary").click()
        expect(self.page.locator(".key").first).to_be_visible()
        return email

    def log_in(self, email: str) -> None:
        self.page.fill("#email", email)
        self.page.fill("#password", PASSWORD)
        self.page.locator("button.primary").click()

    def shown_key(self) -> str:
        """The REST key, from the page that shows it once."""
        return self.page.locator(".key .secret code").first.inner_text()

    def copied(self, button: Locator) -> str:
        """What a copy button leaves on the clipboard."""
        button.click()
        expect(button).to_have_attribute("data-copied", "")
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def claim(self, word: str, url: str, manner: str) -> None:
        """Claim a keyword on the first short code."""
        self.go("/numbers")
        self.page.fill("#claim-word", word)
        self.page.fill("#claim-url", url)
        self.page.select_option("#claim-dialect", manner)
        self.page.locator("section[aria-labelledby=claim] button.primary").click()
        expect(self.page.locator(".keyword", has_text=word)).to_be_visible()

    def subscribe(self, url: str) -> str:
        """Have `url` told of the usual events; returns the secret that signs."""
        self.go("/subscriptions")
        self.page.fill("#new-url", url)
        self.page.locator("section[aria-labelledby=new] button.primary").click()
        told = self.page.locator(".sentence", has_text=url)
        told.locator("summary").click()
        return told.locator(".secret code").inner_text()

    def tab_to(self, selector: str) -> None:
        """Press Tab until the focus is there."""
        for _ in range(120):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"Tab never reaches {selector}")

    def open_newest_message(self) -> None:
        """From the list to the first line, by keyboard."""
        self.go("/messages")
        self.page.keyboard.press("j")
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".timeline")).to_be_visible()

    def read_story(self, *wanted: str) -> str:
        """The page of a message with every fold open, once it says all of `wanted`."""
        main = self.page.locator("#message")
        for word in wanted:
            expect(main.locator(".timeline > li", has_text=word).first).to_be_visible()
        self.unfold()
        return main.inner_text()

    def unfold(self) -> None:
        """Open every fold of the page, also those of which one at a time is open."""
        every = "document.querySelectorAll('details')"
        self.page.evaluate(f"{every}.forEach(fold => {{ fold.removeAttribute('name'); fold.open = true }})")

    def overflow(self) -> int:
        """How many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def balance(self) -> float:
        """The credits that the account page shows first."""
        self.go("/account")
        shown = self.page.locator("#tiles dd").first.inner_text()
        return float(re.sub(r"[^\d,.]", "", shown).replace(",", "."))


def call_between(person: Person, first: str, second: str) -> None:
    """Have two telephones called, answer at the first, and be where both are seen: the second one rings."""
    person.go("/calls")
    person.page.fill("#first", f"+{first}")
    person.page.fill("#second", f"+{second}")
    person.page.locator("form[aria-labelledby=place] button.primary").click()
    person.page.wait_for_url("**/calls/*")
    person.open_live("/telephones")
    person.page.locator(f"#phone-{first} .call.ringing button[value=answer]").click()
    expect(person.page.locator(f"#phone-{first} .sound[aria-pressed=true]")).to_be_visible()
    expect(person.page.locator(f"#phone-{second} .call.ringing")).to_be_visible()


def hang_up(person: Person, number: str) -> None:
    """End the call that is spoken at a telephone."""
    person.page.locator(f"#phone-{number} button[value=hangup]").click()
    expect(person.page.locator(".call")).to_have_count(0)


def rows(found: Locator) -> Sequence[str]:
    """The text of each element, blanks made single."""
    texts: list[Any] = found.all_inner_texts()
    return [re.sub(r"\s+", " ", text).strip() for text in texts]
