"""The words that pages use for the platform's own names, marked for translation."""

from chappe.model.directory import CredentialKind
from chappe.model.errors import Fault
from chappe.model.events import EventName
from chappe.model.jobs import JobState
from chappe.model.ledger import EntryKind
from chappe.model.messages import MessageState


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
}

ENTRY: dict[str, str] = {
    EntryKind.WELCOME: N_("Welcome credits"),
    EntryKind.PAYMENT: N_("Payment"),
    EntryKind.MESSAGES: N_("Messages sent"),
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
    "console": N_("Console"),
    "sandbox": N_("Sandbox"),
}

CREDENTIAL: dict[str, str] = {
    CredentialKind.KEY: N_("Key"),
    CredentialKind.PASSWORD: N_("Password"),
    CredentialKind.DIGEST: N_("Password"),
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
    (Fault.BAD_CREDENTIALS, "old"): N_("This is not your present password. Type it again."),
    (Fault.INVALID_PARAMETER, "password"): N_("A password needs 10 to 200 characters. Choose a longer one."),
    (Fault.INVALID_PARAMETER, "email"): N_("This is no e-mail address. Write it like name@example.com."),
    (Fault.ALREADY_EXISTS, "email"): N_(
        "This address has an account already. Log in, or use another address."
    ),
    (Fault.INVALID_PARAMETER, "url"): N_(
        "This is no address that can be called. Begin with https:// or http://."
    ),
    (Fault.INVALID_PARAMETER, "word"): N_("A keyword is 1 to 40 letters or digits. Choose another."),
    (Fault.ALREADY_EXISTS, "word"): N_(
        "This keyword is taken on this short code, or stands in the way of one that is. Choose another."
    ),
    (Fault.NOT_ALLOWED, "word"): N_("STOP and START words belong to everybody. Choose another."),
    (Fault.INVALID_PARAMETER, "number"): N_(
        "This is no telephone number. Write it like 06 12 34 56 78 or +41 79 222 33 44."
    ),
    (Fault.MISSING_PARAMETER, "events"): N_("Choose at least one event."),
    (Fault.NOT_FOUND, "number"): N_(
        "Nobody reads what is sent to this number. Claim a keyword or a number first, under Numbers."
    ),
}

# What the next page says after something was done.
SAID: dict[str, str] = {
    "saved": N_("Saved."),
    "sent": N_("Sent. Its course is below."),
    "sent-many": N_("Sent. The newest messages are below."),
    "cancelled": N_("Stopped. The price was given back."),
    "claimed": N_("The keyword is yours."),
    "released": N_("Given up."),
    "number": N_("The number is yours."),
    "blocked": N_("Blocked: it gets nothing more from you."),
    "allowed": N_("Allowed again."),
    "subscribed": N_("Subscribed. Its secret is under Change."),
    "removed": N_("This server is told nothing more."),
    "replayed": N_("It is being sent again."),
    "password": N_("The password is changed, and your other sessions have ended."),
    "key-ended": N_("The key has ended."),
    "logged-out": N_("You are logged out."),
}

SERVED = ("rest", "orange", "netoxygen")
"""The dialects that the platform answers; the others' credentials wait for them."""

# What the secrets of each dialect are called in its own words: (the login, the secret).
SECRET: dict[str, tuple[str, str]] = {
    "rest": ("", "key"),
    "orange": ("", "id"),
    "netoxygen": ("user", "pass"),
    "capitole": ("username", "password"),
    "axialys": ("email", "pass"),
    "keyyo": ("account", "password"),
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
