"""Outgoing mail: over an SMTP server, or into a folder on machines that have none."""

import asyncio
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

import aiosmtplib

from chappe.model.errors import CarrierError, CarrierErrorKind, Fault
from chappe.model.outgoing import Mail
from chappe.protocols import mail as wire

_TLS_FROM_THE_START = 465  # RFC 8314, section 3.3


class MailFailed(CarrierError):
    """The mail server was away or said "later"; worth another try."""

    def __init__(self, detail: str) -> None:
        super().__init__(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, detail)
        self.detail = detail


class MailRefused(CarrierError):
    """This mail will never be taken: the server said so (5xx), or it is no mail."""

    def __init__(self, detail: str) -> None:
        super().__init__(CarrierErrorKind.PERMANENT, Fault.CARRIER_REJECTED, detail)
        self.detail = detail


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return secrets.token_hex(16)


def _composed(mail: Mail, sender: str, at: datetime, name: str) -> bytes:
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    try:
        return wire.compose(
            sender=sender,
            to=mail.to,
            subject=mail.subject,
            body=mail.body,
            reply_to=mail.reply_to,
            at=at,
            message_id=f"{name}@{domain}",
            files=mail.attachments,
        )
    except ValueError as error:
        raise MailRefused(f"The mail to {mail.to!r} cannot be sent: {error}") from error


class SmtpMailer:
    """Sends each mail over a connection of its own; implements the port `Mailer`.

    `start_tls` demands TLS after the greeting and never goes on without it; port 465 speaks TLS from the
    start. `username` None: no authentication. `now` and `new_id` are for tests.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str | None,
        password: str | None,
        sender: str,
        start_tls: bool,
        *,
        timeout_seconds: float = 30.0,
        now: Callable[[], datetime] = _now,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._password = password
        self._sender = sender
        self._start_tls = start_tls
        self._timeout_seconds = timeout_seconds
        self._now = now
        self._new_id = new_id

    async def send(self, mail: Mail) -> None:
        """Returns once the server took the mail. Raises MailFailed (temporary) or MailRefused (permanent)."""
        content = _composed(mail, self._sender, self._now(), self._new_id())
        server = f"the mail server {self._host}:{self._port}"
        implicit = self._port == _TLS_FROM_THE_START
        connection = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=implicit,
            start_tls=self._start_tls and not implicit,
            timeout=self._timeout_seconds,
        )
        try:
            async with connection:
                await connection.sendmail(parseaddr(self._sender)[1], [mail.to], content)
        except aiosmtplib.SMTPAuthenticationError as error:
            # 5xx, but it is the operator's password that is wrong, not the mail: keep the mail.
            raise MailFailed(f"{server} refused our user name or password: {error.message}") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(server, error.recipients[0]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(server, error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailFailed(f"No mail could be handed to {server}: {error}") from error


def _refusal(server: str, error: aiosmtplib.SMTPResponseException) -> MailFailed | MailRefused:
    said = f"{server} answered {error.code} {error.message}"
    return MailRefused(said) if error.code >= 500 else MailFailed(said)


class OutboxMailer:
    """Writes each mail as one .eml file, oldest first by name; for machines without a mail server."""

    def __init__(
        self,
        folder: Path,
        sender: str = "Chappe <chappe@localhost>",
        *,
        now: Callable[[], datetime] = _now,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        self._folder = folder
        self._sender = sender
        self._now = now
        self._new_id = new_id

    async def send(self, mail: Mail) -> None:
        """Returns once the file is complete. Raises MailFailed (disk) or MailRefused (no mail)."""
        at, name = self._now(), self._new_id()
        content = _composed(mail, self._sender, at, name)
        file = self._folder / f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{name}.eml"
        try:
            await asyncio.to_thread(_write, file, content)
        except OSError as error:
            raise MailFailed(f"The mail could not be written to {file}: {error.strerror}") from error


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    unfinished.write_bytes(content)
    os.replace(unfinished, file)
