"""Programs of others that an account lets in with OAuth 2 (RFC 6749), and what it lets them do."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Program:
    """A program that may ask accounts to let it in. `secret_hash` is the keyed hash of its secret;
    `redirect_uris` are where its users are sent back to, blanks between them."""

    id: int
    account_id: int
    client_id: str
    secret_hash: str
    name: str
    redirect_uris: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """An account has let a program in, for these `scopes` (blanks between them).

    `code_hash` is that of the code that its user brings it, until `code_until`, once.
    `challenge` is PKCE's (RFC 7636, S256), empty for none. `refresh_hash` is that of the token for new ones;
    those that it has replaced stand in `old_refresh_hash`: whoever brings it ends the grant."""

    id: int
    account_id: int
    user_id: int
    program_id: int
    scopes: str
    redirect_uri: str
    code_hash: str
    code_until: datetime
    challenge: str
    refresh_hash: str
    old_refresh_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AddProgram:
    """Outcome: NewProgram."""

    name: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskConsent:
    """What a program asks of whoever stands before the console; as it was sent."""

    client_id: str
    response_type: str
    state: str
    redirect_uri: str = ""
    scopes: str = ""
    challenge: str = ""
    challenge_method: str = ""


@dataclass(frozen=True, slots=True)
class AskTokens:
    """What a program brings for tokens; outcome: Tokens."""

    grant_type: str
    client_id: str
    client_secret: str
    code: str = ""
    refresh_token: str = ""
    redirect_uri: str = ""
    verifier: str = ""


@dataclass(frozen=True, slots=True)
class ListGrants:
    """The programs that the account has let in, oldest first; outcome: tuple of KnownGrant."""


@dataclass(frozen=True, slots=True)
class EndGrant:
    """A program is let in no more; outcome: None."""

    grant_id: int


@dataclass(frozen=True, slots=True)
class ListPrograms:
    """Outcome: tuple of Program."""
