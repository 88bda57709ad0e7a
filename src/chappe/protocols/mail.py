"""A plain text mail with files as bytes: RFC 5322 with MIME, safe from values that would become headers."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

# 7 bits only, so that the mail passes through every server unchanged.
_POLICY = SMTP.clone(cte_type="7bit")
_ADDRESS = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}")


def check_address(text: str) -> str:
    """The one address that `text` is, unchanged; raises ValueError for anything else.

    RFC 5321, section 4.1.2, but quoted local parts and address literals are refused (our choice: nobody has
    them, attacks do). A domain with other letters is written in its `xn--` form.
    """
    if len(text) > 254 or not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not a mail address")
    return text


def compose(
    *,
    sender: str,
    to: str,
    subject: str,
    body: str,
    at: datetime,
    message_id: str,
    reply_to: str | None = None,
    files: Sequence[tuple[str, str, bytes]] = (),
) -> bytes:
    """The whole mail with CRLF line ends.

    `sender` may carry a display name (`Chappe <sms@example.com>`), `to` and `reply_to` are bare addresses,
    `message_id` comes without angle brackets, `files` have name, media type and content. Subject and body may
    be any text; raises ValueError for a line break in a header or an address that is none.
    """
    check_address(parseaddr(sender)[1])
    headers = {
        "From": sender,
        "To": check_address(to),
        "Subject": subject,
        "Date": format_datetime(at),
        "Message-ID": f"<{check_address(message_id)}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office answers, please
    }
    if reply_to is not None:
        headers["Reply-To"] = check_address(reply_to)
    message = EmailMessage(policy=_POLICY)
    for name, value in headers.items():
        if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in value):
            raise ValueError(f"the {name} of a mail must be one line without control characters: {value!r}")
        message[name] = _whole(value)
    message.set_content(_whole(body), charset="utf-8")
    for name, media_type, content in files:
        kind, _, subtype = media_type.partition("/")
        message.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    return message.as_bytes()


def _whole(text: str) -> str:
    """The text without halves of surrogate pairs, which no charset can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
