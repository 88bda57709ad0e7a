"""Who is known: accounts, users, credentials, own numbers, keywords, blacklist entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chappe.model.centrex import Extension


class AccountState(StrEnum):
    """A suspended account is refused on every dialect and keeps its data."""

    OPEN = "open"
    SUSPENDED = "suspended"


class AccountKind(StrEnum):
    """Whether the account pays; NetOxygen's `account_status` tells it."""

    FREE = "free"
    REGULAR = "regular"


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays and owns. Credits are in thousandths. `guid` is a lower-case UUID. The users of an `operator`
    also see and change the network: carriers, routes, tariffs, what waits.

    `daily_cap` is the most it may spend in a day (UTC), `calls_cap` the most of it on calls, `calls_a_day`
    how many may leave the sandbox; None for the platform's default, 0 for no limit.
    `open_destinations` are prefixes, blanks between them, of what is open to it although closed by default
    (model/destinations.py)."""

    id: int
    guid: str
    name: str
    email: str
    kind: AccountKind
    state: AccountState
    balance: int
    reserved: int
    default_sender: str
    region: str
    locale: str
    created_at: datetime
    operator: bool = False
    daily_cap: int | None = None
    open_destinations: str = ""
    calls_a_day: int | None = None
    calls_cap: int | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A person or program of an account; `password_hash` (argon2id) opens the console, empty for none.

    `session_epoch` grows when every console session of the user must end (password change).
    """

    id: int
    account_id: int
    name: str
    email: str
    password_hash: str
    session_epoch: int
    created_at: datetime


class CredentialKind(StrEnum):
    """KEY: a high-entropy secret, looked up by its keyed hash. PASSWORD: a login and an argon2id hash.
    DIGEST: a login and the hash that HTTP digest needs instead of the password."""

    KEY = "key"
    PASSWORD = "password"
    DIGEST = "digest"


READS_SECRETS = "secrets"
"""The scope of a credential that is shown the passwords of telephones and directories."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One way for a client to prove who it is, good for one dialect only.

    `login` is the keyed hash in hexadecimal for a KEY, else the user name. `secret_hash` is empty for a
    KEY. `hint` is the end of the secret, shown so that people recognise it. `scopes`, blanks between them,
    are what it may do beside or instead of what all of its dialect may (READS_SECRETS; those of OAuth2).
    """

    id: int
    account_id: int
    user_id: int
    dialect: str
    kind: CredentialKind
    login: str
    secret_hash: str
    hint: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    last_used_from: str = ""
    scopes: str = ""


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number or short code that belongs to one account alone; all that comes in to it is theirs."""

    id: int
    account_id: int
    number: str
    url: str
    email: str
    dialect: str
    created_at: datetime


ANSWERPHONE, HANG_UP = "answerphone", "hang_up"
"""The words for where calls may be forwarded to in place of a number; the second ends them."""

PRESENT = "present"
FIRST_PROFILES: Mapping[str, dict[str, object]] = {PRESENT: {}, "absent": {"always": ANSWERPHONE}}
"""The profiles that a line has from the start (our choice: Keyyo's are made by its customers)."""

NO_ANSWER_AFTER = 20
"""Seconds that a line rings before its call is forwarded (our choice)."""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Where the calls of a line go: an MSISDN, a short number of the account, ANSWERPHONE, HANG_UP, or
    nowhere (empty), `always` or only when it is busy, cannot be reached, or does not answer for
    `no_answer_after` seconds. Who is called then sees the line's number, or the caller's with
    `..._shows_caller`."""

    always: str = ""
    busy: str = ""
    unreachable: str = ""
    no_answer: str = ""
    no_answer_after: int = NO_ANSWER_AFTER
    always_shows_caller: bool = False
    busy_shows_caller: bool = False
    unreachable_shows_caller: bool = False
    no_answer_shows_caller: bool = False

    @property
    def targets(self) -> tuple[str, ...]:
        """Where calls may go."""
        return (self.always, self.busy, self.unreachable, self.no_answer)


@dataclass(frozen=True, slots=True)
class Line:
    """A telephone line.

    `profile` names the one in force of its `profiles`, each a Forwarding as JSON data. `greeting` is what its
    answerphone says, empty for the platform's words.

    `allowed_sources` is a regular expression over the addresses of programs that may act for it without a
    password (model/sources.py); empty: none. `notification_url` is where its calls are told.

    Its telephone registers as `sip_user` (empty: it has none), proving the password of which `sip_ha1` is
    the Digest hash, MD5(user ":chappe:" password), and `sip_secret` the password itself, sealed (door.py), or
    empty where it was made before passwords were kept. It said last at `sip_seen_at`, from the address and
    port `sip_source` and calling itself `sip_agent`, that it is reached at the URI `sip_contact` until
    `sip_until`. Where it has several of them that is the newest one, and `sip_until` when the last one is
    gone; `telephones` are all, as the carrier knows them (JSON data).

    `extension_data` is its Extension as JSON data, `short_number` what the account's telephones dial for it
    (empty: it has none), `ldap_secret` the password for its directory, sealed.
    """

    id: int
    account_id: int
    number: str
    allowed_sources: str
    notification_url: str
    created_at: datetime
    sip_user: str = ""
    sip_ha1: str = ""
    sip_contact: str = ""
    sip_source: str = ""
    sip_seen_at: datetime | None = None
    sip_until: datetime | None = None
    profile: str = PRESENT
    profiles: dict[str, dict[str, object]] = field(default_factory=lambda: dict(FIRST_PROFILES))
    greeting: str = ""
    sip_secret: str = ""
    ldap_secret: str = ""
    short_number: str = ""
    extension_data: dict[str, object] = field(default_factory=dict)
    sip_agent: str = ""
    telephones: list[dict[str, object]] = field(default_factory=list)

    @property
    def extension(self) -> Extension:
        """What it is in its account's telephone system."""
        return Extension(**self.extension_data)  # type: ignore[arg-type]

    @property
    def forwarding(self) -> Forwarding:
        """Where its calls go at this moment."""
        return Forwarding(**self.profiles.get(self.profile, {}))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ShortCode:
    """A short code that accounts share by keywords.

    `revenue` is what the owner of the keyword earns for each inbound message, in thousandths of a
    credit; zero where the code is not premium. `country` is an ISO 3166 code.
    """

    id: int
    number: str
    country: str
    revenue: int
    label: str


@dataclass(frozen=True, slots=True)
class Keyword:
    """The beginning of inbound messages on a shared short code, reserved to one account.

    `word` is folded (upper case, no accents, single blanks). `url` and `email` say where messages go,
    in the manner of `dialect`.
    """

    id: int
    account_id: int
    short_code: str
    word: str
    url: str
    email: str
    dialect: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BlacklistEntry:
    """A number that must not be reached by an account; `reason` is the word it sent, or who added it."""

    id: int
    account_id: int
    number: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told of which events: a URL, in the manner of a dialect.

    `events` are event names such as `message.delivered`, or `*`. `secret` signs (Standard Webhooks);
    it must be readable, so it is kept as it is. `disabled_at` is set after an answer 410.
    """

    id: int
    ref: str
    account_id: int
    dialect: str
    url: str
    events: tuple[str, ...]
    secret: str
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handset:
    """A virtual telephone of the sandbox as one account sees it; `behaviour` is described in
    services/sandbox.py."""

    id: int
    account_id: int
    number: str
    behaviour: dict[str, object]
    active_at: datetime


@dataclass(frozen=True, slots=True)
class HandsetItem:
    """One message on a virtual telephone: `incoming` when the telephone received it, `unowned` when it
    sent it to an address where nobody took it."""

    id: int
    account_id: int
    number: str
    other: str
    text: str
    incoming: bool
    flash: bool
    at: datetime
    message_id: int | None = None
    unowned: bool = False
