"""Why something was held, warned of or refused: the rule in the reader's language, its source, what to do."""

from dataclasses import dataclass

from chappe.model.errors import Fault, Refusal
from chappe.model.messages import Message, MessageState
from chappe.model.network import Reason
from chappe.model.rules import HouseRule, find_provision
from chappe.web import words
from chappe.web.rendering import translate
from chappe.web.words import N_


@dataclass(frozen=True, slots=True)
class Told:
    """A rule as a person reads it: a sentence, its source, and what can be done (empty: nothing needs to be).
    One that is not `verified` only warns; one that is `listed` stands on the page of rules."""

    id: str
    text: str
    source: str
    remedy: str
    verified: bool = True
    listed: bool = False


HOUSE: dict[str, str] = {
    HouseRule.DESTINATIONS: N_(
        "Numbers that begin like this are closed: what is sent there is often paid by somebody who was "
        "cheated."
    ),
    HouseRule.BRAKE: N_(
        "Many messages went to neighbouring numbers within ten minutes and next to none arrived, as when "
        "somebody pumps up traffic."
    ),
    HouseRule.SENDER: N_("This account has no proven right to show this sender."),
    HouseRule.CAP: N_("What this account may spend in a day is spent."),
}
"""The platform's own rules."""

REMEDY: dict[str, str] = {
    "fr-marketing-consent": N_(
        "Once its owner has agreed or bought from you, record that under Account, What you may send, "
        "and send again. Write a notice, such as an order that has left, without the mark of "
        "advertising."
    ),
    "fr-marketing-stop": N_("Write STOP and where to send it into your text to choose where it stands."),
    "fr-marketing-hours-2025": N_("Choose a time from 8:00 to 22:00 on a working day."),
    "fr-marketing-hours-2026": N_(
        "Nothing needs to be done: it leaves at the next allowed time. A notice that is no advertisement "
        "leaves at once; send it again without the mark of advertising."
    ),
    "fr-marketing-sundays": N_("Choose a working day."),
    "fr-short-code-38": N_("Send it from a short code that begins with 36."),
    "fr-mobile-sender": N_("Send it from a short code, or under a name."),
    "ch-marketing-consent": N_("Send it only to people who have agreed."),
    "ch-marketing-stop": N_("Write STOP and where to send it into your text."),
    HouseRule.DESTINATIONS: N_("Ask whoever runs this platform to open them for your account."),
    HouseRule.BRAKE: N_(
        "Look whether somebody makes a form of yours send. It is let go within ten minutes, sooner when "
        "messages arrive."
    ),
    HouseRule.SENDER: N_("Ask whoever runs this platform to register it, or use one of your numbers."),
    HouseRule.CAP: N_(
        "Wait until 00:00 UTC, or ask whoever runs this platform for a higher cap. Nothing was sent or "
        "charged."
    ),
}
"""What a person can do about each rule."""

WAITS: dict[str, str] = {
    Reason.LATER: N_(
        "Its network refused it for now. Nothing needs to be done: it is asked again by itself."
    ),
    Reason.DOWN: N_(
        "Its network cannot be reached. Nothing needs to be done: it leaves when the network is back, and"
        " if that takes too long it expires and its price is given back."
    ),
    Reason.GONE: N_(
        "Its network is not set up here any more. Ask whoever runs this platform to move it to another "
        "one; otherwise it expires and its price is given back."
    ),
    Reason.TURN: N_("Waiting for its turn at its network."),
}
"""What the sender of a queued message is told."""

ENDED: dict[Fault, str] = {
    Fault.INVALID_RECIPIENT: N_("Its network knows no such number. Check it and send again."),
    Fault.INVALID_SENDER: N_("Its network does not take this sender. Choose another and send again."),
    Fault.CONTENT_TOO_LONG: N_("Its network takes no text of this length. Shorten it and send again."),
    Fault.UNSUPPORTED: N_("Its network cannot carry a message of this kind. Change its text and send again."),
    Fault.CARRIER_REJECTED: N_("Its network refused it for good. What it said is beside this, under Facts."),
    Fault.CARRIER_UNAVAILABLE: N_("It was stopped before its network took it. You can send it again."),
}
"""What became of a message that failed; a form that is refused with the same fault reads otherwise."""


def tell(rule: str, language: str) -> Told:
    """A rule by its id, such as a message keeps it for ever; one that is no longer known has no words."""
    say = translate(language)
    remedy = say(REMEDY[rule]) if rule in REMEDY else ""
    provision = find_provision(rule)
    if provision is not None:
        sentence = words.provision(provision, language)
        return Told(rule, sentence, provision.source, remedy, provision.verified, listed=True)
    if rule in HOUSE:
        return Told(rule, say(HOUSE[rule]), say(N_("a rule of this platform")), remedy)
    return Told(rule, say(N_("A rule that is no longer known.")), "", "")


def refused(refusal: Refusal, language: str) -> str:
    """A refusal by a rule in one paragraph: what the rule says, what to do, and where it stands."""
    told = tell(refusal.rule, language)
    return f"{told.text} {told.remedy} ({told.id}, {told.source})"


def ended(message: Message, language: str) -> str:
    """What became of a message and why, in a sentence or two."""
    say = translate(language)
    if message.fault is None or message.state is MessageState.EXPIRED:
        return say(words.STATE_MEANS[message.state])
    if (message.fault, message.state) in words.FAULT_AT:
        return say(words.FAULT_AT[message.fault, message.state])
    if message.state is MessageState.FAILED and message.fault in ENDED:
        return f"{say(ENDED[message.fault])} {say(N_('The price was given back.'))}"
    return say(words.FAULT[message.fault])
