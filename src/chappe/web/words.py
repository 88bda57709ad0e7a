"""The words that pages use for the platform's own names, marked for translation."""

from chappe.model.announcements import AnnouncementState, AnsweredBy, OnMachine, OnPerson, RecipientState
from chappe.model.announcements import Reason as Missed
from chappe.model.callbacks import CallbackState, FormFile
from chappe.model.calls import CallOutcome, HangUpCause, LegState, LineNews, RecordingPurpose
from chappe.model.carriers import LinkState
from chappe.model.conferences import AccessMode, ConferenceState, ParticipantState
from chappe.model.directory import CredentialKind
from chappe.model.errors import Fault
from chappe.model.events import EventName
from chappe.model.jobs import Job, JobState
from chappe.model.ledger import EntryKind
from chappe.model.messages import MessageState, Purpose
from chappe.model.network import Reason
from chappe.model.ringgroups import RingOrder
from chappe.model.rules import Basis, Effect, Provision
from chappe.model.sounds import Tone
from chappe.services.popups import Step


def N_(message: str) -> str:
    """Mark a text for the catalogues; it is translated where it is shown."""
    return message


# Which of the four state colours a state has; `none` is grey.
TONE: dict[str, str] = {
    MessageState.SCHEDULED: "held",
    MessageState.QUEUED: "waiting",
    MessageState.SENDING: "waiting",
    MessageState.SENT: "waiting",
    MessageState.DELIVERED: "done",
    MessageState.UNDELIVERED: "failed",
    MessageState.EXPIRED: "failed",
    MessageState.FAILED: "failed",
    MessageState.CANCELLED: "none",
    MessageState.RECEIVED: "done",
    JobState.WAITING: "waiting",
    JobState.RUNNING: "waiting",
    JobState.DONE: "done",
    JobState.DEAD: "failed",
}

STATE: dict[str, str] = {
    "accepted": N_("Accepted"),
    MessageState.SCHEDULED: N_("Scheduled"),
    MessageState.QUEUED: N_("Queued"),
    MessageState.SENDING: N_("Sending"),
    MessageState.SENT: N_("Sent"),
    MessageState.DELIVERED: N_("Delivered"),
    MessageState.UNDELIVERED: N_("Undelivered"),
    MessageState.EXPIRED: N_("Expired"),
    MessageState.FAILED: N_("Failed"),
    MessageState.CANCELLED: N_("Cancelled"),
    MessageState.RECEIVED: N_("Received"),
}

STATE_MEANS: dict[str, str] = {
    "accepted": N_("Taken from you and stored."),
    MessageState.SCHEDULED: N_("Held until the time you asked for."),
    MessageState.QUEUED: N_("Waiting for its network to take it."),
    MessageState.SENDING: N_("On its way to the network; the answer is not here yet."),
    MessageState.SENT: N_("The network took it."),
    MessageState.DELIVERED: N_("The network says that the telephone has it."),
    MessageState.UNDELIVERED: N_(
        "The network says that it could not be delivered. The price was given back."
    ),
    MessageState.EXPIRED: N_("The telephone was not reached in time."),
    MessageState.FAILED: N_("No network took it. The price was given back."),
    MessageState.CANCELLED: N_("Stopped by you before it left. The price was given back."),
    MessageState.RECEIVED: N_("Came in from the telephone."),
}

JOB_STATE: dict[str, str] = {
    JobState.WAITING: N_("Waiting"),
    JobState.RUNNING: N_("Being sent"),
    JobState.DONE: N_("Arrived"),
    JobState.DEAD: N_("Given up"),
    "dropped": N_("Dropped"),
}

EVENT: dict[str, str] = {
    EventName.MESSAGE_ACCEPTED: N_("accepted"),
    EventName.MESSAGE_SENT: N_("taken by the network"),
    EventName.MESSAGE_DELIVERED: N_("delivered"),
    EventName.MESSAGE_UNDELIVERED: N_("not delivered"),
    EventName.MESSAGE_EXPIRED: N_("expired"),
    EventName.MESSAGE_FAILED: N_("failed"),
    EventName.MESSAGE_CANCELLED: N_("cancelled"),
    EventName.MESSAGE_RECEIVED: N_("received from a telephone"),
    EventName.CALL_STARTED: N_("a call began"),
    EventName.CALL_ANSWERED: N_("a call was answered"),
    EventName.CALL_ENDED: N_("a call ended"),
    EventName.LEG_RINGING: N_("a telephone rang"),
    EventName.LEG_ANSWERED: N_("a telephone was answered"),
    EventName.LEG_ENDED: N_("a telephone was put down"),
    EventName.RECORDING_ENDED: N_("a recording ended"),
    EventName.CONFERENCE_STARTED: N_("a conference began"),
    EventName.CONFERENCE_ENDED: N_("a conference ended"),
    EventName.PARTICIPANT_JOINED: N_("somebody came into a conference"),
    EventName.PARTICIPANT_LEFT: N_("somebody left a conference"),
    EventName.CALLBACK_REQUESTED: N_("a callback was asked for"),
    EventName.CALLBACK_STARTED: N_("a callback began"),
    EventName.CALLBACK_ANSWERED: N_("a callback was answered"),
    EventName.CALLBACK_MISSED: N_("a callback was missed"),
    EventName.CALLBACK_LEFT_MESSAGE: N_("a visitor left a message"),
    EventName.CALLBACK_CANCELLED: N_("a callback was called off"),
    EventName.CALLBACK_ENDED: N_("a callback ended"),
    EventName.ANNOUNCEMENT_STARTED: N_("an announcement began"),
    EventName.ANNOUNCEMENT_ENDED: N_("an announcement ended"),
    EventName.RECIPIENT_DONE: N_("a recipient of an announcement is done"),
    LineNews.SETUP: N_("a call of a line began"),
    LineNews.CONNECT: N_("a call of a line was answered"),
    LineNews.RELEASE: N_("a call of a line ended"),
}

LIVE: dict[str, str] = {
    LegState.DIALLING: N_("Being called"),
    LegState.RINGING: N_("Rings"),
    LegState.UP: N_("Speaking"),
    LegState.DOWN: N_("Over"),
}

RECORDED: dict[str, str] = {
    RecordingPurpose.CALL: N_("What was said"),
    RecordingPurpose.CONFERENCE: N_("The conference"),
    RecordingPurpose.MESSAGE: N_("The message left"),
}

DAYS: tuple[str, ...] = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)

CONFERENCE: dict[str, str] = {
    ConferenceState.PLANNED: N_("Planned"),
    ConferenceState.OPEN: N_("Going on"),
    ConferenceState.OVER: N_("Over"),
}

PARTICIPANT: dict[str, str] = {
    ParticipantState.EXPECTED: N_("Expected"),
    ParticipantState.CALLED: N_("Being called"),
    ParticipantState.IN: N_("In"),
    ParticipantState.LEFT: N_("Has left"),
    ParticipantState.MISSED: N_("Did not come"),
}

ANNOUNCEMENT: dict[str, str] = {
    AnnouncementState.PLANNED: N_("Planned"),
    AnnouncementState.RUNNING: N_("Going on"),
    AnnouncementState.OVER: N_("Over"),
    AnnouncementState.CANCELLED: N_("Cancelled"),
}

RECIPIENT: dict[str, str] = {
    RecipientState.WAITING: N_("Waiting"),
    RecipientState.CALLING: N_("Being called"),
    RecipientState.REACHED: N_("Reached"),
    RecipientState.MISSED: N_("Not reached"),
    RecipientState.CANCELLED: N_("Cancelled"),
    RecipientState.INTERRUPTED: N_("Interrupted"),
}

MISSED: dict[str, str] = {
    Missed.BUSY: N_("Busy"),
    Missed.NO_ANSWER: N_("Nobody answered"),
    Missed.REFUSED: N_("Rejected"),
    Missed.UNREACHABLE: N_("Unreachable"),
    Missed.MACHINE: N_("Answering machine"),
    Missed.PERSON: N_("a person answered"),
    Missed.GONE: N_("hung up before the message"),
    Missed.EXPIRED: N_("its time was over"),
    Missed.CREDIT: N_("The credits were used up"),
    Missed.FORBIDDEN: N_("may not be called"),
    Missed.FAILED: N_("Failed"),
}

ANSWERED_BY: dict[str, str] = {AnsweredBy.PERSON: N_("a person"), AnsweredBy.MACHINE: N_("a machine")}

ON_MACHINE: dict[str, str] = {
    OnMachine.LEAVE: N_("left after its tone"),
    OnMachine.PLAY: N_("played at once"),
    OnMachine.HANG_UP: N_("not played"),
}

ON_PERSON: dict[str, str] = {OnPerson.PLAY: N_("played at once"), OnPerson.HANG_UP: N_("not played")}

SPOKEN: dict[str, str] = {"fr": N_("French"), "en": N_("English")}

VOICE: dict[str, str] = {"female": N_("of a woman"), "male": N_("of a man")}

ACCESS: dict[str, str] = {
    AccessMode.ROOM_AND_CALLER: N_("by the code, or by their number"),
    AccessMode.ROOM: N_("by the code"),
    AccessMode.CALLER: N_("by their number"),
    AccessMode.NONE: N_("not at all"),
}

CALL: dict[str, str] = {
    CallOutcome.ANSWERED: N_("Spoken"),
    CallOutcome.NO_ANSWER: N_("Nobody answered"),
    CallOutcome.BUSY: N_("Busy"),
    CallOutcome.REFUSED: N_("Rejected"),
    CallOutcome.UNREACHABLE: N_("Unreachable"),
    CallOutcome.MACHINE: N_("Answering machine"),
    CallOutcome.CANCELLED: N_("Cancelled"),
    CallOutcome.FAILED: N_("Failed"),
}

CALL_TONE: dict[str, str] = {
    CallOutcome.ANSWERED: "done",
    CallOutcome.CANCELLED: "none",
    CallOutcome.NO_ANSWER: "held",
    CallOutcome.BUSY: "held",
    CallOutcome.MACHINE: "held",
    CallOutcome.REFUSED: "failed",
    CallOutcome.UNREACHABLE: "failed",
    CallOutcome.FAILED: "failed",
}

CAUSE: dict[str, str] = {
    HangUpCause.NORMAL: N_("Hung up"),
    HangUpCause.BUSY: N_("Busy"),
    HangUpCause.NO_ANSWER: N_("Nobody answered"),
    HangUpCause.REJECTED: N_("Rejected"),
    HangUpCause.UNREACHABLE: N_("Unreachable"),
    HangUpCause.CANCELLED: N_("Stopped ringing"),
    HangUpCause.NOT_CONFIRMED: N_("No key was pressed"),
    HangUpCause.TIME_LIMIT: N_("The longest time was over"),
    HangUpCause.CREDIT: N_("The credits were used up"),
    HangUpCause.FAILED: N_("Failed"),
    HangUpCause.INTERRUPTED: N_("The platform was interrupted"),
    HangUpCause.ANSWERED_ELSEWHERE: N_("Answered at another telephone"),
    HangUpCause.TRANSFERRED: N_("Transferred"),
}

TONES: dict[str, str] = {
    Tone.RINGBACK: N_("it rings at the other side"),
    Tone.BUSY: N_("the busy tone"),
    Tone.BEEP: N_("a tone"),
}

WHEN_CALLED: dict[str, str] = {
    "": N_("Rings until somebody answers"),
    "answer": N_("Answers by itself"),
    "busy": N_("Is busy"),
    "no_answer": N_("Rings, and nobody answers"),
    "reject": N_("Rejects the call"),
    "unreachable": N_("Cannot be reached"),
    "machine": N_("An answering machine answers"),
}

ENTRY: dict[str, str] = {
    EntryKind.WELCOME: N_("Welcome credits"),
    EntryKind.PAYMENT: N_("Payment"),
    EntryKind.MESSAGES: N_("Messages sent"),
    EntryKind.CALLS: N_("Calls"),
    EntryKind.GIVE_BACK: N_("Given back: not delivered"),
    EntryKind.REVENUE_SHARE: N_("Revenue share"),
    EntryKind.CORRECTION: N_("Correction"),
}

DIALECT: dict[str, str] = {
    "rest": "REST",
    "orange": "Orange API",
    "netoxygen": "NetOxygen",
    "capitole": "CapitoleMobile",
    "axialys": "Axialys",
    "keyyo": "Keyyo",
    "smpp": "SMPP",
    "console": N_("Console"),
    "sandbox": N_("Sandbox"),
    "widget": N_("Widget"),
    "sip": N_("SIP telephone"),
}

CREDENTIAL: dict[str, str] = {
    CredentialKind.KEY: N_("Key"),
    CredentialKind.PASSWORD: N_("Password"),
    CredentialKind.DIGEST: N_("Password"),
}

LINK: dict[str, str] = {
    "": N_("Not heard of yet"),
    LinkState.UP: N_("Up"),
    LinkState.STRAINED: N_("Strained"),
    LinkState.CONNECTING: N_("Connecting"),
    LinkState.DOWN: N_("Down"),
}

LINK_TONE: dict[str, str] = {
    LinkState.UP: "done",
    LinkState.STRAINED: "held",
    LinkState.CONNECTING: "waiting",
    LinkState.DOWN: "failed",
}

CARRIER: dict[str, str] = {"smpp": "SMPP", "sandbox": N_("virtual telephones")}

REASON_WAITS: dict[str, str] = {
    Reason.SCHEDULED: N_("Its sender chose a later time"),
    Reason.RULE: N_("A rule allows it no earlier"),
    Reason.LATER: N_("Its network refused it for now and is asked again"),
    Reason.DOWN: N_("Its carrier is not up"),
    Reason.GONE: N_("The settings file knows no such carrier any more"),
    Reason.TURN: N_("Its turn comes as fast as the carrier takes messages"),
}

EFFECT: dict[str, str] = {
    Effect.REFUSE: N_("Refuses"),
    Effect.HOLD: N_("Waits"),
    Effect.WARN: N_("Warns"),
    Effect.ADD_TEXT: N_("Adds a text"),
}

BASIS: dict[str, str] = {
    Basis.CONSENT: N_("its owner has agreed"),
    Basis.CUSTOMER: N_("a customer, for similar products"),
}

PURPOSE: dict[str, str] = {Purpose.TRANSACTIONAL: N_("Notices"), Purpose.MARKETING: N_("Advertising")}

COUNTRY: dict[str, str] = {"FR": N_("France"), "CH": N_("Switzerland")}

# Why destinations are closed by default, in the words of model/destinations.py.
CLOSED: dict[str, str] = {
    "a satellite network": N_("a satellite network"),
    "an international network of no country": N_("an international network of no country"),
    "an international number of shared or premium price": N_(
        "an international number of shared or premium price"
    ),
    "personal numbering, whose price nobody can foresee": N_(
        "personal numbering, whose price nobody can foresee"
    ),
    "a country known for traffic that is pumped up": N_("a country known for traffic that is pumped up"),
}

# Why a number is on the blacklist, where it was not the word that it sent.
REASON: dict[str, str] = {"added by the account": N_("blocked by you")}

RECEIPT: dict[str, str] = {
    "delivered": N_("delivered"),
    "undelivered": N_("undelivered"),
    "expired": N_("expired"),
    "rejected": N_("rejected"),
    "none": N_("no receipt at all"),
}

REFUSE: dict[str, str] = {
    "": N_("takes everything"),
    "permanent": N_("refuses for good"),
    "temporary": N_("refuses for a while"),
    "throttled": N_("says: too fast"),
}

# What a person can do about each reason; the value at fault stays in the field it was typed in.
FAULT: dict[Fault, str] = {
    Fault.BAD_CREDENTIALS: N_(
        "This e-mail address and password do not go together. Check both and try again."
    ),
    Fault.NOT_ALLOWED: N_("Your user may not do this. Ask the owner of the account."),
    Fault.ACCOUNT_SUSPENDED: N_("This account is suspended. Write to whoever runs this platform."),
    Fault.UNKNOWN_OPERATION: N_("There is no such operation."),
    Fault.MISSING_PARAMETER: N_("Something is missing. Fill in the field and send again."),
    Fault.INVALID_PARAMETER: N_("This value cannot be used. Correct it and send again."),
    Fault.UNSUPPORTED: N_("This cannot be done here."),
    Fault.NO_RECIPIENT: N_("Nobody to send to. Write at least one number."),
    Fault.INVALID_RECIPIENT: N_(
        "This is not a number that can be reached. Write it like 06 12 34 56 78 or +41 79 222 33 44."
    ),
    Fault.INVALID_SENDER: N_(
        "This sender cannot be used. Leave it empty for your default, or use one of your numbers."
    ),
    Fault.BLACKLISTED: N_(
        "This number answered STOP and is on your blacklist. Take it off under Numbers once its owner agrees."
    ),
    Fault.DESTINATION_FORBIDDEN: N_(
        "This destination is not allowed. Use a public address, or ask whoever runs this platform."
    ),
    Fault.EMPTY_CONTENT: N_("The text is empty. Write something."),
    Fault.CONTENT_TOO_LONG: N_("The text is too long. Shorten it."),
    Fault.UNKNOWN_MEDIA: N_("This kind of file is not known."),
    Fault.UNUSABLE_MEDIA: N_("This file cannot be used."),
    Fault.MEDIA_TOO_LARGE: N_("This file is too large."),
    Fault.INSUFFICIENT_CREDITS: N_("Not enough credits for this. Nothing was sent and nothing was charged."),
    Fault.RATE_LIMITED: N_("Too many tries in a short time. Wait a minute and try again."),
    Fault.TOO_MANY_CALLS: N_("Too many calls at once."),
    Fault.NO_ROUTE: N_("No network is set up for this number. Nothing was sent and nothing was charged."),
    Fault.CARRIER_REJECTED: N_("The network refused it for good."),
    Fault.CARRIER_UNAVAILABLE: N_("The network cannot be reached at the moment."),
    Fault.EXPIRED: N_("The time for it ran out."),
    Fault.NOT_FOUND: N_("There is nothing under this name in your account. It may have been removed."),
    Fault.ALREADY_EXISTS: N_("This is taken already. Choose another."),
    Fault.TOO_LATE: N_("Too late: it has gone on in the meantime. The page shows where it stands now."),
    Fault.CONSENT_MISSING: N_("The owner of the telephone has not agreed to this."),
    Fault.POSITION_UNAVAILABLE: N_("The position is not known at the moment."),
    Fault.INTERNAL: N_("Something broke on our side."),
}

# The same where the field says more than the fault.
FAULT_AT: dict[tuple[Fault, str], str] = {
    (Fault.BLACKLISTED, MessageState.CANCELLED): N_(
        "The owner of the telephone answered STOP before this advertisement left. The price was given back."
    ),
    **{
        (Fault.INVALID_PARAMETER, f"day-{day}"): N_(
            "This is no list of times. Write them like 09:00–12:00, 14:00–18:00; a whole day is 00:00–24:00."
        )
        for day in range(7)
    },
    (Fault.INVALID_PARAMETER, "called"): N_(
        "A name is up to 64 letters without accents, digits, dots, hyphens and underscores."
    ),
    (Fault.ALREADY_EXISTS, "called"): N_("There are opening hours of this name already. Choose another."),
    (Fault.INVALID_PARAMETER, "short_number"): N_(
        "A short number has 2 to 6 digits and is no emergency number, for instance 201."
    ),
    (Fault.ALREADY_EXISTS, "short_number"): N_("Another line has this short number. Choose another."),
    (Fault.INVALID_PARAMETER, "calls_at_once"): N_("Write a whole number from 0 to 100."),
    (Fault.INVALID_PARAMETER, "allowance"): N_(
        "This is no amount. Write credits with at most three decimals, like 20 or 0.5."
    ),
    (Fault.INVALID_PARAMETER, "voicemail_mail"): N_(
        "This is no e-mail address. Write it like name@example.com."
    ),
    (Fault.DESTINATION_FORBIDDEN, "secretary"): N_("This number may not be called. Choose another."),
    (Fault.INVALID_PARAMETER, "telephone_mac"): N_(
        "This is no MAC address. Write it like 00:04:13:AB:CD:EF."
    ),
    (Fault.INVALID_PARAMETER, "telephone_port"): N_(
        "A port is a whole number from 1 to 65535; 0 is for none."
    ),
    (Fault.INVALID_PARAMETER, "zone"): N_("There is no such time zone. Write one like Europe/Paris."),
    (Fault.INVALID_PARAMETER, "region"): N_("Public holidays are not known there. Choose one of the list."),
    (Fault.INVALID_PARAMETER, "day"): N_("This is no day. Choose one of the calendar."),
    (Fault.EMPTY_CONTENT, "calendar"): N_("Choose a calendar file first."),
    (Fault.UNUSABLE_MEDIA, "calendar"): N_(
        "This is no calendar that can be read. Choose an iCalendar file (.ics) of simple events."
    ),
    (Fault.MEDIA_TOO_LARGE, "calendar"): N_("This calendar is too large: 512 kB are the most."),
    (Fault.INVALID_PARAMETER, "calendar"): N_("This calendar closes too many days: 1,000 are the most."),
    (Fault.INVALID_PARAMETER, "minutes"): N_("A conference lasts 1 to 240 minutes. Write a whole number."),
    (Fault.INVALID_PARAMETER, "start"): N_("A conference begins within a year. Choose a day and an hour."),
    (Fault.INVALID_PARAMETER, "starts"): N_(
        "An announcement begins within a year. Choose a day and an hour."
    ),
    (Fault.INVALID_PARAMETER, "ends"): N_(
        "An announcement ends after its beginning, and at most 31 days later. Choose a day and an hour."
    ),
    (Fault.INVALID_PARAMETER, "opens"): N_(
        "Between its beginning and its end there is no such hour. Choose others, or leave both empty."
    ),
    (Fault.INVALID_PARAMETER, "answer_keys"): N_(
        "Keys are 0 to 9, * and #, and the one that repeats is not among them."
    ),
    (Fault.INVALID_PARAMETER, "repeat_key"): N_("A key is one of 0 to 9, * and #."),
    (Fault.INVALID_PARAMETER, "attempts"): N_("Write a whole number from 1 to 10."),
    (Fault.INVALID_PARAMETER, "on_person"): N_(
        "Nobody would hear it. Let it be played to machines, or to persons."
    ),
    (Fault.INVALID_SENDER, "shown"): N_(
        "This number may not be shown. Leave it empty for your own, or write one of your numbers."
    ),
    (Fault.MISSING_PARAMETER, "numbers"): N_("Name at least one participant: only they may call in."),
    (Fault.BAD_CREDENTIALS, "old"): N_("This is not your present password. Type it again."),
    (Fault.INVALID_PARAMETER, "password"): N_("A password needs 10 to 200 characters. Choose a longer one."),
    (Fault.INVALID_PARAMETER, "email"): N_("This is no e-mail address. Write it like name@example.com."),
    (Fault.ALREADY_EXISTS, "email"): N_(
        "This address has an account already. Log in, or use another address."
    ),
    (Fault.INVALID_PARAMETER, "url"): N_(
        "This is no address that can be called. Begin with https:// or http://."
    ),
    (Fault.INVALID_PARAMETER, "allowed_sources"): N_(
        "This lets nobody in. Write addresses with bars between them, like 192.0.2.1|192.0.2.7; stars, + and "
        "? repeat, groups are not known."
    ),
    (Fault.INVALID_PARAMETER, "word"): N_("A keyword is 1 to 40 letters or digits. Choose another."),
    (Fault.ALREADY_EXISTS, "word"): N_(
        "This keyword is taken on this short code, or stands in the way of one that is. Choose another."
    ),
    (Fault.NOT_ALLOWED, "word"): N_("STOP and START words belong to everybody. Choose another."),
    (Fault.INVALID_PARAMETER, "number"): N_(
        "This is no telephone number. Write it like 06 12 34 56 78 or +41 79 222 33 44."
    ),
    (Fault.NOT_FOUND, "to"): N_("Nobody takes calls to this number. Dial one of your lines or conferences."),
    (Fault.INVALID_PARAMETER, "name"): N_("A name has 1 to 100 letters. Choose another."),
    (Fault.INVALID_SENDER, "default_sender"): N_(
        "This sender cannot be used. Write a number like +33 6 12 34 56 78, a short code, or a name of at "
        "most 11 letters; leave it empty for none."
    ),
    (Fault.MISSING_PARAMETER, "events"): N_("Choose at least one event."),
    (Fault.ALREADY_EXISTS, "name"): N_("There is one of this name already. Choose another."),
    (Fault.NOT_ALLOWED, "name"): N_("A callback form rings this group. Give that form another one first."),
    (Fault.INVALID_PARAMETER, "destinations"): N_(
        "This is no destination. Write a country and a kind, like FR_Mobile or CH_Fixed."
    ),
    (Fault.MISSING_PARAMETER, "destinations"): N_("Write at least one destination, like FR_Mobile."),
    (Fault.INVALID_PARAMETER, "ring_seconds"): N_("It rings 5 to 1000 seconds. Write a whole number."),
    (Fault.INVALID_PARAMETER, "operator_seconds"): N_("It rings 5 to 1000 seconds. Write a whole number."),
    (Fault.INVALID_PARAMETER, "visitor_seconds"): N_("It rings 5 to 1000 seconds. Write a whole number."),
    (Fault.INVALID_PARAMETER, "mailbox"): N_("This is no e-mail address. Write it like name@example.com."),
    (Fault.INVALID_PARAMETER, "labels"): N_("Such a field is called by at most 32 characters."),
    (Fault.INVALID_PARAMETER, "since"): N_("These days cannot be shown: the first comes before the last."),
    (Fault.CONTENT_TOO_LONG, "since"): N_("These are too many callbacks at once. Choose fewer days."),
    (Fault.RATE_LIMITED, "address"): N_("As much was asked from this address as one may in an hour."),
    (Fault.INVALID_PARAMETER, "prefix"): N_(
        "This is not the beginning of a number. Write digits with country code, like 33 or 336."
    ),
    (Fault.ALREADY_EXISTS, "prefix"): N_("There is one for this beginning already. Change that one."),
    (Fault.INVALID_PARAMETER, "price"): N_(
        "This is no price. Write credits with at most three decimals, like 1 or 0.5."
    ),
    (Fault.UNSUPPORTED, "carrier"): N_(
        "Another server works this carrier, and only it knows what is on its way. Do this in its console."
    ),
    (Fault.INVALID_PARAMETER, "numbers"): N_(
        "One of these is no telephone number, and none was recorded. Write them like 06 12 34 56 78 or "
        "+41 79 222 33 44."
    ),
    (Fault.INVALID_PARAMETER, "source"): N_(
        "Say in 1 to 1,000 letters where it is known from, such as a form and its date."
    ),
    (Fault.INVALID_PARAMETER, "place"): N_("A place is a whole number, 1 for the first."),
    (Fault.INVALID_PARAMETER, "weight"): N_("A weight is a whole number from 1 to 100."),
    (Fault.MISSING_PARAMETER, "carrier"): N_("A route needs at least one carrier. Choose one."),
    (Fault.INVALID_PARAMETER, "carrier"): N_("There is no such carrier. Choose one of the list."),
    (Fault.INVALID_PARAMETER, "cap"): N_(
        "This is no cap. Write credits with at most three decimals, 0 for no limit, or nothing for the "
        "default."
    ),
    (Fault.INVALID_PARAMETER, "calls_a_day"): N_(
        "This is no number of calls. Write a whole number, 0 for no limit, or nothing for the default."
    ),
    (Fault.INVALID_PARAMETER, "calls_cap"): N_(
        "This is no cap. Write credits with at most three decimals, 0 for no limit, or nothing for the "
        "default."
    ),
    (Fault.INVALID_SENDER, "given"): N_(
        "This is no sender in letters. Write 1 to 11 letters and digits; numbers need no registration."
    ),
    (Fault.ALREADY_EXISTS, "given"): N_("The account has this sender already."),
    (Fault.NOT_FOUND, "account"): N_(
        "There is no account of this name. Write its name, its account_id or its number in full."
    ),
    (Fault.NOT_FOUND, "number"): N_(
        "Nobody reads what is sent to this number. Claim a keyword or a number first, under Numbers."
    ),
}

# What the next page says after something was done.
SAID: dict[str, str] = {
    "saved": N_("Saved."),
    "access-ended": N_("This program is not let in any more."),
    "not-provisioned": N_("Make a new password for its telephone first."),
    "deleted": N_("Deleted."),
    "sent": N_("Sent. Its course is below."),
    "called": N_("The first telephone is being called."),
    "hung-up": N_("The call is being ended."),
    "recording-deleted": N_("The recording is deleted."),
    "ended": N_("This telephone is being hung up."),
    "muted": N_("Muted: nobody hears this telephone any more."),
    "heard": N_("Everybody hears this telephone again."),
    "recorded-on": N_("What is said is being recorded."),
    "recorded-off": N_("The recording is over; it stands below in a moment."),
    "sent-many": N_("Sent. The newest messages are below."),
    "cancelled": N_("Stopped. The price was given back."),
    "called-off": N_("Nobody is called."),
    "form-removed": N_("The form is removed."),
    "claimed": N_("The keyword is yours."),
    "released": N_("Given up."),
    "recorded": N_("Recorded: advertising may go there."),
    "withdrawn": N_("Withdrawn: no more advertising goes there."),
    "number": N_("The number is yours."),
    "blocked": N_("Blocked: it gets nothing more from you."),
    "allowed": N_("Allowed again."),
    "subscribed": N_("Subscribed. Its secret is under Change."),
    "removed": N_("This server is told nothing more."),
    "replayed": N_("It is being sent again."),
    "route": N_("Saved. The next message takes this route."),
    "no-route": N_("The route is removed."),
    "tariff": N_("Saved. The next message costs this."),
    "no-tariff": N_("The tariff is removed."),
    "stopped": N_("Stopped. The prices were given back."),
    "moved": N_("Given to this carrier. It takes them in their turn."),
    "none-moved": N_("Nothing was left to give: what its network may have already stays with it."),
    "replayed-all": N_("They are being sent again."),
    "sender-given": N_("Given: the account may show this sender from now on."),
    "sender-taken": N_("Taken: the account may show this sender no more."),
    "opened": N_("Open: the account may send there from now on."),
    "closed": N_("Closed: the account can send there no more."),
    "cap": N_("Saved. It counts for what is sent from now on."),
    "password": N_("The password is changed, and your other sessions have ended."),
    "key-ended": N_("The key has ended."),
    "sender": N_("Messages without a sender of their own now go out under it."),
    "no-sender": N_("You have no default sender any more."),
    "logged-out": N_("You are logged out."),
}

CALLBACK: dict[str, str] = {
    CallbackState.WAITING: N_("Waiting"),
    CallbackState.CALLING: N_("Being called"),
    CallbackState.DONE: N_("Answered"),
    CallbackState.MISSED: N_("Missed"),
    CallbackState.LEFT_MESSAGE: N_("Message left"),
    CallbackState.CANCELLED: N_("Cancelled"),
    CallbackState.FAILED: N_("Failed"),
}

CALLBACK_TONE: dict[str, str] = {
    CallbackState.WAITING: "held",
    CallbackState.CALLING: "waiting",
    CallbackState.DONE: "done",
    CallbackState.MISSED: "failed",
    CallbackState.LEFT_MESSAGE: "held",
    CallbackState.CANCELLED: "none",
    CallbackState.FAILED: "failed",
}

RING_ORDER: dict[str, str] = {
    RingOrder.FIXED: N_("Always in this order"),
    RingOrder.RANDOM: N_("In any order"),
    RingOrder.ROUND_ROBIN: N_("Each begins with the next one"),
}

FORM_FILE: dict[str, str] = {
    FormFile.OPERATOR_SOUND: N_("Sound for the operator"),
    FormFile.VISITOR_SOUND: N_("Sound for the visitor"),
    FormFile.GREETING: N_("Greeting of the answerphone"),
    FormFile.HEADER: N_("Picture above the form"),
    FormFile.STYLE: N_("Style sheet"),
}

FORM_FILE_HINT: dict[str, str] = {
    FormFile.OPERATOR_SOUND: N_("Heard before both are joined: WAV, MP3 or Ogg."),
    FormFile.VISITOR_SOUND: N_("Heard before both are joined: WAV, MP3 or Ogg."),
    FormFile.GREETING: N_("In place of the spoken one: WAV, MP3 or Ogg."),
    FormFile.HEADER: N_("PNG, JPEG, GIF or WebP."),
    FormFile.STYLE: N_("CSS for the form; what would fetch from elsewhere is taken out."),
}

NUMBER_KIND: dict[str, str] = {"Fixed": N_("fixed"), "Mobile": N_("mobile")}

# What a visitor of a shop's page is told of a callback; the shop's account is no matter of theirs.
POPUP_STEP: dict[str, str] = {
    Step.WAITING: N_("We are about to call you."),
    Step.RINGING_OPERATOR: N_("We are ringing an adviser."),
    Step.RINGING_VISITOR: N_("Your telephone rings: please answer."),
    Step.CONNECTED: N_("You are connected."),
    Step.SPEAKING_TO_MACHINE: N_("You are on the line: nobody is free at this moment."),
    Step.DONE: N_("The call is over. Thank you."),
    Step.NOT_REACHED: N_("Your telephone did not answer."),
    Step.NOBODY: N_("Nobody was free. Please try again later."),
    Step.LEFT_MESSAGE: N_("Thank you: we have your message."),
    Step.CANCELLED: N_("We will not call you."),
    Step.FAILED: N_("The call could not be made. Please try again later."),
}

POPUP_NUMBER = (Fault.INVALID_RECIPIENT, Fault.NO_RECIPIENT, Fault.BLACKLISTED, Fault.DESTINATION_FORBIDDEN)
"""Faults that concern the number that a visitor has written."""

POPUP_FIELD: dict[str, str] = {
    "number": N_("This is no number that we can call. Write it like 06 12 34 56 78 or +41 79 222 33 44."),
    "name": N_("Write at most 64 characters."),
    "labels": N_("Write at most 32 characters."),
    "when": N_("Choose one of these times."),
}

POPUP_AT: dict[tuple[Fault, str], str] = {
    (Fault.MISSING_PARAMETER, "number"): N_("Write the number at which we shall call you."),
    (Fault.NO_RECIPIENT, "number"): N_("Write the number at which we shall call you."),
    (Fault.BLACKLISTED, "number"): N_("This number does not want to be called."),
    (Fault.DESTINATION_FORBIDDEN, "number"): N_("We do not call numbers of this kind. Give another one."),
}

POPUP_FAULT: dict[Fault, str] = {
    Fault.NOT_FOUND: N_("There is no such form."),
    Fault.RATE_LIMITED: N_("Too many requests. Please try again later."),
    Fault.TOO_MANY_CALLS: N_("Too many requests. Please try again later."),
    Fault.ALREADY_EXISTS: N_("This was asked already."),
}

POPUP_OTHERWISE = N_("We cannot call you at this moment. Please try again later.")

# What the secrets of each dialect are called in its own words: (the login, the secret).
SECRET: dict[str, tuple[str, str]] = {
    "rest": ("", "key"),
    "orange": ("", "id"),
    "netoxygen": ("user", "pass"),
    "capitole": ("username", "password"),
    "axialys": ("email", "pass"),
    "keyyo": ("account", "password"),
    "smpp": ("system_id", "password"),
    "sip": ("user", "password"),
}

ANSWERPHONE = N_("answerphone")
PROFILE: dict[str, str] = {"present": N_("Present"), "absent": N_("Absent")}
FORWARDED: dict[str, str] = {
    "always": N_("Every call goes to"),
    "busy": N_("When it is busy, to"),
    "unreachable": N_("When it cannot be reached, to"),
    "no_answer": N_("When nobody answers, to"),
}

TROUBLE: dict[int, tuple[str, str]] = {
    403: (
        N_("This form is no longer good"),
        N_(
            "It was opened before you logged in or out, or somewhere else. Go back, load the page "
            "again and send it once more."
        ),
    ),
    404: (
        N_("There is nothing here"),
        N_(
            "Nothing in your account goes by this address. It may have been removed, or belong to "
            "somebody else."
        ),
    ),
    405: (
        N_("This cannot be done here"),
        N_("The address exists, but not for this kind of request. Go back and use the page’s own buttons."),
    ),
    413: (
        N_("This form is too large"),
        N_("More was sent than a page can take. Shorten it and send it again."),
    ),
    500: (
        N_("Something broke on our side"),
        N_(
            "It was written down and will be looked at. Your credits are safe: what was not confirmed "
            "was not charged. Try again."
        ),
    ),
}


def delivery_state(job: Job) -> str:
    """The key of JOB_STATE for a delivery: nothing arrived where it was dropped."""
    dropped = job.state is JobState.DONE and job.outcome.startswith("dropped: ")
    return "dropped" if dropped else job.state


def provision(rule: Provision, language: str) -> str:
    """What a provision says, as a sentence in the reader's language."""
    text = rule.english
    if language == "fr":
        text = rule.french.replace("'", "’").replace(" ;", "\N{NO-BREAK SPACE};")
    return f"{text[0].upper()}{text[1:]}."
