"""Mail handed to a real SMTP server, and mail kept in a folder."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from chappe.host.mail import MailFailed, MailRefused, OutboxMailer, SmtpMailer
from chappe.model.errors import CarrierErrorKind
from chappe.model.outgoing import Attachment, Mail

NOW = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
MAIL = Mail(
    "jade@example.org", "Réponse à « POLL » 🗳", "Première ligne, 5 €\n.\nFrom here: 日本語\n" + "x" * 2000
)


class MailServer:
    """Takes every mail, unless told what to say instead of 250."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.to_recipient = self.to_content = "250 OK"
        self.logins: list[tuple[bytes, bytes]] = []
        self.port = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.to_content.startswith("250"):
            self.taken.append(envelope)
        return self.to_content

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    def only(self) -> EmailMessage:
        [envelope] = self.taken
        assert isinstance(envelope.content, bytes)
        return message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=default)  # type: ignore[return-value]


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    one = MailServer()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: SMTP(
            one, hostname="mail.example", loop=loop, authenticator=one.authenticate, auth_require_tls=False
        ),
        "127.0.0.1",
        0,
    )
    one.port = listener.sockets[0].getsockname()[1]
    yield one
    listener.close()
    await listener.wait_closed()


def mailer(
    port: int, username: str | None = None, password: str | None = None, start_tls: bool = False
) -> SmtpMailer:
    return SmtpMailer(
        "127.0.0.1",
        port,
        username,
        password,
        "Chappe <sms@example.com>",
        start_tls,
        now=lambda: NOW,
        new_id=lambda: "id1",
    )


async def test_a_file_goes_with_a_mail(tmp_path: Path) -> None:
    content = bytes(range(256)) * 100
    sound = Attachment("message é\u2028.wav", "audio/wav", content)
    await OutboxMailer(tmp_path).send(Mail("jade@example.org", "Message", "Écoutez", attachments=(sound,)))
    [file] = sorted_files(tmp_path)
    raw = file.read_bytes()
    assert raw.isascii() and b"\n" not in raw.replace(b"\r\n", b"")
    mail = message_from_bytes(raw, policy=default)
    text, attached = mail.iter_parts()  # type: ignore[attr-defined]
    assert text.get_content().strip() == "Écoutez"
    assert attached.get_content() == content and attached.get_content_type() == "audio/wav"
    assert attached.is_attachment() and attached.get_filename().endswith(".wav")


def sorted_files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_mail_arrives_with_every_letter(server: MailServer) -> None:
    await mailer(server.port).send(MAIL)
    got = server.only()
    assert (got["Subject"], got.get_content()) == (MAIL.subject, MAIL.body + "\n")
    assert (got["From"], got["To"], got["Reply-To"]) == ("Chappe <sms@example.com>", MAIL.to, None)
    assert (got["Message-ID"], got["Date"].datetime) == ("<id1@example.com>", NOW)
    assert (server.taken[0].mail_from, server.taken[0].rcpt_tos) == ("sms@example.com", [MAIL.to])


async def test_a_mail_is_seven_bits_in_short_lines(server: MailServer) -> None:
    for mail in (MAIL, Mail(MAIL.to, "été", "été")):
        await mailer(server.port).send(mail)
        content = server.taken[-1].content
        assert isinstance(content, bytes) and content.isascii()
        assert max(map(len, content.split(b"\r\n"))) <= 78
        assert content.count(b"\n") == content.count(b"\r\n")


async def test_an_answer_goes_to_the_address_named_for_it(server: MailServer) -> None:
    await mailer(server.port).send(Mail(MAIL.to, "s", "b", "desk@example.net"))
    assert server.only()["Reply-To"] == "desk@example.net"


async def test_half_a_surrogate_pair_becomes_a_question_mark(server: MailServer) -> None:
    await mailer(server.port).send(Mail(MAIL.to, "a\ud83d", "b\udc00"))
    assert (server.only()["Subject"], server.only().get_content()) == ("a?", "b?\n")


BREAKS = ["\n", "\r", "\r\n", "\r\n\r\n", "\0", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x1b"]


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("place", ["to", "subject", "reply_to"])
async def test_a_line_break_never_becomes_a_header(server: MailServer, line_break: str, place: str) -> None:
    values = {"to": MAIL.to, "subject": "s", "body": "b", "reply_to": "desk@example.net"}
    values[place] += f"{line_break}Bcc: victim@example.org"
    with pytest.raises(MailRefused, match=r"one line|not a mail address"):
        await mailer(server.port).send(Mail(**values))
    assert server.taken == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "jade",
        "@example.org",
        "jade@",
        "a@b@c",
        "a@b, c@d",
        "a@b;c@d",
        "Jade <a@b.c>",
        "<a@b.c>",
        "a b@c.d",
        '"a b"@c.d',
        "a@[127.0.0.1]",
        "a@b..c",
        "a@.b",
        "é@example.org",
        "a@exämple.org",
        "a@b.c\n",
        "a@b.c> NOTIFY=NEVER",
        "a" * 65 + "@example.org",
        "a@" + "b." * 130 + "c",
    ],
)
async def test_what_is_not_one_address_is_refused(server: MailServer, address: str) -> None:
    with pytest.raises(MailRefused, match="not a mail address"):
        await mailer(server.port).send(Mail(address, "s", "b"))
    assert server.taken == []


@pytest.mark.parametrize("address", ["a@b", "jade.o'hara+sms@mail.example.org", "x_1-2@xn--exmple-cua.org"])
async def test_ordinary_addresses_are_taken(server: MailServer, address: str) -> None:
    await mailer(server.port).send(Mail(address, "s", "b"))
    assert server.taken[0].rcpt_tos == [address]


@pytest.mark.parametrize("stage", ["to_recipient", "to_content"])
@pytest.mark.parametrize(
    ("says", "error", "kind"),
    [
        ("550 5.1.1 no such user", MailRefused, CarrierErrorKind.PERMANENT),
        ("554 5.7.1 spam", MailRefused, CarrierErrorKind.PERMANENT),
        ("450 4.2.1 come back later", MailFailed, CarrierErrorKind.TEMPORARY),
        ("452 4.3.1 disk full", MailFailed, CarrierErrorKind.TEMPORARY),
    ],
)
async def test_a_refusal_of_the_server_is_told_with_its_words(
    server: MailServer,
    stage: str,
    says: str,
    error: type[MailFailed | MailRefused],
    kind: CarrierErrorKind,
) -> None:
    setattr(server, stage, says)
    with pytest.raises(error) as refusal:
        await mailer(server.port).send(MAIL)
    assert says in refusal.value.detail
    assert refusal.value.kind is kind


async def test_user_name_and_password_are_shown(server: MailServer) -> None:
    await mailer(server.port, "me", "right").send(MAIL)
    assert server.logins == [(b"me", b"right")]
    assert len(server.taken) == 1


async def test_a_wrong_password_keeps_the_mail_for_later(server: MailServer) -> None:
    with pytest.raises(MailFailed, match="refused our user name or password"):
        await mailer(server.port, "me", "wrong").send(MAIL)
    assert server.taken == []


async def test_no_mail_and_no_password_without_the_tls_that_was_demanded(server: MailServer) -> None:
    with pytest.raises(MailFailed, match="STARTTLS"):
        await mailer(server.port, "me", "right", start_tls=True).send(MAIL)
    assert (server.taken, server.logins) == ([], [])


async def test_a_server_that_is_away_is_a_temporary_failure(server: MailServer) -> None:
    listener = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener:
        with pytest.raises(MailFailed, match=f"127.0.0.1:{port}"):
            await mailer(port).send(MAIL)
    with pytest.raises(MailFailed, match=f"127.0.0.1:{port}"):
        await mailer(port).send(MAIL)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_the_outbox_keeps_every_mail_in_order(tmp_path: Path) -> None:
    ids = iter(["b", "a"])
    times = iter([NOW, NOW.replace(microsecond=1)])
    outbox = OutboxMailer(tmp_path / "var" / "outbox", now=lambda: next(times), new_id=lambda: next(ids))
    await outbox.send(MAIL)
    await outbox.send(Mail("second@example.org", "2", "2"))
    files = kept(tmp_path / "var" / "outbox")
    assert [file.name for file in files] == [
        "20260301T123005.000000Z-b.eml",
        "20260301T123005.000001Z-a.eml",
    ]
    first = message_from_bytes(files[0].read_bytes(), policy=default)
    assert (first["To"], first["Subject"], first["Message-ID"]) == (MAIL.to, MAIL.subject, "<b@localhost>")


async def test_the_outbox_refuses_what_a_server_would_not_get(tmp_path: Path) -> None:
    with pytest.raises(MailRefused):
        await OutboxMailer(tmp_path).send(Mail("a@b\nBcc: c@d", "s", "b"))
    assert kept(tmp_path) == []


async def test_an_outbox_that_cannot_be_written_is_a_temporary_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MailFailed, match="could not be written"):
        await OutboxMailer(tmp_path / "file").send(MAIL)
