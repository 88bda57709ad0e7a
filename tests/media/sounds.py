"""Sounds of people and machines for the tests: made, never recorded."""

from chappe.media import pcm, tones


def word(seconds: float) -> bytes:
    """Something like a voice: many frequencies at once, none of them alone."""
    return pcm.mix(*(tones.sine(hertz, seconds, 2500) for hertz in (210, 433, 651, 977, 1490)))


def said(*pieces: float) -> bytes:
    """Words (positive seconds) and silence (negative)."""
    return b"".join(word(piece) if piece > 0 else tones.silence(-piece) for piece in pieces)
