"""Tells whether an incoming SMS asks to stop receiving messages, or to receive them again.

Words: STOP, STOPALL, UNSUBSCRIBE, CANCEL, END and QUIT of the CTIA Messaging Principles and Best Practices,
OPT OUT and REVOKE of 47 CFR 64.1200(a)(10), STOP and ARRET of the af2m charter. The other words, and what may
stand around them, are our choice: who wants to be left alone is understood, and a sentence that merely has
the word in it is not taken for it.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Literal

# All phrases are written as `_plain` leaves them: lower case, no accents, words parted by one blank. Of two
# that begin alike the longer stands first, because the first that fits is taken.
_STOP = (
    "stop|stopp|stopall|stoppall|quit|cancel|end|revoke|unsubscribe me|unsubscribe|unsub"
    "|optout|opt out|opt me out|remove me|arret|arreter|arretez"
    "|desabonner|desabonne|desabonnement|desabonnez moi|desinscrire|desinscription|desinscrivez moi"
    "|(?:je (?:veux|voudrais|souhaite|desire) |merci de |veuillez )?me (?:desabonner|desinscrire)"
    "|i (?:want|would like) to unsubscribe"
)
_START = "start|unstop|restart|resume|subscribe|reprise|reprendre|oui reprendre|reabonner|me reabonner"
_GREETING = "bonjour|bonsoir|hello|hi|salut|ok|please|pls|svp|stp|s il (?:vous|te) plait"
_COURTESY = (
    "merci|merci beaucoup|merci d avance|merci bien|svp|stp|s il (?:vous|te) plait|cordialement|bonne journee"
    "|please|pls|plz|thanks|thx|ty|thank you|thank you very much|many thanks"
    "|now|maintenant|immediately|immediatement|tout de suite"
)
# What may be stopped; "au 36180" is copied from the last line of French advertising messages.
_OBJECT = re.compile(
    "all|tout|pub|pubs|publicite|publicites|sms|texto|textos|mms|messages"
    "|(?:les|vos|ces|the|these|your|all) (?:pub|pubs|publicites|sms|textos|messages|texts)"
    "|texting me|messaging me|sending me (?:texts|messages|sms)"
    "|(?:au )?[0-9]{5}"
)


def _request(words: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?:{_GREETING}) )*(?:{words})(?: (?:{words}))*(?P<rest>(?: .+?)??)(?: (?:{_COURTESY}))*"
    )


_STOP_REQUEST = _request(_STOP)
_START_REQUEST = _request(_START)

_LONGEST = 160
"""Characters of the longest text that is read: one SMS (our choice; what is longer says more than stop)."""


def read_stop(text: str, keywords: Collection[str] = ()) -> Literal["stop", "start"] | None:
    """Read an opt-out or an opt-in; None for every other text.

    Case, accents, punctuation, quotes, emoji and blanks do not matter; a greeting before and a polite word
    behind are allowed. `keywords` are those of the number that was written to: "STOP <keyword>" is an opt-out
    too.
    """
    if len(text) > _LONGEST:
        return None
    plain = _plain(text)
    if found := _STOP_REQUEST.fullmatch(plain):
        rest = found["rest"].strip()
        if not rest or _OBJECT.fullmatch(rest) or any(rest == _plain(keyword) for keyword in keywords):
            return "stop"
    if (found := _START_REQUEST.fullmatch(plain)) and not found["rest"]:
        return "start"
    return None


def _plain(text: str) -> str:
    """Lower case without accents and invisible characters; all but letters and digits as one blank."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
    words = re.split(r"[\W_]+", bare)
    spelt = [word for word in words if word]
    if len(spelt) > 1 and all(len(word) == 1 for word in spelt):
        return "".join(spelt)  # "S.T.O.P."
    return " ".join(spelt)
