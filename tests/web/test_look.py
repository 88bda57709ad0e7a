"""The style keeps its promises: contrast, weight, no third party."""

import gzip
import re
from pathlib import Path

import pytest

import chappe.web
from chappe.web import rendering

STATIC = Path(chappe.web.__file__).parent / "static"
CSS = (STATIC / "console.css").read_text(encoding="utf-8")
PAIRS = [
    ("ink", "canvas"),
    ("ink", "surface"),
    ("ink", "sunk"),
    ("ink", "accent-wash"),
    ("ink", "done-wash"),
    ("ink", "failed-wash"),
    ("ink", "waiting-wash"),
    ("ink-soft", "canvas"),
    ("ink-soft", "surface"),
    ("ink-soft", "sunk"),
    ("ink-faint", "canvas"),
    ("ink-faint", "surface"),
    ("ink-faint", "sunk"),
    ("accent", "canvas"),
    ("accent", "surface"),
    ("accent", "accent-wash"),
    ("on-accent", "accent-fill"),
    ("on-accent", "accent-fill-hover"),
    ("failed", "surface"),
    ("done", "surface"),
    ("held", "surface"),
    ("waiting", "waiting-wash"),
    ("done", "done-wash"),
    ("failed", "failed-wash"),
    ("held", "held-wash"),
    ("code-ink", "code"),
    ("code-faint", "code"),
]


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


LIGHT = colours(CSS[: CSS.index("@media (prefers-color-scheme: dark)")])
DARK = LIGHT | colours(CSS[CSS.index("@media (prefers-color-scheme: dark)") : CSS.index("*, *::before")])


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: dict[str, str], text: str, ground: str) -> None:
    high, low = sorted((luminance(scheme[text]), luminance(scheme[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def test_the_line_under_an_sms_that_nobody_took_is_no_bubble() -> None:
    (rule,) = re.findall(r"(?m)^\.bubble\.out > \.unowned \{(.+)\}$", CSS)
    assert "color: var(--held)" in rule  # on the telephone's surface, see PAIRS
    assert "background: none" in rule


def test_the_first_view_is_light() -> None:
    files = sum(len(gzip.compress(path.read_bytes())) for path in STATIC.iterdir())
    pages = max(len(path.read_bytes()) for path in (STATIC.parent / "templates").iterdir())
    assert files + pages <= 60_000


def test_the_style_fetches_nothing_from_elsewhere() -> None:
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"(?m)^//.*|(?<=[;{}] )//.*", "", text), path.name


def test_every_icon_in_use_is_drawn() -> None:
    drawn = set(re.findall(r'symbol id="([a-z]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    templates = "".join(path.read_text(encoding="utf-8") for path in (STATIC.parent / "templates").iterdir())
    asked = set(re.findall(r'icon\("([a-z]+)"\)', templates))
    assert asked | {"none", "waiting", "done", "failed", "held", "notice"} <= drawn


def test_the_address_of_a_static_file_changes_with_its_content() -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{10}/console\.css", rendering.static("console.css"))
