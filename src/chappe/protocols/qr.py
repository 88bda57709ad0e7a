"""QR codes as pictures."""

import segno


def svg(text: str) -> str:
    """A QR code as an SVG element that scales, dark on white with a border that scanners need."""
    code = segno.make(text, error="m", micro=False)
    return str(code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True))
