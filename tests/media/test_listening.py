"""Who talks, who is a machine and when it records, which keys sound."""

import random
from itertools import pairwise

import pytest

from chappe.media import pcm, tones
from chappe.media.listening import LOUD, Amd, Heard, Judge, Keys, VoiceActivity
from tests.media.sounds import said, word


def judged(sound: bytes, amd: Amd | None = None) -> list[tuple[Heard, int]]:
    """What is said of a sound, each with the milliseconds after which."""
    judge, found = Judge(amd), []
    for place, frame in enumerate(pcm.frames(sound), 1):
        found += [(what, place * 20) for what in judge.hear(frame, pcm.rms(frame) >= LOUD)]
    return found


def test_a_short_word_and_silence_is_a_person() -> None:
    assert judged(said(-0.4, 0.4, -3)) == [(Heard.PERSON, 1600)]
    assert judged(said(-0.2, 0.3, -0.2, 0.4, -3)) == [(Heard.PERSON, 1900)]


def test_a_click_is_no_word() -> None:
    assert judged(said(-0.4, 0.04, -0.5, 0.4, -3)) == [(Heard.PERSON, 2140)]


def test_many_words_or_a_long_greeting_are_a_machine() -> None:
    (what, at), *_ = judged(said(-0.3, 0.3, -0.1, 0.3, -0.1, 0.3, -0.1, 0.3, -1))
    assert what is Heard.MACHINE and at < 1400
    (what, at), *_ = judged(said(-0.3, 2.0, -1))
    assert what is Heard.MACHINE and at == 1800


def test_silence_is_a_machine_as_for_asterisk() -> None:
    assert judged(tones.silence(4)) == [(Heard.MACHINE, 2500)]
    assert judged(tones.silence(6)) == [(Heard.MACHINE, 2500), (Heard.READY, 5000)]


def test_what_is_not_decided_counts_as_a_person() -> None:
    amd = Amd(greeting=9000, after_greeting_silence=9000, initial_silence=9000)
    assert judged(said(-0.4, 0.4, -9), amd) == [(Heard.PERSON, 5000)]


@pytest.mark.parametrize("hertz", [425, 1000, 1400, 1950])
@pytest.mark.parametrize("carried", [lambda sound: sound, lambda sound: pcm.from_ulaw(pcm.to_ulaw(sound))])
def test_a_machine_is_ready_after_its_tone(hertz: int, carried) -> None:
    greeting = said(-0.3, 2.0, -0.4, 1.5, -0.3)
    sound = carried(greeting + tones.sine(hertz, 0.333) + tones.silence(4))
    (first, _), (second, at) = judged(sound)
    assert (first, second) == (Heard.MACHINE, Heard.READY)
    assert 100 <= at - (4500 + 333) <= 140


def test_a_machine_without_a_tone_is_ready_after_silence() -> None:
    assert judged(said(-0.3, 2.0, -0.4, 1.5, -4))[-1] == (Heard.READY, 4200 + 1500)


def test_a_tone_alone_is_a_machine() -> None:
    sound = tones.silence(0.5) + tones.sine(1400, 0.4) + tones.silence(3)
    assert judged(sound) == [(Heard.MACHINE, 1000), (Heard.READY, 1000)]


@pytest.mark.parametrize(
    "tone", [tones.sine(300, 0.4), tones.sine(2400, 0.4), tones.sine(1000, 0.06), tones.keys("5", 0.4)]
)
def test_other_sounds_are_not_its_tone(tone: bytes) -> None:
    greeting = said(-0.3, 2.0, -0.4, 1.5, -0.3)
    _, (what, at) = judged(greeting + tone + tones.silence(4))
    assert what is Heard.READY and at >= 4500 + 1500


def test_a_tone_within_the_greeting_is_not_its_end() -> None:
    greeting = said(-0.3, 2.0) + tones.sine(1000, 0.3) + said(1.0, -0.3)
    _, (what, at) = judged(greeting + tones.silence(4))
    assert what is Heard.READY and at >= 3600 + 1480


def test_talking_begins_and_stops() -> None:
    talking, changes = VoiceActivity(), []
    for place, frame in enumerate(pcm.frames(said(-0.2, 0.04, -0.5, 0.6, -0.4, 0.6, -2)), 1):
        change = talking.hear(pcm.rms(frame) >= LOUD)
        if change is not None:
            changes.append((change, place * 20))
    assert changes == [(True, 840), (False, 3340)]


def test_keys_in_a_sound_are_found_each_once() -> None:
    pressed = "0123456789*#ABCD1100"
    for on, off in ((0.1, 0.1), (0.06, 0.06)):
        keys = Keys()
        sound = pcm.from_ulaw(pcm.to_ulaw(tones.silence(0.013) + tones.keys(pressed, on, off)))
        assert "".join(map(keys.hear, pcm.frames(sound))) == pressed


def test_a_voice_presses_no_key() -> None:
    chance, keys = random.Random(4), Keys()
    for low, high in pairwise(chance.choices(range(90, 3000), k=200)):
        voice = pcm.mix(word(0.06), tones.sine(low, 0.06, 3000), tones.sine(high, 0.06, 3000))
        assert [keys.hear(frame) for frame in pcm.frames(voice)] == [""] * 3
