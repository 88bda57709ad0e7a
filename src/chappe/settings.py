"""One typed tree of settings, read once from a TOML file and the environment."""

import os
import re
import tomllib
from collections.abc import Mapping
from importlib import import_module
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec


class SettingsError(Exception):
    """The settings cannot be used; the message says which one and why."""


class MailSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail server; without a host, mails are written as files into the data folder's `mail/`."""

    host: str = ""
    port: int = 587
    username: str = ""
    password: str = ""
    sender: str = "chappe@localhost"
    start_tls: bool = True


class OutgoingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Non-public networks that customers' URLs may name."""

    allow: tuple[str, ...] = ()


Prefix = Annotated[str, msgspec.Meta(pattern=r"^\d{0,15}$")]
Kind = Literal["sms", "call"]
Shares = Annotated[dict[str, Annotated[int, msgspec.Meta(ge=1, le=100)]], msgspec.Meta(min_length=1)]
Price = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]


class RouteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers with a prefix go to a carrier; of a list, to the first that is well. Carriers with weights,
    like `{free = 7, other = 3}`, share what comes."""

    carrier: str | Shares | tuple[str | Shares, ...]
    prefix: Prefix = ""
    kind: Kind = "sms"

    @property
    def places(self) -> tuple[Mapping[str, int], ...]:
        """The weights of the carriers at each place, the preferred place first."""
        places = self.carrier if isinstance(self.carrier, tuple) else (self.carrier,)
        return tuple({place: 1} if isinstance(place, str) else place for place in places)


class TariffSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one segment to numbers with a prefix costs, or a minute, in credits (at most three decimals)."""

    price: Price
    prefix: Prefix = ""
    kind: Kind = "sms"


class ShortCodeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A short code that accounts share by keywords; `revenue` in credits for each inbound message."""

    number: Annotated[str, msgspec.Meta(pattern=r"^\d{3,15}$")]
    country: str = "FR"
    revenue: Price = 0
    label: str = ""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers that the owner of the platform may change; credits with at most three decimals. With less than
    `free_disk_mb` on the disk of the data no message is accepted any more. `stop_number` is the one that the
    STOP text of an advertisement names."""

    welcome_credits: Price = 200
    price: Price = 1
    minute_price: Price = 1
    max_segments: Annotated[int, msgspec.Meta(ge=1, le=255)] = 10
    max_recipients: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10_000
    validity_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 72
    free_disk_mb: Annotated[int, msgspec.Meta(ge=0)] = 200
    stop_number: Annotated[str, msgspec.Meta(pattern=r"^\d{3,8}$")] = "36111"


class RulesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the owner decides of the rules on messages (services/rules.py).

    `senders = "registered"` refuses senders that are not registered for their account, "open" only
    warns; `daily_cap` is the most an account may spend in a day, in credits, 0 for no limit.
    """

    senders: Literal["open", "registered"] = "open"
    daily_cap: Price = 0
    brake: bool = True


class CallsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of calls, which keep a stolen key from costing a fortune; 0 for no limit.

    `at_once` holds for an account, `at_once_per_line` for one of its lines. The others count calls that leave
    the sandbox: `per_minute`, and in a day (UTC) `per_day` and `spend_per_day` credits (a hundred are five
    euros where one pays an SMS of five cents); an operator may set the two for an account. `lines` is the
    carrier with which the telephones of lines register; empty: the only one of the type sip or asterisk.
    `server` is the host (and port) that they are told to register at, where it is not the carrier's own.
    """

    at_once: Annotated[int, msgspec.Meta(ge=0)] = 20
    at_once_per_line: Annotated[int, msgspec.Meta(ge=0)] = 4
    per_minute: Annotated[int, msgspec.Meta(ge=0)] = 10
    per_day: Annotated[int, msgspec.Meta(ge=0)] = 20
    spend_per_day: Price = 100
    lines: str = ""
    server: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?)?$")] = ""


class ConferenceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers that callers dial to come into a conference; the first is given to new ones. The usual one
    is of those that the French numbering plan keeps for fiction (01 99 00), after Orange's 0825."""

    numbers: Annotated[tuple[Prefix, ...], msgspec.Meta(min_length=1)] = ("33199000825",)


class AxialysSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two ways to read Axialys' document (dialects.md 4a, 4c): `header_row` puts the names of the columns
    before all lines, `popup_maj_lists` answers popup_maj with the pop-up's destinations, not with OK."""

    header_row: bool = False
    popup_maj_lists: bool = False


# Reference: dialects.md 1b (values of `from`); 20633 is the second code of the location dialogue (seed
# 000, III-E). The premium code and its share are our choice.
DEFAULT_SHORT_CODES = (
    ShortCodeSettings("20345", "FR", 0, "Orange France"),
    ShortCodeSettings("38100", "FR", 0, "all French networks"),
    ShortCodeSettings("967482", "GB", 0, "Orange UK"),
    ShortCodeSettings("447797805210", "", 0, "international"),
    ShortCodeSettings("81500", "FR", 0.25, "premium, all French networks"),
)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the owner decides; see ARCHITECTURE, section 14.

    `trusted_proxies` are the addresses or networks whose X-Forwarded-For says who asks. `files` is the folder
    of sounds and recordings where it is not the data folder; several servers of one database share it.
    """

    database: str = ""
    dialects: tuple[str, ...] = ("rest", "orange", "netoxygen", "capitole", "axialys", "keyyo")
    carriers: dict[str, dict[str, Any]] = {}
    routes: tuple[RouteSettings, ...] = ()
    tariffs: tuple[TariffSettings, ...] = ()
    short_codes: tuple[ShortCodeSettings, ...] = DEFAULT_SHORT_CODES
    outgoing: OutgoingSettings = OutgoingSettings()
    mail: MailSettings = MailSettings()
    smpp_server: dict[str, Any] = {}
    limits: Limits = Limits()
    rules: RulesSettings = RulesSettings()
    calls: CallsSettings = CallsSettings()
    conferences: ConferenceSettings = ConferenceSettings()
    axialys: AxialysSettings = AxialysSettings()
    trusted_proxies: tuple[str, ...] = ()
    public_url: str = ""
    files: str = ""
    secret: str = ""


def read_settings(file: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of a file, single values overridden by `CHAPPE_<NAME>` (`CHAPPE_MAIL_HOST`).

    With no file the sandbox's defaults hold: customers' URLs may name this machine. A value written
    `{ env = "NAME" }` is read from the environment. Raises SettingsError.
    """
    tree: dict[str, Any] = {}
    if file is None:
        tree["outgoing"] = {"allow": ["127.0.0.0/8", "::1/128"]}
    else:
        try:
            tree = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"{file}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: {error}") from error
    tree = _resolve(tree, environment, "")
    for name, value in environment.items():
        if name.startswith("CHAPPE_"):
            _override(tree, name.removeprefix("CHAPPE_").lower(), value)
    try:
        settings = msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file or 'environment'}: {error}") from error
    _check(settings)
    return settings


def _resolve(value: Any, environment: Mapping[str, str], where: str) -> Any:
    if isinstance(value, dict):
        if set(value) == {"env"}:
            if value["env"] not in environment:
                raise SettingsError(f"{where}: the environment has no {value['env']}")
            return environment[value["env"]]
        return {k: _resolve(v, environment, f"{where}.{k}".lstrip(".")) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolve(item, environment, f"{where}[{i}]") for i, item in enumerate(value)]
    return value


def _override(tree: dict[str, Any], name: str, value: str) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    if name in fields and isinstance(fields[name].default, str):
        tree[name] = value
        return
    if name == "trusted_proxies":
        tree[name] = value.split(",")
        return
    for section in ("mail", "outgoing", "limits", "rules", "calls"):
        if name.startswith(f"{section}_"):
            key = name.removeprefix(f"{section}_")
            tree.setdefault(section, {})[key] = value.split(",") if key == "allow" else value


def _check(settings: Settings) -> None:
    for where, networks in (
        ("outgoing.allow", settings.outgoing.allow),
        ("trusted_proxies", settings.trusted_proxies),
    ):
        for network in networks:
            try:
                ip_network(network)
            except ValueError as error:
                raise SettingsError(f"{where}: {error}") from error
    for where, credits in (
        ("limits.welcome_credits", settings.limits.welcome_credits),
        ("limits.price", settings.limits.price),
        ("limits.minute_price", settings.limits.minute_price),
        ("rules.daily_cap", settings.rules.daily_cap),
        ("calls.spend_per_day", settings.calls.spend_per_day),
        *((f"tariffs of {tariff.prefix or 'all numbers'}", tariff.price) for tariff in settings.tariffs),
        *((f"short_codes {code.number}", code.revenue) for code in settings.short_codes),
    ):
        if abs(credits * 1000 - round(credits * 1000)) > 1e-6:
            raise SettingsError(f"{where}: {credits} has more than three decimals")
    known = {"sandbox", *settings.carriers}
    for name, carrier in settings.carriers.items():
        if not re.fullmatch("[A-Za-z0-9_-]{1,40}", name):
            raise SettingsError(f"carriers.{name}: name it with letters, digits, - and _ only")
        kind = carrier.get("type", name)
        if (kind == "sandbox") != (name == "sandbox"):
            raise SettingsError(f"carriers.{name}: the sandbox is one network; call it carriers.sandbox")
        if kind != "sandbox":
            _check_carrier(name, kind, carrier)
    calling = {"sandbox", *voices(settings.carriers)}
    for route in settings.routes:
        for name in (name for place in route.places for name in place):
            if name not in known:
                raise SettingsError(f"routes: there is no carrier {name!r}; known are {sorted(known)}")
            if name != "sandbox" and (name in calling) != (route.kind == "call"):
                raise SettingsError(
                    f"routes of {route.prefix or 'all numbers'}: the carrier {name!r} does not carry"
                    f" {route.kind}"
                )
        if not route.places:
            raise SettingsError(f"routes of {route.prefix or 'all numbers'}: name at least one carrier")
    if settings.calls.lines not in {"", *known}:
        raise SettingsError(
            f"calls.lines: there is no carrier {settings.calls.lines!r}; known are {sorted(known)}"
        )
    if settings.smpp_server:
        _check_smpp_server(settings.smpp_server)
    for dialect in settings.dialects:
        if not (Path(__file__).parent / "dialects" / dialect / "operations.py").exists():
            raise SettingsError(f"dialects: {dialect!r} is not built yet")


def voices(carriers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of the carriers of these sections that carry calls and no messages, in alphabetical order."""
    folder = Path(__file__).parent / "carriers"
    folders = {name: folder / str(table.get("type", name)) for name, table in carriers.items()}
    return sorted(
        name
        for name, place in folders.items()
        if (place / "voice.py").exists() and not (place / "carrier.py").exists()
    )


def _check_smpp_server(table: Mapping[str, Any]) -> None:
    try:
        import_module("chappe.carriers.smpp.server").read_settings(table)
    except ValueError as error:
        raise SettingsError(f"smpp_server: {error}") from error


def _check_carrier(name: str, kind: str, table: Mapping[str, Any]) -> None:
    folder = Path(__file__).parent / "carriers" / str(kind)
    module = next((name for name in ("carrier", "voice") if (folder / f"{name}.py").exists()), None)
    if module is None:
        raise SettingsError(f"carriers.{name}: carriers of the type {kind!r} are not built yet")
    try:
        import_module(f"chappe.carriers.{kind}.{module}").read_settings(table)
    except ValueError as error:
        raise SettingsError(f"carriers.{name}: {error}") from error


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ
