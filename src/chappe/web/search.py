"""Reads the filter of the message list, as people type it, into a search."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers

from chappe.model.commands import ListMessages
from chappe.model.messages import Direction, MessageState
from chappe.web import words

PAGE = 50
_TERM = re.compile(r'(?P<key>[a-z]+):(?P<value>"[^"]*"|\S*)|(?P<word>\S+)')


@dataclass(frozen=True, slots=True)
class Filter:
    """A search, and the part of the filter that could not be understood (empty when all was)."""

    search: ListMessages
    misread: str = ""


def read(
    typed: str, cursor: int | None = None, region: str = "FR", translate: Callable[[str], str] = str
) -> Filter:
    """`to:06 state:failed dialect:orange order` as a search.

    Keys: `to`, `from` (the mobile's number, by its beginning), `number` (either way), `via` (our number or
    short code), `state` (by its beginning, also in the reader's language), `dialect`, `reference`; what has
    no known key is searched in the text. A key without a value does nothing yet.
    """
    given: dict[str, object] = {}
    loose: list[str] = []
    misread = ""
    for term in _TERM.finditer(typed):
        key, value = term["key"], (term["value"] or "").strip('"')
        match key:
            case "to" | "from" | "number":
                if not value:
                    continue
                given["peer"] = digits(value, region)
                if key != "number":
                    given["direction"] = Direction.MT if key == "to" else Direction.MO
                if not given["peer"]:
                    misread = term[0]
            case "via":
                given["address"] = digits(value, region) or value
            case "state":
                states = _states(value, translate)
                if len(states) == 1:
                    given["state"] = states[0]
                elif not states:
                    misread = term[0]
            case "dialect" | "reference":
                if value:
                    given[key] = value.lower() if key == "dialect" else value
            case _:
                loose.append(term[0])
    if loose:
        given["text"] = " ".join(loose)
    return Filter(ListMessages(**given, cursor=cursor, limit=PAGE), misread)  # type: ignore[arg-type]


def digits(written: str, region: str) -> str:
    """The beginning of a number as its owner writes it, as the beginning of its E.164 form: `06` is `336`
    in France. Empty where there are no digits."""
    plain = re.sub(r"[\s./()-]", "", written)
    found = re.sub(r"\D", "", plain)
    if plain.startswith("+"):
        return found
    if found.startswith("00"):
        return found[2:]
    if found.startswith("0"):
        return f"{phonenumbers.country_code_for_region(region)}{found[1:]}"
    return found


def _states(typed: str, translate: Callable[[str], str]) -> list[MessageState]:
    start = typed.casefold()
    exact = [state for state in MessageState if start in (state, translate(words.STATE[state]).casefold())]
    return exact or [
        state
        for state in MessageState
        if state.startswith(start) or translate(words.STATE[state]).casefold().startswith(start)
    ]
