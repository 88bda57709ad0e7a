"""Tells a line's notification URL of a call: a GET of the URL with its keywords replaced.

Source: seed 004 and "Guide d'utilisation CTI / API / TAPI", Notification d'appels (dialects.md 5a).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from chappe.model.events import Event, LineHappened
from chappe.model.outgoing import Mail, Outgoing
from chappe.services.ports import NoticeTarget

_VERSION = "1"
_HIDDEN = "anonymous"
"""What receivers see of a caller who hides (dialects.md 5a)."""

_KEYWORDS = (
    "_DREF_REPLACE_",
    "_REDIRECTING_NUMBER_",
    "_SESSION_ID_",
    "_N_VERSION_",
    "_N_TYPE_",
    "_ACCOUNT_",
    "_CALLER_",
    "_CALLEE_",
    "_CALLREF_",
    "_IS_ACD_",
    "_DREF_",
    "_TSMS_",
)
# The longest first: _DREF_ begins _DREF_REPLACE_ (dialects.md 5c).
_KEYWORD = re.compile("|".join(sorted(_KEYWORDS, key=len, reverse=True)))
# A parameter's name may look like a keyword (`?_TSMS_=_TSMS_`): only values are filled in.
_NAME = re.compile(r"([?&;][^=&;#]*=)")


def notice(event: Event, target: NoticeTarget, now: datetime) -> Outgoing | Mail | None:
    """A request for what happens to a line; Keyyo tells of nothing else. What a server answers is not looked
    at, so a redirect is fine."""
    if not isinstance(event, LineHappened) or not target.url:
        return None
    words = _words(event)
    parts = _NAME.split(target.url)
    # With one group every second part is a name, which stays as it is.
    filled = [part if place % 2 else _fill(part, words) for place, part in enumerate(parts)]
    return Outgoing("GET", "".join(filled), redirect_is_fine=True)


def _fill(part: str, words: Mapping[str, str]) -> str:
    return _KEYWORD.sub(lambda found: quote(words[found[0]], safe=""), part)


def _words(event: LineHappened) -> Mapping[str, str]:
    """What each keyword stands for; one that says nothing is empty. Numbers are international without a
    plus. No number here is a welcome number: _SESSION_ID_ and _IS_ACD_ are empty."""
    dialogue = event.dialogue
    return {
        "_ACCOUNT_": dialogue.line,
        "_CALLER_": dialogue.caller or _HIDDEN,
        "_CALLEE_": dialogue.callee or _HIDDEN,
        "_CALLREF_": event.call_ref,
        "_N_TYPE_": event.name.value,
        "_N_VERSION_": _VERSION,
        "_DREF_": dialogue.ref,
        "_DREF_REPLACE_": dialogue.replaces,
        "_SESSION_ID_": "",
        "_IS_ACD_": "",
        "_REDIRECTING_NUMBER_": dialogue.redirecting,
        "_TSMS_": str(round(event.at.timestamp() * 1000)),
    }
