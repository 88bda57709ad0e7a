"""Callbacks: the form that visitors fill in, what they ask, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from chappe.model.calls import CallStory
from chappe.model.commands import Replay

LABELS = 3
"""How many fields of its own a form may ask for (seed 003: usr1 to usr3)."""

LABEL_LENGTH = 32
"""How many characters what is written into one may have (seed 003, section 1)."""


class FirstRung(StrEnum):
    """Which side of a callback is called first."""

    OPERATOR = "operator"
    VISITOR = "visitor"


class FormFile(StrEnum):
    """The files of a form: what is played to each side before they are joined, what the answerphone says,
    what the widget shows above and how it looks."""

    OPERATOR_SOUND = "operator_sound"
    VISITOR_SOUND = "visitor_sound"
    GREETING = "greeting"
    HEADER = "header"
    STYLE = "style"


@dataclass(frozen=True, slots=True)
class CallbackForm:
    """A callback form of an account.

    `number` counts the account's forms from 1 and is its public name together with `ref`, which the widget's
    address carries. `open_group` and `closed_group` name ring groups (empty: nobody), `hours` opening hours
    (empty: always open) in the time zone `zone`. `mailbox` gets the answerphone's messages, empty: it has no
    answerphone. `labels` are what its own three fields are called, empty ones are not asked for. `language`
    is "fr" or "en", `voice` "female" or "male".
    With `immediate` visitors are offered no later time (programs may ask for one). Shown numbers are
    MSISDNs, empty for the account's own.
    `allowed` are the destinations that it may call, such as "FR_Mobile"; None: what the account may call.
    With `confirms` the visitor must press a key before anybody else is called. Of one visitor's
    number one request is taken within `repeat_seconds`; `per_address` bounds the requests of one address,
    `per_hour` those of the form, within an hour (0: no bound). `recorded` calls are announced as such.
    `asked` counts what was asked by it.
    """

    id: int
    ref: str
    account_id: int
    number: int
    name: str
    first_rung: FirstRung
    language: str
    voice: str
    operator_seconds: int
    visitor_seconds: int
    created_at: datetime
    immediate: bool = False
    shown_to_operator: str = ""
    shown_to_visitor: str = ""
    hours: str = ""
    zone: str = "Europe/Paris"
    open_group: str = ""
    closed_group: str = ""
    open_message: str = ""
    closed_message: str = ""
    mailbox: str = ""
    asks_name: bool = True
    labels: tuple[str, str, str] = ("", "", "")
    recorded: bool = False
    confirms: bool = False
    allowed: tuple[str, ...] | None = None
    repeat_seconds: int = 60
    per_address: int = 5
    per_hour: int = 60
    asked: int = 0
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptFormFile:
    """A file of a form as it is kept, `size` bytes: sounds as an uploaded sound of the same `ref`, others in
    the platform's folder `forms`, named by `ref`."""

    id: int
    ref: str
    account_id: int
    form_id: int
    file: FormFile
    name: str
    content_type: str
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BlockedAddress:
    """An IP address, or a network in CIDR form, from which an account takes no requests."""

    id: int
    account_id: int
    address: str
    created_at: datetime


class CallbackState(StrEnum):
    """Where a request stands. LEFT_MESSAGE: nobody was free and the visitor spoke to the answerphone; MISSED:
    it ended without the two having spoken; FAILED: it could not be called at all (no credit, no way)."""

    WAITING = "waiting"
    CALLING = "calling"
    DONE = "done"
    MISSED = "missed"
    LEFT_MESSAGE = "left_message"
    CANCELLED = "cancelled"
    FAILED = "failed"


CALLBACK_MAY_FOLLOW: Mapping[CallbackState, frozenset[CallbackState]] = {
    CallbackState.WAITING: frozenset({CallbackState.CALLING}),
    CallbackState.CALLING: frozenset({CallbackState.WAITING}),
    CallbackState.DONE: frozenset({CallbackState.CALLING}),
    CallbackState.MISSED: frozenset({CallbackState.CALLING, CallbackState.WAITING}),
    CallbackState.LEFT_MESSAGE: frozenset({CallbackState.CALLING}),
    CallbackState.CANCELLED: frozenset({CallbackState.WAITING}),
    CallbackState.FAILED: frozenset({CallbackState.WAITING, CallbackState.CALLING}),
}

FINAL = frozenset(CallbackState) - {CallbackState.WAITING, CallbackState.CALLING}


class CallbackSource(StrEnum):
    """Where a request came from."""

    WIDGET = "widget"
    API = "api"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """One visitor's demand to be called.

    `number` counts the account's requests from 1. `visitor` is an MSISDN, `address` the IP address it came
    from (empty: unknown). It is tried up to `tries` times, `attempt` counts those begun, the next is due at
    `due_at`, `retry_seconds` after the one before. `talk_seconds` and `ring_seconds` are of the visitor's
    leg, `operator` is who spoke with it, `price` what all attempts cost (thousandths), `waited_seconds`
    from the time it was due first until both were joined. `destination` is the visitor's country and kind,
    such as "FR_Mobile". `call_id` is the last attempt's call. Times are aware, UTC.
    """

    id: int
    ref: str
    account_id: int
    form_id: int
    number: int
    visitor: str
    address: str
    state: CallbackState
    source: CallbackSource
    dialect: str
    destination: str
    created_at: datetime
    due_at: datetime
    delay_seconds: int
    tries: int
    retry_seconds: int
    longest_seconds: int
    recorded: bool
    name: str = ""
    labels: tuple[str, str, str] = ("", "", "")
    origin: str = ""
    attempt: int = 0
    call_id: int | None = None
    operator: str = ""
    ring_seconds: int = 0
    talk_seconds: int = 0
    waited_seconds: int = 0
    price: int = 0
    cause: str = ""
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallbackStory:
    """A request with its form and the call of its last attempt; `replayed` where a request that was made
    before is told again."""

    request: CallbackRequest
    form: CallbackForm
    call: CallStory | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a form may call or not: `code` is country and kind ("FR_Mobile"), `number` counts them from 1 and
    stays the same, `price` is of a minute (thousandths)."""

    number: int
    code: str
    price: int
    allowed: bool


# --- what is asked for


@dataclass(frozen=True, slots=True)
class CreateForm:
    """`settings` are fields of CallbackForm by their names; what is not given has its usual value, and so has
    one of the three `labels` that is None. Outcome: CallbackForm."""

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeForm:
    """`form` is its number or its ref; `settings` as above, "name" among them; one of the three `labels` that
    is None stays as it is. Outcome: CallbackForm."""

    form: str
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ListForms:
    """Outcome: tuple of CallbackForm, by number."""


@dataclass(frozen=True, slots=True)
class FormWithFiles:
    """A form with the names of the files it has."""

    form: CallbackForm
    files: Mapping[FormFile, str]


@dataclass(frozen=True, slots=True)
class ListFormsWithFiles:
    """Outcome: tuple of FormWithFiles, by number."""


@dataclass(frozen=True, slots=True)
class FindForm:
    """Outcome: CallbackForm."""

    form: str


@dataclass(frozen=True, slots=True)
class RemoveForm:
    """Nothing can be asked by it any more; what was is kept, what waits is cancelled. Outcome: None."""

    form: str


@dataclass(frozen=True, slots=True)
class ListDestinations:
    """Where a form may call. Outcome: tuple of Destination, by number."""

    form: str


@dataclass(frozen=True, slots=True)
class AllowDestinations:
    """Let a form call more destinations, or fewer (`allowed` False), given by code or number. Outcome: tuple
    of Destination."""

    form: str
    destinations: Sequence[str]
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class FormFileContent:
    """A file of a form as it was given: its name, type and bytes."""

    file: FormFile
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PutFormFile:
    """Keep a file for a form, in place of one before; it is checked by its content. Outcome: None."""

    form: str
    file: FormFile
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ReadFormFile:
    """Outcome: FormFileContent."""

    form: str
    file: FormFile


@dataclass(frozen=True, slots=True)
class ListFormFiles:
    """The files that a form has; their `content` is left empty. Outcome: tuple of FormFileContent."""

    form: str


@dataclass(frozen=True, slots=True)
class RemoveFormFile:
    """Outcome: None."""

    form: str
    file: FormFile


@dataclass(frozen=True, slots=True)
class RequestCallback:
    """A visitor wants to be called by the operators of a form; the number is as written. `address` is the
    visitor's, where it is known, and is judged by the form's budgets and the account's blocked addresses;
    `due_at` or `delay` say when, neither: now. `longest`, `tries`, `retry` (the pause before another try)
    and `recorded` None are the platform's or the form's. Outcome: CallbackStory."""

    form: str
    visitor: str
    address: str = ""
    source: CallbackSource = CallbackSource.API
    due_at: datetime | None = None
    delay: timedelta | None = None
    tries: int | None = None
    longest: timedelta | None = None
    recorded: bool | None = None
    name: str = ""
    labels: Sequence[str] = ()
    origin: str = ""
    retry: timedelta | None = None
    replay: Replay | None = None


@dataclass(frozen=True, slots=True)
class FindCallback:
    """`request` is its number or ref. Outcome: CallbackStory."""

    request: str


@dataclass(frozen=True, slots=True)
class CancelCallback:
    """Only while nobody has been called yet (`too_late` else). Outcome: CallbackStory."""

    request: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class ListCallbacks:
    """Requests; empty fields do not narrow, days are those of the form's zone as the reader took them.
    `oldest_first` is how statistics want them. Outcome: Page of CallbackStory (without calls)."""

    form: str = ""
    state: CallbackState | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False
    cursor: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ReportCallbacks:
    """The requests made of a form on days of its own time zone, both included: `last_day` None is today,
    `first_day` None is `last_day`. With `request`, its number, that one whatever its day. Outcome: tuple of
    CallbackStory (without calls), oldest first; `content_too_long` where fewer days must be asked for."""

    form: str
    first_day: date | None = None
    last_day: date | None = None
    request: str = ""


@dataclass(frozen=True, slots=True)
class BlockAddress:
    """No request comes from an address, or a network in CIDR form, any more. Outcome: None."""

    address: str


@dataclass(frozen=True, slots=True)
class UnblockAddress:
    """Outcome: None."""

    address: str


@dataclass(frozen=True, slots=True)
class ListBlockedAddresses:
    """Outcome: tuple of str."""
