"""Style sheets of strangers: what stays, what goes, and that nothing that loads or runs ever stays."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chappe.model.stylesheets import StyleError, clean

KEPT = (
    ("a{color:teal}", "a{color:teal;}\n"),
    ("h1 , .x > b{ margin : 0 auto !important }", "h1 , .x > b{margin:0 auto !important;}\n"),
    ("p{width:calc(100% - 2em);color:var(--c)}", "p{width:calc(100% - 2em);color:var(--c);}\n"),
    ("p{--c:#0aa}", "p{--c:#0aa;}\n"),
    # A comment between the two tokens, as CSS Syntax section 9 has it.
    ("li:nth-child(2n+1){color:hsl(9 9% 9%)}", "li:nth-child(2n/**/+1){color:hsl(9 9% 9%);}\n"),
    ("@media (min-width:40em){a{top:0}}", "@media (min-width:40em){a{top:0;}\n}\n"),
    ('a::after{content:"é </style>"}', 'a::after{content:"é \\3c /style>";}\n'),
    ("/* url(x) */a{color:red}", "a{color:red;}\n"),
    ("\ufeffa{color:red}", "a{color:red;}\n"),
)

GONE = (
    "@import 'https://example.com/a.css';",
    "@font-face{font-family:x;src:url(https://example.com/x.woff)}",
    "a{background:url(https://example.com/spy.png)}",
    "a{background:URL('//example.com')}",
    r"a{background:u\72l(https://example.com)}",
    "a{background:image-set('https://example.com/x' 1x)}",
    "a{background:src('https://example.com')}",
    "a{width:expression(alert(1))}",
    r"a{width:e\78pression(alert(1))}",
    "a{behavior:anything}",
    "a{-moz-binding:anything}",
    "a{background:url(data:image/svg+xml,x)}",
    "a{b:{c:url(x)}}",
    "@media all{a{background:url(x)}}",
    "@namespace url(x);",
    "@charset 'utf-7';",
    "@supports (color:red){@import 'x';}",
    "a{width:calc(url(x))}",
    "a{color:red",
    "<!-- a{}",
)


@pytest.mark.parametrize(("written", "kept"), KEPT)
def test_what_only_looks_stays(written: str, kept: str) -> None:
    assert clean(written.encode()) == kept


@pytest.mark.parametrize("written", GONE[:-2])
def test_what_loads_or_runs_goes(written: str) -> None:
    assert clean(written.encode()) == ""
    # And takes nothing with it.
    assert clean(f"b{{top:0}}\n{written}\nb{{left:0}}".encode()).startswith("b{top:0;}\n")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(StyleError, match="UTF-8"):
        clean(b"a{color:\xff}")


def test_blocks_without_end() -> None:
    for opened in ("{", "(", "[", "@media a{"):
        try:
            clean((opened * 5_000).encode())
        except StyleError as error:
            assert "deeply" in str(error)


PIECES = st.lists(
    st.sampled_from(
        (
            *(
                "a",
                "{",
                "}",
                "(",
                ")",
                ":",
                ";",
                "url(",
                "u\\72l(",
                "@import ",
                "'",
                '"',
                "\\",
                "<",
                "/*",
                "*/",
            ),
            *("x", "expression(", "//h", "@media ", ",", "\n", "color", "red", "calc(", "var("),
            *("</style>", "--x", "!important", "#", "%", "src("),
        )
    ),
    max_size=30,
)


@given(PIECES)
def test_nothing_that_loads_or_runs_ever_stays(pieces: list[str]) -> None:
    kept = clean("".join(pieces).encode())
    outside = re.sub(r'"(\\.|[^"\\])*"', '""', kept, flags=re.DOTALL)
    assert "url(" not in outside.replace("\\72 ", "r") and "expression(" not in outside
    assert "@import" not in outside and "<" not in kept
    assert clean(kept.encode()) == kept
