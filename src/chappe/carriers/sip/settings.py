"""The settings of one SIP carrier, checked."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{0,100}$")]


class TrunkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link to a voice network, `[[carriers.NAME.trunks]]`.

    With `register` we say there regularly where we are; without, it knows our address. Calls are taken from
    its own address and from `allowed_sources` (addresses or networks). `caller` says where the number that
    calls stands: in From, or beside the user name there in P-Asserted-Identity. `plus` puts a + before
    numbers."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,253}$")]
    port: Port = 5060
    username: Word = ""
    password: Word = ""
    register: bool = False
    expires_seconds: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 300
    allowed_sources: tuple[str, ...] = ()
    max_calls: Annotated[int, msgspec.Meta(ge=1, le=100)] = 30
    caller: Literal["from", "asserted"] = "from"
    plus: bool = True


class SipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `[carriers.NAME]` with `type = "sip"`.

    `listen` and `port` are where SIP is spoken (UDP), `first_port` to `last_port` where sound is.
    `public_address` is what we tell others instead of our own address, behind a translating router.
    `max_calls` counts legs: one process mixes a hundred (decision 10). `requests_per_second` is what one
    address may ask that is neither a trunk nor has a telephone of ours registered."""

    type: Literal["sip"] = "sip"
    listen: str = "0.0.0.0"
    port: Port = 5060
    public_address: str = ""
    first_port: Port = 20_000
    last_port: Port = 20_999
    max_calls: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100
    requests_per_second: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 5
    trunks: tuple[TrunkSettings, ...] = ()


def read_settings(table: Mapping[str, Any]) -> SipSettings:
    """The settings of one carrier. Raises ValueError that says which one is wrong and why."""
    try:
        settings = msgspec.convert(dict(table), SipSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    for where, address in (("listen", settings.listen), ("public_address", settings.public_address)):
        if address and ip_address(address).version != 4:
            raise ValueError(f"{where}: {address} is no IPv4 address; others are not spoken yet")
    if settings.last_port - settings.first_port + 1 < 2 * settings.max_calls:
        raise ValueError(
            f"{settings.max_calls} calls need {2 * settings.max_calls} ports for their sound; first_port to"
            f" last_port are {settings.last_port - settings.first_port + 1}"
        )
    names = [trunk.name for trunk in settings.trunks]
    if len(set(names)) < len(names):
        raise ValueError(f"trunks: each needs a name of its own, not {names}")
    for trunk in settings.trunks:
        if trunk.register and not trunk.username:
            raise ValueError(f"trunk {trunk.name}: register = true needs a username")
        for network in trunk.allowed_sources:
            ip_network(network)
    return settings
