"""Every sound as samples: what carriers play."""

from chappe.media import tones
from chappe.model.sounds import Sound, Speech, Tone, Uploaded
from chappe.services.ports import Platform


async def samples(platform: Platform, account_id: int, sound: Sound) -> bytes:
    """A sound as samples (8 kHz, 16 bits, mono); of a tone that goes on one period, to be repeated.

    Empty where there is nothing to hear: a text without words, a sound that the account has deleted.
    """
    match sound:
        case Tone():
            return tones.tone(sound)
        case Speech():
            return await platform.synthesizer.speak(sound)
        case Uploaded():
            return b""
