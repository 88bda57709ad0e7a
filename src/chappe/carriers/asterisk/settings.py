"""The section of one Asterisk carrier: its switches, its trunks, how it speaks with them."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Prefix = Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")]


class TrunkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A voice network that the switches are connected to over SIP.

    Numbers that begin with one of `prefixes` go there, the longest one wins. With `username` we prove who we
    are, with `register` also beforehand. Calls come from `sources` (addresses or networks), by default from
    `host`. With `plus` numbers are sent as +33..., else as 33...
    """

    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.:\[\]-]+$")]
    port: Port = 5060
    prefixes: tuple[Prefix, ...] = ("",)
    username: Annotated[str, msgspec.Meta(pattern=r"^[^\s;\[\]]*$")] = ""
    password: Annotated[str, msgspec.Meta(pattern=r"^[^\s;]*$")] = ""
    register: bool = False
    sources: tuple[Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.:/-]+$")], ...] = ()
    codecs: tuple[Name, ...] = ("alaw", "ulaw")
    plus: bool = False


class SwitchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One Asterisk: where its REST interface is, where it speaks SIP, which ports its sound takes.

    `sounds` is the folder into which we write what it plays, `recordings` the one into which it writes what
    it records (`recording` in its spool folder); both see both. `outside` is its address behind NAT, and
    `inside` the networks that need no NAT. `per_second` bounds the legs that it is asked to ring
    (reference: voice.md 1.4, two for a call).
    """

    url: str
    sip: str = "0.0.0.0:5060"
    rtp: tuple[Port, Port] = (10_000, 20_000)
    sounds: str = "/var/lib/chappe/sounds"
    recordings: str = "/var/spool/asterisk/recording"
    outside: str = ""
    inside: tuple[str, ...] = ()
    per_second: Annotated[float, msgspec.Meta(gt=0)] = 60


class AsteriskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[carriers.NAME]`; what switches have in common stands beside `url`, or each has a table of its own in
    `switches`."""

    switches: dict[Name, SwitchSettings]
    user: Name = "chappe"
    password: Annotated[str, msgspec.Meta(pattern=r"^[^\s;]+$")] = ""
    application: Name = "chappe"
    trunks: dict[Name, TrunkSettings] = {}

    def trunk_for(self, number: str) -> str:
        """The name of the trunk that takes a number; empty for none."""
        found = [
            (len(prefix), name)
            for name, trunk in self.trunks.items()
            for prefix in trunk.prefixes
            if number.startswith(prefix)
        ]
        return max(found, key=lambda one: one[0])[1] if found else ""


_OF_A_SWITCH = SwitchSettings.__struct_fields__


def read_settings(table: Mapping[str, Any]) -> AsteriskSettings:
    """The settings of one carrier. Raises ValueError that says which one is wrong and why."""
    rest = {key: value for key, value in table.items() if key not in ("type", "switches", *_OF_A_SWITCH)}
    common = {key: value for key, value in table.items() if key in _OF_A_SWITCH}
    switches = table.get("switches") or {"switch": {}}
    if not isinstance(switches, Mapping) or not all(isinstance(one, Mapping) for one in switches.values()):
        raise ValueError("switches: write a table for each, [carriers.NAME.switches.one]")
    merged = {name: common | dict(one) for name, one in switches.items()}
    try:
        settings = msgspec.convert({**rest, "switches": merged}, AsteriskSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    if not settings.password:
        raise ValueError("password: give the one of the switch's REST interface")
    for name, switch in settings.switches.items():
        _check_switch(name, switch)
    for name, trunk in settings.trunks.items():
        if trunk.register and not trunk.username:
            raise ValueError(f"trunks.{name}: who registers needs a username and a password")
    return settings


def address_of(sip: str) -> tuple[str, int]:
    """Host and port of "192.0.2.1:5060" or "[2001:db8::1]:5060". Raises ValueError."""
    found = re.fullmatch(r"\[?([0-9a-fA-F.:]+?)\]?:(\d{1,5})", sip)
    if found is None or not 0 < int(found[2]) < 65_536:
        raise ValueError(f"{sip!r} is no address with a port, like 0.0.0.0:5060")
    return str(ip_address(found[1])), int(found[2])


def _check_switch(name: str, switch: SwitchSettings) -> None:
    parts = urlsplit(switch.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url: {switch.url!r} of {name} is no address like http://127.0.0.1:8088/ari")
    try:
        address_of(switch.sip)
    except ValueError as error:
        raise ValueError(f"sip: {error}") from None
    if switch.rtp[0] >= switch.rtp[1]:
        raise ValueError(f"rtp: {list(switch.rtp)} of {name} is no range; write the lower port first")
