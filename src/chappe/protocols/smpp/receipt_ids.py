"""In which form receipts write the ids that the answers gave: learnt from traffic, one network at a time.

A network may answer with one form of an id and write another into its receipt: decimal and hexadecimal, with
or without leading zeros or dashes, in other letter case. A rule turns the id of a receipt into that of the
answer. Which rule holds is told by two witnesses: what the ids look like (one with a letter is hexadecimal)
and under which form messages were found. A rule is settled once it explains enough receipts, and is doubted
again when they are no longer found by it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from msgspec import Struct

SETTLES_AT = 10
"""Receipts that a rule must explain, nine in ten of all that were found (our choice)."""

SURE_AT = 200
"""Receipts that a settled rule must explain before other forms are no longer tried (our choice)."""

DOUBTED_AT = 50
"""A settled rule is doubted when so many more receipts were not found than found (our choice)."""

_CONSISTENT = 0.9
_NO_CHANCE = 0.05
_SAMPLE = 200
_MOST_DIGITS = 40
_DECIMAL = re.compile(rf"[0-9]{{1,{_MOST_DIGITS}}}")
_HEX = re.compile(rf"[0-9A-Fa-f]{{1,{_MOST_DIGITS}}}")
_LETTER = re.compile(r"[A-Fa-f]")


class Shape(Struct):
    """What the first ids were seen to look like: which of them are hexadecimal by a letter, and the length
    that those with leading zeros have, 0 where there are none."""

    letters: list[bool] = []
    padded_to: int = 0

    def see(self, value: str) -> None:
        """One more id."""
        digits = value.replace("-", "")
        self.letters.append(_HEX.fullmatch(digits) is not None and _LETTER.search(digits) is not None)
        if value[:1] == "0" and len(value) > 1:
            self.padded_to = max(self.padded_to, min(len(value), _MOST_DIGITS))


def _same(value: str) -> str | None:
    return value


def _to_decimal(value: str) -> str | None:
    return str(int(value, 16)) if _HEX.fullmatch(value) else None


def _to_hex(value: str) -> str | None:
    return f"{int(value):x}" if _DECIMAL.fullmatch(value) else None


def _undashed(value: str) -> str | None:
    return value.replace("-", "")


def _dashed(value: str) -> str | None:
    """As a UUID is written (RFC 4122, 3)."""
    if len(value) != 32 or not value.isalnum():
        return None
    return "-".join((value[:8], value[8:12], value[12:16], value[16:20], value[20:]))


def _stripped(value: str) -> str | None:
    return value.lstrip("0") or "0"


_BASES: Mapping[str, Callable[[str], str | None]] = {
    "as-is": _same,
    "without-dashes": _undashed,
    "dashed": _dashed,
    "hex-to-decimal": _to_decimal,
    "decimal-to-hex": _to_hex,
}
_CASES: Mapping[str, Callable[[str], str]] = {"": str, "lower-case": str.lower, "upper-case": str.upper}
_ZEROS = ("", "without-zeros", "zero-padded")
_AS_IS = "as-is"
_WITH_CASE = ("as-is", "decimal-to-hex", "without-dashes", "dashed")
_WITH_ZEROS = ("as-is", "hex-to-decimal", "decimal-to-hex")


def _names() -> dict[str, tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = {}
    for base, zeros, case in product(_BASES, _ZEROS, _CASES):
        if (case and base not in _WITH_CASE) or (zeros and base not in _WITH_ZEROS):
            continue
        words = [word for word in (base, zeros, case) if word]
        if len(words) > 1 and base == _AS_IS:
            words.remove(_AS_IS)
        found["+".join(words)] = (base, zeros, case)
    return found


RULES: Mapping[str, tuple[str, str, str]] = _names()
"""Every rule by its name, likeliest first: what is changed, what becomes of leading zeros, letter case."""


class IdRules:
    """What is known of one network. `rule` is the settled rule, or the one that the settings name; empty
    while nothing is settled. `votes` counts the receipts that each rule explained."""

    def __init__(self, fixed: str = "") -> None:
        """`fixed` names a rule that holds whatever is seen. Raises ValueError for a name that is none."""
        if fixed and fixed not in RULES:
            raise ValueError(f"{fixed!r} is no rule for ids of receipts; known are {', '.join(RULES)}")
        self.rule = fixed
        self.votes: dict[str, int] = {}
        self._fixed = bool(fixed)
        self._answers = Shape()
        self._receipts = Shape()
        self._missed = 0
        self._counted = 0

    # --- what is seen

    def answered(self, ids: Sequence[str]) -> None:
        """Ids that the network gave in its answers."""
        seen = len(self._answers.letters)
        if seen < _SAMPLE:
            for one in ids[: _SAMPLE - seen]:
                self._answers.see(one)

    def found(self, sent: Sequence[str], form: str | None) -> None:
        """A receipt with the id in these spellings belongs to the message of the id `form`; None for none."""
        if self._fixed:
            return
        if form is None:
            self._missed += bool(self.rule)
            if self._missed >= DOUBTED_AT:
                self._doubt()
                self._answers, self._receipts = Shape(), Shape()  # they speak of what was
            return
        self._missed = max(0, self._missed - 1)
        if self.rule:
            if all(self._apply(self.rule, one) != form for one in sent):
                self._doubt()
                self._count(sent, form)
            else:
                self.votes[self.rule] = self.votes.get(self.rule, 0) + 1
            return
        self._count(sent, form)
        for first in self._by_votes()[:1]:
            if SETTLES_AT <= self.votes[first] >= _CONSISTENT * self._counted:
                self.rule = first

    def _count(self, sent: Sequence[str], form: str) -> None:
        self._counted += 1
        for name in RULES:
            if any(self._apply(name, one) == form for one in sent):
                self.votes[name] = self.votes.get(name, 0) + 1

    def _by_votes(self) -> list[str]:
        places = {name: place for place, name in enumerate(RULES)}
        return sorted(self.votes, key=lambda name: (-self.votes[name], places[name]))

    def _doubt(self) -> None:
        self.rule, self._missed, self._counted = "", 0, 0
        self.votes.clear()

    # --- what follows

    def forms(self, sent: Sequence[str]) -> tuple[str, ...]:
        """The ids under which the answer may have come, likeliest first, for a receipt's id in these
        spellings. Those of other rules are left out once the settled one is sure."""
        order: list[str] = []
        if self.rule:
            if self._fixed or self.votes.get(self.rule, 0) >= SURE_AT:
                if self.rule == _AS_IS:
                    return tuple(sent)
                settled = (self._apply(self.rule, one) for one in sent)
                return tuple(dict.fromkeys(one for one in settled if one)) or tuple(sent)
            order = [self.rule]
        if sent and len(self._receipts.letters) < _SAMPLE:
            self._receipts.see(sent[0])
        looks = self._by_looks()
        agreed = [
            name for name in order + self._by_votes() if not looks or RULES[name][0] == RULES[looks[0]][0]
        ]
        order = [*agreed, *looks, *order, *self._by_votes(), *RULES]
        found = (self._apply(name, one) for name in dict.fromkeys(order) for one in sent)
        return tuple(dict.fromkeys(one for one in found if one))

    def _by_looks(self) -> list[str]:
        """Rules that looks speak for: as many answers as receipts are compared, and letters on one side only
        must be no chance."""
        answers, receipts = self._answers.letters, self._receipts.letters
        count = min(len(answers), len(receipts))
        ours, theirs = sum(answers[:count]), sum(receipts[:count])
        if bool(ours) == bool(theirs) or (1 - max(ours, theirs) / count) ** count > _NO_CHANCE:
            return []
        base = "decimal-to-hex" if ours else "hex-to-decimal"
        return [name for name, rule in RULES.items() if rule[0] == base]

    def _apply(self, name: str, value: str) -> str | None:
        base, zeros, case = RULES[name]
        form = _BASES[base](value)
        if form is None:
            return None
        if zeros == "without-zeros":
            form = _stripped(form)
        elif zeros == "zero-padded":
            if not self._answers.padded_to:
                return None
            form = form.zfill(self._answers.padded_to)
        return _CASES[case](form) if form is not None else None

    # --- kept over a restart

    def data(self) -> dict[str, object]:
        """What was learnt, as JSON data."""
        return {
            "rule": self.rule,
            "votes": dict(self.votes),
            "padded_to": self._answers.padded_to,
        }

    def recall(self, data: Mapping[str, Any]) -> None:
        """Take up what was learnt before; what is not understood is learnt anew."""
        rule, votes, padded_to = data.get("rule"), data.get("votes"), data.get("padded_to")
        if self._fixed or rule not in RULES or not isinstance(votes, Mapping):
            return
        self.rule = str(rule)
        self.votes = {name: int(count) for name, count in votes.items() if name in RULES}
        self._answers.padded_to = padded_to if isinstance(padded_to, int) else 0
