"""The closed list of reasons why something cannot be done, and the two errors that carry them."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """One reason why something cannot be done; every dialect owns a total map from these to its wire."""

    # who
    BAD_CREDENTIALS = "bad_credentials"
    NOT_ALLOWED = "not_allowed"
    ACCOUNT_SUSPENDED = "account_suspended"
    # what
    UNKNOWN_OPERATION = "unknown_operation"
    MISSING_PARAMETER = "missing_parameter"
    INVALID_PARAMETER = "invalid_parameter"
    UNSUPPORTED = "unsupported"
    # to whom
    NO_RECIPIENT = "no_recipient"
    INVALID_RECIPIENT = "invalid_recipient"
    INVALID_SENDER = "invalid_sender"
    BLACKLISTED = "blacklisted"
    DESTINATION_FORBIDDEN = "destination_forbidden"
    # content
    EMPTY_CONTENT = "empty_content"
    CONTENT_TOO_LONG = "content_too_long"
    UNKNOWN_MEDIA = "unknown_media"
    UNUSABLE_MEDIA = "unusable_media"
    MEDIA_TOO_LARGE = "media_too_large"
    # means
    INSUFFICIENT_CREDITS = "insufficient_credits"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_CALLS = "too_many_calls"
    # on the way
    NO_ROUTE = "no_route"
    CARRIER_REJECTED = "carrier_rejected"
    CARRIER_UNAVAILABLE = "carrier_unavailable"
    EXPIRED = "expired"
    # life
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    TOO_LATE = "too_late"
    # place
    CONSENT_MISSING = "consent_missing"
    POSITION_UNAVAILABLE = "position_unavailable"
    # ours
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What somebody must prove a secret with: `nonce` goes into the proof; `stale` says that the last proof
    was right and its nonce too old."""

    nonce: str
    stale: bool = False


class Refusal(Exception):
    """The request cannot be carried out.

    `detail` is a sentence for the person who meets it: what is wrong, with which value, what to do.
    `field` is the name of the command's field at fault, in the platform's words, where there is one.
    `challenge` comes with `bad_credentials` where the caller may answer it. `rule` is the id of the rule that
    refuses (model/rules.py, or one of the platform's own), empty for none.
    """

    def __init__(
        self,
        fault: Fault,
        detail: str,
        field: str | None = None,
        challenge: Challenge | None = None,
        rule: str = "",
    ) -> None:
        super().__init__(f"{fault}: {detail}")
        self.challenge = challenge
        self.fault = fault
        self.detail = detail
        self.field = field
        self.rule = rule


class Unavailable(Refusal):
    """The platform itself can do it not now: nothing was written, nothing was charged, and the same may be
    asked again in `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: float = 1.0) -> None:
        super().__init__(Fault.CARRIER_UNAVAILABLE, detail)
        self.retry_after = retry_after


class CarrierErrorKind(StrEnum):
    """What a carrier's error means for the work at hand."""

    TEMPORARY = "temporary"
    THROTTLED = "throttled"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class CarrierError(Exception):
    """The network refused or is away; `code` is the network's own word, `retry_after` is in seconds."""

    def __init__(
        self, kind: CarrierErrorKind, fault: Fault, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(f"{kind} {fault} {code}".strip())
        self.kind = kind
        self.fault = fault
        self.code = code
        self.retry_after = retry_after
