"""The carriers of this platform: which there are, and what those worked by this process tell."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from chappe.model.carriers import BindStatus, CarrierStatus, LinkState, LinkStatus


class Carriers:
    """All carriers of the settings file, by name with their type, and the sandbox; `calling` are those that
    carry calls and no messages, `lines` is the one with which the telephones of lines register, if any."""

    def __init__(self, types: Mapping[str, str], calling: Collection[str] = (), lines: str = "") -> None:
        self.types = {"sandbox": "sandbox", **types}
        self._calling = frozenset(calling)
        self.lines = lines or (next(iter(calling)) if len(calling) == 1 else "")
        self._binds: Callable[[], Sequence[BindStatus]] = tuple
        self._here: dict[str, tuple[Callable[[], CarrierStatus], Callable[[], bool]]] = {}

    def carry(self, kind: str) -> list[str]:
        """The names of those that carry a kind of traffic, in alphabetical order."""
        return sorted(
            name for name in self.types if name == "sandbox" or (name in self._calling) == (kind == "call")
        )

    def join(self, name: str, status: Callable[[], CarrierStatus], works: Callable[[], bool]) -> None:
        """This process has a carrier and works it while `works()`, as long as it holds its lease."""
        self._here[name] = (status, works)

    def serve(self, binds: Callable[[], Sequence[BindStatus]]) -> None:
        """This process lets customers bind to it."""
        self._binds = binds

    def binds(self) -> Sequence[BindStatus]:
        """The binds of customers that this process holds, the oldest first."""
        return self._binds()

    def counts(self) -> dict[str, int]:
        """How many carriers this process has, how many of them it works, and how many of these are up."""
        here = self.worked_here().values()
        up = (LinkState.UP, LinkState.STRAINED)
        return {"known": len(self._here), "here": len(here), "up": sum(one.state in up for one in here)}

    def worked_here(self) -> dict[str, CarrierStatus]:
        """What the carriers that this process works do at this moment."""
        return {name: status() for name, (status, works) in self._here.items() if works()}


def as_data(status: CarrierStatus) -> dict[str, object]:
    """A status as JSON data; times are ISO 8601."""
    data = asdict(status)
    data["links"] = [{**link, "since": link["since"].isoformat()} for link in data["links"]]
    return {**data, "id_votes": dict(status.id_votes), "words": dict(status.words)}


def of_data(data: Mapping[str, object]) -> CarrierStatus:
    """A status out of its JSON data."""
    read = cast(dict[str, Any], dict(data))
    links = [
        LinkStatus(
            **{**link, "state": LinkState(link["state"]), "since": datetime.fromisoformat(link["since"])}
        )
        for link in read["links"]
    ]
    return CarrierStatus(**{**read, "state": LinkState(read["state"]), "links": tuple(links)})
