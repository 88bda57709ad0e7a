"""An answerphone: it greets whoever is up, records what is said after the tone, and hangs up."""

from dataclasses import dataclass

from chappe.flows import program
from chappe.flows.program import Action, CallEvent
from chappe.model.sounds import Speech, Tone

LONGEST_SECONDS = 180
"""How long a message may be (our choice)."""

MESSAGE = "message"

_GREETING = {
    "fr": "Votre correspondant n'est pas disponible. Laissez un message après le bip sonore.",
    "en": "The person you are calling is not available. Please leave a message after the tone.",
}


@dataclass(slots=True)
class Answerphone:
    """`greeting` is what it says, empty for the platform's words. It is over with `is_done`."""

    leg: str
    greeting: str = ""
    language: str = "fr"
    is_done: bool = False

    _beeps: bool = False

    def begin(self) -> list[Action]:
        """The leg is up."""
        text = self.greeting or _GREETING[self.language]
        return [program.Play(self.leg, Speech(text, self.language))]

    def step(self, event: CallEvent) -> list[Action]:
        """What is to be done about an event."""
        match event:
            case program.PlayDone(leg) if leg == self.leg and not self._beeps:
                self._beeps = True
                return [program.Play(self.leg, Tone.BEEP)]
            case program.PlayDone(leg) if leg == self.leg:
                return [program.Record(MESSAGE, self.leg, LONGEST_SECONDS, MESSAGE)]
            case program.RecordDone():
                self.is_done = True
                return [program.HangUp(self.leg)]
            case _:
                return []
