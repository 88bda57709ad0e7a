"""Log lines for programs and people: each with its request where there is one, numbers and secrets masked."""

import re
import shutil
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

# Digits as numbers are kept and told (E.164: 8 to 15), alone or with a plus; ids are longer, refs have
# letters, UUIDs hyphens.
_NUMBER = re.compile(r"(?<![\w.-])\+?\d{8,15}(?![\w-])")
# As people write them: groups of two to four after a nought or a country code.
_WRITTEN = re.compile(r"(?<![\w.:-])(?:\+\d{1,3}|0)[ .]?\d{1,4}(?:[ .]\d{2,4}){2,5}(?![\w-])")
_SECRET_NAMES = re.compile(
    r"(?i)pass(word|wd)?|secret|token|authorization|api_?key|cookie|.*_(secret|password|key)"
)
_SECRETS = (
    re.compile(r"(?P<kept>whsec_|ck_)[A-Za-z0-9+/=]{8,}"),  # services/subscriptions.py, services/accounts.py
    re.compile(r"(?i)(?P<kept>\b(?:bearer|basic|digest) )\S+"),
    re.compile(r"(?P<kept>://[^/\s:@]+:)[^/\s@]+(?=@)"),
    # Of URLs and forms; Orange's key is its `id` (reference: dialects.md 1a).
    re.compile(r"(?i)(?P<kept>[?&;\s](?:pass|password|secret|token|key|id)=)[^&\s\"']+"),
)


def masked(text: str) -> str:
    """A text without secrets, and of telephone numbers only their ends: `33612****78`."""
    for secret in _SECRETS:
        text = secret.sub(r"\g<kept>***", text)
    return _WRITTEN.sub(_ends, _NUMBER.sub(_ends, text))


def _ends(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0])
    plus = "+" if found[0].startswith("+") else ""
    return f"{plus}{digits[:-6]}****{digits[-2:]}" if len(digits) >= 8 else found[0]


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: _mask_named(str(key), one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(one) for one in value]
    if isinstance(value, bytes):
        return masked(value.decode("utf-8", "backslashreplace"))
    return value if value is None or isinstance(value, bool | int | float) else masked(str(value))


def _mask_named(name: str, value: Any) -> Any:
    return "***" if value and _SECRET_NAMES.fullmatch(name) else _mask(value)


def mask(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor: everything a line holds, also within lists and tracebacks."""
    for name, value in line.items():
        if name != "timestamp":
            line[name] = _mask_named(name, value)
    return line


def configure(stream: TextIO | None = None, *, pretty: bool | None = None) -> None:
    """Write to a stream (standard error): readable lines at a terminal, JSON objects elsewhere."""
    stream = stream or sys.stderr
    if pretty is None:
        pretty = stream.isatty() and shutil.get_terminal_size().columns > 60
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
