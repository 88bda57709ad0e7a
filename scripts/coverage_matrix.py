#!/usr/bin/env python3
"""Prints docs/coverage.md: what each dialect can say, and how well that is proven.

Rows come from the dialects' own tables, "replayed" from the golden conversations (each request is read by the
dialect itself), "driven" from the words in the client programs under tests/clients.
"""

import re
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP))

from chappe.dialects.contract import Dialect  # noqa: E402 - the path comes first
from chappe.model.errors import Refusal  # noqa: E402
from chappe.protocols.http import HttpRequest  # noqa: E402
from tests.dialects.replay import Conversation, read, to_bytes  # noqa: E402

HEAD = """# Coverage

What each dialect can ask of the platform, by the service that does it. Written by `make docs` from the \
dialects' tables and the tests; do not edit.

- **documented**: we know its words, and it works
- **replayed**: a golden conversation in `tests/dialects` says it, byte for byte
- **driven**: a client program in `tests/clients`, of the kind that was in use, says it to a running server

A dash: this wire has no word for it, or none yet.
"""


def dialects() -> dict[str, list[Dialect]]:
    """By name, the faces of every dialect that has a folder."""
    found: dict[str, list[Dialect]] = defaultdict(list)
    for file in sorted((TOP / "src/chappe/dialects").glob("*/operations.py")):
        for each in import_module(f"chappe.dialects.{file.parent.name}.operations").DIALECTS:
            found[each.name].append(each)
    return found


def requests(conversation: Conversation) -> list[HttpRequest]:
    """Its requests; the names in braces stay as they are, no dialect needs them to know the operation."""
    found = []
    for turn in conversation.turns:
        head, _, body = "\n".join(turn.request).partition("\n\n")
        if not head:
            continue
        line, *lines = head.split("\n")
        method, target, _ = re.split(r" (?=\S+ HTTP/)| (?=HTTP/)", line, maxsplit=2)
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        path, _, query = target.partition("?")
        found.append(
            HttpRequest(
                method=method,
                host=headers.get("host", ""),
                path=path,
                target=to_bytes(target),
                query=to_bytes(query),
                headers=headers,
                body=to_bytes(body.removesuffix("\n")),
            )
        )
    return found


def replayed(dialect: Dialect) -> set[str]:
    """The verbs that the dialect reads in its golden conversations."""
    verbs = set()
    for file in (TOP / "tests/dialects").glob("*/*.conversation"):
        for request in (each for one in read(file) for each in requests(one)):
            if request.path.startswith(tuple(dialect.paths)):
                try:
                    verbs.add(dialect.read(request).verb)
                except Refusal:
                    continue  # a conversation about a request that cannot be read
    return verbs


def driven(dialect: Dialect) -> set[str]:
    """The verbs that stand in client programs: by name, or as method and path."""
    folder = TOP / "tests/clients"
    files = [file for file in folder.rglob("*") if file.is_file() and file.parent != folder]
    programs = [file.read_text() for file in [*files, folder / "vbscript.py"] if file.suffix != ".pyc"]
    return {verb for verb in dialect.operations if any(says(program, verb) for program in programs)}


def says(program: str, verb: str) -> bool:
    if " /" not in verb:
        return re.search(rf"\b{re.escape(verb.rpartition('/')[2])}\b", program) is not None
    method, path = verb.split(" ", 1)
    words = re.sub(r"\\{\w+\\}", r"[^/\\s\"']+", re.escape(path))
    sent = "POST" if "--data" in program else "GET"
    return method == sent and re.search(rf"{words}(?![\w/])", program) is not None


def main() -> None:
    known = dialects()
    rows: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    tally = []
    for name, faces in known.items():
        levels: dict[str, str] = {}
        for dialect in faces:
            in_tests, in_clients = replayed(dialect), driven(dialect)
            levels |= {
                verb: "driven" if verb in in_clients else "replayed" if verb in in_tests else "documented"
                for verb in dialect.operations
            }
            for verb, operation in dialect.operations.items():
                service = operation.run.__module__.removeprefix("chappe.services.")
                known_row = f"{service}.{operation.run.__name__}"
                row = "(no service)" if service.startswith("chappe.") else known_row
                rows[row][name].append(f"`{verb}` {levels[verb]}")
        counts = [list(levels.values()).count(level) for level in ("documented", "replayed", "driven")]
        tally.append(f"| {name} | {len(levels)} | {' | '.join(map(str, counts))} |")

    print(HEAD)
    print("| dialect | operations | documented only | replayed | driven |\n| --- | --- | --- | --- | --- |")
    print("\n".join(tally))
    print(f"\n| service | {' | '.join(known)} |\n| --- |{' --- |' * len(known)}")
    for row in sorted(rows):
        cells = ["<br>".join(rows[row][name]) or "-" for name in known]
        print(f"| {row} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
