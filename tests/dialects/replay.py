"""Reads golden conversations and replays them through the real pipeline.

A conversation is text that whoever knows the provider can review without Python: the request as bytes, the
answer as bytes with named holes. `{orange.id}`, `{netoxygen.user}` and the like come from the account of the
conversation, `{keyyo.token}` is an access to its manager; `{ref:N}` is a hole that captures; `{time}` is any
date and time; `{*}` anything in a line.
Bytes that are not UTF-8 are written `\\xE9`, a backslash `\\\\`. Lines between the pairs: `!!! outbox` does
outgoing work until there is none, `!!! clock +1h` moves the clock (d, h, m, s), and live calls with it.
`!!! told HOST` does outgoing work, and compares the lines below with what the customer's server HOST was
asked for since the last time: a method and an address each.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from chappe.services import accounts, directory
from tests.asgi import Reply, ask
from tests.platform import World

_HOLE = re.compile(r"\{(ref:\d+|time|\*)\}")
_TIME = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"


@dataclass
class Turn:
    """One request and its answer, or one order to the clockwork."""

    request: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    order: str = ""


@dataclass
class Conversation:
    file: Path
    title: str
    source: str
    state: dict[str, str]
    turns: list[Turn]

    @property
    def name(self) -> str:
        return f"{self.file.stem}: {self.title}"


def read(file: Path) -> list[Conversation]:
    """All conversations of a file."""
    blocks: list[list[str]] = [[]]
    for line in file.read_text(encoding="utf-8").split("\n"):
        if line == "===":
            blocks.append([])
        else:
            blocks[-1].append(line)
    return [_conversation(file, block) for block in blocks if any(line.strip() for line in block)]


def _conversation(file: Path, lines: list[str]) -> Conversation:
    head: dict[str, str] = {}
    turns: list[Turn] = []
    into: list[str] | None = None
    for line in lines:
        if line.strip() == ">>>":
            turns.append(Turn())
            into = turns[-1].request
        elif line.strip() == "<<<":
            into = turns[-1].answer
        elif line.startswith("!!! "):
            turns.append(Turn(order=line[4:].strip()))
            into = turns[-1].answer if turns[-1].order.startswith("told ") else None
        elif into is None:
            if found := re.match(r"#\s*(\w+):\s*(.*)", line):
                head[found[1]] = found[2]
        else:
            into.append(line)
    state = dict(item.split("=", 1) for item in head.get("state", "").split() if "=" in item)
    return Conversation(file, head.get("title", "?"), head.get("source", ""), state, turns)


def to_bytes(text: str) -> bytes:
    """UTF-8, but `\\xE9` is one byte and `\\\\` one backslash."""
    parts = re.split(r"(\\x[0-9A-Fa-f]{2}|\\\\)", text)
    out = b""
    for part in parts:
        if part == "\\\\":
            out += b"\\"
        elif re.fullmatch(r"\\x[0-9A-Fa-f]{2}", part):
            out += bytes([int(part[2:], 16)])
        else:
            out += part.encode()
    return out


async def replay(world: World, conversation: Conversation) -> None:
    """Say every request and compare every answer."""
    state = conversation.state
    words = await _words(world, int(state.get("credits", "200")))
    for number, turn in enumerate(conversation.turns, 1):
        where = f"{conversation.name}, turn {number}"
        if turn.order.startswith("told "):
            await world.settle()
            _compare_told(where, turn.order[5:], turn.answer, world, words)
            continue
        if turn.order:
            await _obey(world, turn.order)
            continue
        reply = await _say(world, "\n".join(turn.request), words)
        _compare(where, turn.answer, reply, words)


async def _words(world: World, credits: int) -> dict[str, str]:
    new = await world.account("shop", credits)
    words = {"netoxygen.guid": new.account.guid, "guid": new.account.guid}
    fields = {
        "rest": ("", "key"),
        "orange": ("", "id"),
        "netoxygen": ("user", "pass"),
        "capitole": ("username", "password"),
        "axialys": ("email", "pass"),
        "keyyo": ("account", "password"),
    }
    for dialect, (login, secret) in fields.items():
        if login:
            words[f"{dialect}.{login}"] = new.secrets[dialect].login
        words[f"{dialect}.{secret}"] = new.secrets[dialect].secret
    caller = directory.caller_of(new.account, new.user, "keyyo")
    until = world.clock.now() + timedelta(days=1)
    words["keyyo.token"] = await accounts.add_key(world.platform, caller, "keyyo", "full_access", until)
    numbers = await world.platform.store.queries.own_numbers(new.account.id)
    words["number"] = numbers[0].number
    return words


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"\{([\w.]+(?::\d+)?)\}", lambda m: words.get(m[1], m[0]), text)


async def _say(world: World, text: str, words: dict[str, str]) -> Reply:
    head, _, body_text = _fill(text, words).partition("\n\n")
    line, *header_lines = head.split("\n")
    method, rest = line.split(" ", 1)
    target, version = rest.rsplit(" ", 1)
    headers = dict(re.split(r":\s*", header, maxsplit=1) for header in header_lines if header)
    body = to_bytes(body_text.removesuffix("\n"))
    if method == "GET":
        body = body.strip(b"\n")
    return await ask(
        world.chappe.application,
        method,
        to_bytes(target),
        headers=headers,
        body=body,
        http_version=version.removeprefix("HTTP/"),
    )


async def _obey(world: World, order: str) -> None:
    if order == "outbox":
        await world.settle()
        return
    found = re.fullmatch(r"clock \+(\d+)([dhms])", order)
    if found is None:
        raise ValueError(f"unknown order {order!r}")
    unit = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}[found[2]]
    await world.wait(timedelta(**{unit: int(found[1])}).total_seconds())


def _compare(where: str, answer: list[str], reply: Reply, words: dict[str, str]) -> None:
    head, _, body_text = "\n".join(answer).partition("\n\n")
    status, *header_lines = head.split("\n")
    shown = f"{where}\n{reply.status} {reply.headers}\n{reply.body.decode('utf-8', 'replace')}"
    _, code, *phrase = status.split(" ", 2)
    assert reply.status == int(code), shown
    assert reply.reason == "".join(phrase), shown
    for header in header_lines:
        if header:
            name, value = re.split(r":\s*", header, maxsplit=1)
            got = reply.headers.get(name.lower())
            assert got is not None and re.fullmatch(_pattern(value, words), got.encode("latin-1")), shown
    expected = _fill(body_text.removesuffix("\n"), words)
    found = re.fullmatch(_pattern(expected, words), reply.body.removesuffix(b"\n"), re.DOTALL)
    assert found is not None, f"{shown}\n--- expected\n{expected}"
    for name, value in found.groupdict().items():
        words[name.replace("_", ":", 1)] = value.decode()


def _compare_told(where: str, host: str, expected: list[str], world: World, words: dict[str, str]) -> None:
    sent = [one for one in world.web.sent if urlsplit(one.url).hostname == host]
    world.web.sent[:] = [one for one in world.web.sent if one not in sent]
    told = "\n".join(f"{one.method} {one.url}" for one in sent)
    wanted = _fill("\n".join(line for line in expected if line), words)
    found = re.fullmatch(_pattern(wanted, words), told.encode())
    assert found is not None, f"{where}\n{told}\n--- expected\n{wanted}"
    for name, value in found.groupdict().items():
        words[name.replace("_", ":", 1)] = value.decode()


def _pattern(text: str, words: dict[str, str]) -> bytes:
    pattern, seen = b"", set()
    for position, part in enumerate(_HOLE.split(text)):
        if position % 2 == 0:
            pattern += re.escape(to_bytes(part))
        elif part == "time":
            pattern += _TIME
        elif part == "*":
            pattern += rb"[^\n]*"
        elif part in words:
            pattern += re.escape(words[part].encode())
        elif part in seen:
            pattern += f"(?P={part.replace(':', '_')})".encode()
        else:
            seen.add(part)
            pattern += f'(?P<{part.replace(":", "_")}>[^<"\\s]+)'.encode()
    return pattern
