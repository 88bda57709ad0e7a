"""Style sheets that strangers wrote, made harmless: colours, sizes and places stay, what loads or runs goes.

Read after CSS Syntax Level 3 and written anew from what was understood, so that nothing is left that browsers
read in another way. What stays is a list; everything else goes: at-rules but `@media`, every URL, every
function that is not known to compute a value.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import tinycss2

_FUNCTIONS = frozenset(
    (
        *("rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch", "color", "color-mix"),
        *("light-dark", "calc", "min", "max", "clamp", "minmax", "repeat", "fit-content", "var"),
        *("linear-gradient", "radial-gradient", "conic-gradient", "repeating-linear-gradient"),
        *("repeating-radial-gradient", "repeating-conic-gradient", "translate", "translatex", "translatey"),
        *("scale", "scalex", "scaley", "rotate", "skew", "skewx", "skewy", "matrix", "cubic-bezier", "steps"),
        *("blur", "brightness", "contrast", "drop-shadow", "grayscale", "hue-rotate", "invert", "opacity"),
        *("saturate", "sepia", "inset", "circle", "ellipse", "polygon"),
    )
)
_SELECTING = frozenset(
    (
        *("is", "where", "not", "has", "nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type"),
        *("lang", "dir"),
    )
)
_RUNNING = frozenset(("behavior", "-ms-behavior", "-moz-binding"))
_DEEPEST = 20


class StyleError(ValueError):
    """The bytes are no style sheet."""


def clean(octets: bytes) -> str:
    """A style sheet as text without whatever could load, run, or end a `<style>` element. Raises StyleError
    for bytes that are no UTF-8 text."""
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StyleError(f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
        return "".join(_rules(rules, 0))
    except RecursionError as error:
        raise StyleError("its blocks are nested too deeply") from error


def _rules(rules: Iterable[Any], depth: int) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule" and _is_harmless(rule.prelude, _SELECTING):
            body = "".join(_declarations(rule.content))
            if body:
                yield f"{_text(rule.prelude)}{{{body}}}\n"
        elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None:
            if depth >= _DEEPEST or not _is_harmless(rule.prelude, frozenset()):
                continue
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            body = "".join(_rules(inner, depth + 1))
            if body:
                yield f"@media {_text(rule.prelude)}{{{body}}}\n"


def _declarations(content: Any) -> Iterator[str]:
    # What is nested in a rule is left out: it would be read by newer browsers only.
    for one in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if one.type != "declaration" or one.lower_name in _RUNNING:
            continue
        if not one.name.replace("-", "").replace("_", "").isalnum() or not _is_harmless(
            one.value, _FUNCTIONS
        ):
            continue
        important = " !important" if one.important else ""
        yield f"{one.name}:{_text(one.value)}{important};"


def _is_harmless(tokens: Iterable[Any], functions: frozenset[str]) -> bool:
    for token in tokens:
        match token.type:
            case "url" | "error" | "at-keyword" | "{} block" | "unicode-range":
                return False
            case "function":
                if token.lower_name not in functions or not _is_harmless(token.arguments, functions):
                    return False
            case "() block" | "[] block":
                if not _is_harmless(token.content, functions):
                    return False
            case "literal" if token.value in ("<!--", "-->"):
                return False
            case _:
                pass
    return True


def _text(tokens: Iterable[Any]) -> str:
    written: str = tinycss2.serialize([token for token in tokens if token.type != "comment"]).strip()
    # Only strings and comparisons can have it, and no browser may take it for the end of an element.
    return written.replace("<", "\\3c ")
