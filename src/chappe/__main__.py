"""The command line: serve, demo, account, user, migrate."""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import typer

from chappe.model.directory import Account
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import in_credits
from chappe.services.ports import Platform
from chappe.settings import Settings, SettingsError, read_settings
from chappe.store.database import DatabaseUnusable

T = TypeVar("T")

program = typer.Typer(
    help="Chappe: a telecom API platform that you run yourself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
account_commands = typer.Typer(help="Accounts and their credits.", no_args_is_help=True)
user_commands = typer.Typer(help="Users of an account.", no_args_is_help=True)
program.add_typer(account_commands, name="account")
program.add_typer(user_commands, name="user")

Data = Annotated[str, typer.Option(help="Folder of the data, or a postgresql:// address.")]
ConfigFile = Annotated[Path | None, typer.Option(help="Settings file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of sentences.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")]


def main() -> None:
    """The entry point: refusals and bad settings end with a sentence, never with a traceback."""
    try:
        program()
    except (Refusal, SettingsError, DatabaseUnusable) as error:
        text = error.detail if isinstance(error, Refusal) else str(error)
        print(f"chappe: {text}", file=sys.stderr)
        sys.exit(1)


# --- serving


@program.command()
def serve(data: Data = "var", port: Port = 8080, host: Host = "127.0.0.1", config: ConfigFile = None) -> None:
    """Serve the platform. Example: chappe serve --data var --port 8080"""
    _run(_serve(_settings(config), data, host, port, None))


@program.command()
def demo(data: Data = "var", port: Port = 8080, host: Host = "127.0.0.1") -> None:
    """Serve with a demo account and print what to paste. Example: chappe demo --data var --port 8080"""
    settings = _settings(None)
    known = _run(_demo_account(settings, data))
    _run(_serve(settings, data, host, port, known))


async def _serve(
    settings: Settings, data: str, host: str, port: int, demo_account: dict[str, Any] | None
) -> None:
    from chappe.app import running
    from chappe.host import logs
    from chappe.host.listener import Listener

    logs.configure()
    opened = _listen(host, port)
    address = f"http://{host}:{opened.getsockname()[1]}"
    if not settings.public_url:
        import msgspec

        settings = msgspec.structs.replace(settings, public_url=address)

    stopped = asyncio.Event()
    async with running(settings, data) as chappe:
        listener = Listener(chappe.application, chappe.choose)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        chappe.platform.store.heed_pressure(listener.pause, listener.resume)
        await listener.open([opened])
        if demo_account is not None:
            print(_what_to_paste(address, demo_account))
        # What is here now stays: the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        # A message in work is some hundred short-lived tuples and no cycle; looking through the young after
        # every 700 of them costs a tenth of the processor.
        gc.set_threshold(50_000, 20, 50)
        # The thread that writes gives the interpreter back to the loop within a millisecond.
        sys.setswitchinterval(0.001)
        print(f"ready {address}", flush=True)
        await stopped.wait()
        chappe.close_wires()
        await listener.drain()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}; is another program using it? Try --port"
        ) from error
    listener.listen(1024)
    listener.setblocking(False)
    return listener


async def _demo_account(settings: Settings, data: str) -> dict[str, Any]:
    """The demo account's credentials, kept in a file that only the owner may read, because the database
    holds hashes only."""
    file = Path(data) / "demo.json"
    if file.exists():
        known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not known.get("operator"):  # made by a version that had none
            known |= await _with_platform(settings, data, _make_demo_operator)
            file.write_text(json.dumps(known, indent=2), encoding="utf-8")
        return known
    email, password = "demo@example.org", "demo-" + os.urandom(6).hex()

    async def create(platform: Platform) -> dict[str, Any]:
        from chappe.services import accounts

        try:
            new = await accounts.create_account(
                platform, "demo", email=email, password=password, operator=True
            )
        except Refusal as refusal:
            if refusal.fault is not Fault.ALREADY_EXISTS:
                raise
            raise Refusal(
                Fault.ALREADY_EXISTS,
                f"{data} holds a demo account but {file} is gone, and the database keeps only hashes;"
                f" serve it with `chappe serve --data {data}`, or remove the folder",
            ) from refusal
        return _as_json(new) | {"operator": True, "console": {"email": email, "password": password}}

    known = await _with_platform(settings, data, create)
    file.touch(mode=0o600)
    file.write_text(json.dumps(known, indent=2), encoding="utf-8")
    return known


async def _make_demo_operator(platform: Platform) -> dict[str, Any]:
    from chappe.services import accounts

    await accounts.set_operator(platform, await _find(platform, "demo"), True)
    return {"operator": True}


def _what_to_paste(address: str, known: dict[str, Any]) -> str:
    netoxygen, capitole, keyyo = known["netoxygen"], known["capitole"], known["keyyo"]
    orange = f"{address}/sms/sendSMS.xml?id={known['orange']['id']}"
    axialys = f"{address}/get/webappel/api.php?{urlencode(known['axialys'])}"
    call = (
        '<?xml version="1.0"?><methodCall><methodName>send_message</methodName><params>'
        + "".join(
            f"<param><value><string>{value}</string></value></param>"
            for value in (netoxygen["user"], netoxygen["pass"], "+33612345678", "Bonjour par NetOxygen")
        )
        + "</params></methodCall>"
    )
    document = (
        f"<SMS><authentification><username>{capitole['username']}</username>"
        f"<password>{capitole['password']}</password></authentification>"
        "<message><text>Bonjour par Capitole</text></message>"
        "<recipients><gsm>0612345678</gsm></recipients></SMS>"
    )
    lines = [
        "",
        f"Console     {address}/",
        f"            {known['console']['email']}   {known['console']['password']}",
        f"Telephones  {address}/telephones",
        "",
        f"REST        key {known['rest']['key']}",
        f"Orange      id {known['orange']['id']}",
        f"NetOxygen   user {netoxygen['user']}   pass {netoxygen['pass']}",
        f"Capitole    username {capitole['username']}   password {capitole['password']}",
        f"Axialys     email {known['axialys']['email']}   pass {known['axialys']['pass']}",
        f"Keyyo       account {keyyo['account']}   password {keyyo['password']}",
        "",
        "Paste one of these, then look at the telephone 06 12 34 56 78:",
        "",
        f"curl -H 'Authorization: Bearer {known['rest']['key']}' -H 'Content-Type: application/json'"
        f' -d \'{{"to": ["+33612345678"], "text": "Bonjour par REST"}}\' {address}/v1/messages',
        "",
        f"curl '{orange}&to=33612345678&content=Bonjour%20par%20Orange'",
        "",
        f"curl -H 'Content-Type: text/xml' -d '{call}' {address}/api2/",
        "",
        f"curl --data-urlencode 'XML={document}' {address}/api/sendsms/xml",
        "",
        f"curl --digest --user {keyyo['account']}:{keyyo['password']}"
        f" '{address}/sendsms.html?ACCOUNT={keyyo['account']}&CALLEE=0612345678&MSG=Bonjour%20par%20Keyyo'",
        "",
        "Or these three, and answer the telephones: an operator, a pop-up, a visitor who wants to be called:",
        "",
        f"curl '{axialys}&methode=operateur_ajout&nom_liste_op=accueil&e164=33612345678'",
        f"curl '{axialys}&methode=popup_ajout&nom_popup=rappel&ouvert_dest=accueil'",
        f"curl '{axialys}&methode=appel&id_popup=1&e164=33639980012'",
        "",
    ]
    return "\n".join(lines)


# --- accounts


@account_commands.command("create")
def create_account(
    name: str,
    data: Data = "var",
    credits: Annotated[str | None, typer.Option(help="Credits to begin with (default: 200).")] = None,
    email: Annotated[str, typer.Option(help="Mail address; with it the console can be used.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="May see and change the network.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make an account with credentials for every dialect. Example: chappe account create shop --credits 50"""
    from chappe.services import accounts

    async def create(platform: Platform) -> dict[str, Any]:
        amount = None if credits is None else accounts.credits_of(credits)
        if amount is not None and amount < 0:
            raise Refusal(Fault.INVALID_PARAMETER, "an account cannot begin with less than 0 credits")
        return _as_json(
            await accounts.create_account(platform, name, credits=amount, email=email, operator=operator)
        )

    shown = _run(_with_platform(_settings(config), data, create))
    if as_json:
        print(json.dumps(shown))
        return
    print(f"Account {shown['name']} ({shown['account_id']}) with {shown['credits']} credits.")
    print("Its secrets are shown this once:")
    for dialect, words in shown.items():
        if isinstance(words, dict):
            print(f"  {dialect:10}" + "   ".join(f"{key} {value}" for key, value in words.items()))


@account_commands.command("credit", context_settings={"ignore_unknown_options": True})
def credit_account(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    amount: Annotated[str, typer.Argument(help="Credits to add, or with a minus to take.")],
    data: Data = "var",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Add credits to an account. Example: chappe account credit shop 100"""
    from chappe.services import accounts

    async def credit(platform: Platform) -> Account:
        found, thousandths = await _find(platform, account), accounts.credits_of(amount)
        try:
            return await accounts.credit_account(platform, found, thousandths)
        except Refusal as refusal:
            if refusal.fault is not Fault.INSUFFICIENT_CREDITS:
                raise
            left = in_credits(found.balance - found.reserved)
            taken = f"{found.name} has {left} credits; {in_credits(-thousandths)} cannot be taken"
            raise Refusal(refusal.fault, taken) from refusal

    credited = _run(_with_platform(_settings(config), data, credit))
    if as_json:
        print(
            json.dumps(
                {"account_id": credited.guid, "name": credited.name, "credits": _number(credited.balance)}
            )
        )
    else:
        print(f"{credited.name} has {in_credits(credited.balance)} credits.")


@account_commands.command("suspend")
def suspend_account(
    account: str,
    data: Data = "var",
    lift: Annotated[bool, typer.Option("--lift", help="Open it again.")] = False,
    config: ConfigFile = None,
) -> None:
    """Close an account to every dialect (or, with --lift, open it again); its data stays."""
    from chappe.services import accounts

    async def suspend(platform: Platform) -> str:
        found = await _find(platform, account)
        await accounts.suspend_account(platform, found, not lift)
        return found.name

    name = _run(_with_platform(_settings(config), data, suspend))
    print(f"{name} is {'open' if lift else 'suspended'}.")


@account_commands.command("operator")
def make_operator(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    data: Data = "var",
    lift: Annotated[bool, typer.Option("--lift", help="An ordinary account again.")] = False,
    config: ConfigFile = None,
) -> None:
    """Let an account see and change routes, tariffs and carriers (or, with --lift, no more).
    Example: chappe account operator shop"""
    from chappe.services import accounts

    async def change(platform: Platform) -> str:
        found = await _find(platform, account)
        await accounts.set_operator(platform, found, not lift)
        return found.name

    name = _run(_with_platform(_settings(config), data, change))
    print(f"{name} is {'an ordinary account' if lift else 'an operator'}.")


@account_commands.command("open-destination")
def open_destination(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    prefix: Annotated[str, typer.Argument(help="Beginning of the numbers, with country code.")],
    data: Data = "var",
    lift: Annotated[bool, typer.Option("--lift", help="Closed again.")] = False,
    config: ConfigFile = None,
) -> None:
    """Open a destination that is closed by default, such as satellite networks.
    Example: chappe account open-destination shop 881"""
    from chappe.services import consents

    async def change(platform: Platform) -> str:
        found = await _find(platform, account)
        opened = await consents.open_destination(platform, found, prefix, closed=lift)
        return f"Open to {found.name}, although closed by default: {opened or 'nothing'}."

    print(_run(_with_platform(_settings(config), data, change)))


@account_commands.command("daily-cap")
def set_daily_cap(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    credits: Annotated[str, typer.Argument(help="Credits a day (UTC), 0 for no limit, or: default.")],
    data: Data = "var",
    config: ConfigFile = None,
) -> None:
    """Limit what an account may spend in a day. Example: chappe account daily-cap shop 500"""
    from chappe.services import accounts, consents

    async def change(platform: Platform) -> str:
        found = await _find(platform, account)
        cap = None if credits == "default" else accounts.credits_of(credits)
        await consents.set_daily_cap(platform, found, cap)
        shown = "the platform's default" if cap is None else f"{in_credits(cap)} credits" if cap else "none"
        return f"Daily cap of {found.name}: {shown}."

    print(_run(_with_platform(_settings(config), data, change)))


@account_commands.command("calls")
def set_call_limits(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    a_day: Annotated[str, typer.Argument(help="Calls a day (UTC), 0 for no limit, or: default.")],
    credits: Annotated[str, typer.Argument(help="Credits a day for them, 0 for no limit, or: default.")],
    data: Data = "var",
    config: ConfigFile = None,
) -> None:
    """Limit what an account may call beyond the sandbox. Example: chappe account calls shop 200 1000"""
    from chappe.services import accounts, consents

    async def change(platform: Platform) -> str:
        found = await _find(platform, account)
        most = None if a_day == "default" else accounts.whole(a_day)
        cap = None if credits == "default" else accounts.credits_of(credits)
        await consents.set_call_limits(platform, found, a_day=most, cap=cap)
        count = "the platform's default" if most is None else str(most) if most else "no limit"
        cost = (
            "the platform's default" if cap is None else f"{in_credits(cap)} credits" if cap else "no limit"
        )
        return f"Calls of {found.name} in a day: {count}; what they may cost: {cost}."

    print(_run(_with_platform(_settings(config), data, change)))


@account_commands.command("consent")
def declare_consent(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    source: Annotated[str, typer.Argument(help="Where it is known from, in words: the account's evidence.")],
    data: Data = "var",
    customers: Annotated[bool, typer.Option("--customers", help="They are existing customers.")] = False,
    config: ConfigFile = None,
) -> None:
    """Declare for all numbers that an account may send them advertising; not for those who said STOP.
    Example: chappe account consent shop "opted in at the till, contract of 2019" """
    from chappe.model.rights import EVERYBODY, RecordConsents
    from chappe.model.rules import Basis
    from chappe.services import consents, directory

    async def declare(platform: Platform) -> str:
        found = await _find(platform, account)
        caller = directory.NOBODY._replace(account_id=found.id, region=found.region)
        basis = Basis.CUSTOMER if customers else Basis.CONSENT
        command = RecordConsents([EVERYBODY], basis, source)
        [kept] = await consents.record_consents(platform, caller, command)
        return f"{found.name} may send advertising to all numbers ({kept.basis.value}: {kept.source})."

    print(_run(_with_platform(_settings(config), data, declare)))


@account_commands.command("sender")
def register_sender(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    sender: Annotated[str, typer.Argument(help="The sender, up to 11 letters and digits.")],
    data: Data = "var",
    config: ConfigFile = None,
) -> None:
    """Register a sender in letters that an account may show. Example: chappe account sender shop MyShop"""
    from chappe.services import consents

    async def register(platform: Platform) -> str:
        found = await _find(platform, account)
        return f"{found.name} may show {(await consents.give_sender(platform, found, sender)).sender}."

    print(_run(_with_platform(_settings(config), data, register)))


@account_commands.command("line")
def add_line(
    account: Annotated[str, typer.Argument(help="Name, account_id or id of the account.")],
    number: Annotated[str, typer.Argument(help="The line's number, with country code.")],
    data: Data = "var",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a line with a number of yours. Example: chappe account line shop 33123456789"""
    from chappe.model.errors import Fault, Refusal
    from chappe.model.numbers import NumberError, read_msisdn
    from chappe.services import accounts

    async def give(platform: Platform) -> dict[str, Any]:
        found = await _find(platform, account)
        try:
            wanted = read_msisdn(number, found.region)
        except NumberError as error:
            raise Refusal(Fault.INVALID_PARAMETER, str(error), "number") from error
        line, secret = await accounts.add_line(platform, found.id, wanted)
        return {"account_id": found.guid, "number": line.number, "password": secret.secret}

    shown = _run(_with_platform(_settings(config), data, give))
    if as_json:
        print(json.dumps(shown))
    else:
        print(f"Line {shown['number']}: Keyyo password {shown['password']} (shown this once).")


@user_commands.command("create")
def create_user(
    account: str, name: str, data: Data = "var", config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Add a user with a NetOxygen login of its own. Example: chappe user create shop till-2"""
    from chappe.services import accounts

    async def create(platform: Platform) -> dict[str, Any]:
        found = await _find(platform, account)
        user, secret = await accounts.add_user(platform, found, name)
        return {
            "account_id": found.guid,
            "name": user.name,
            "netoxygen": {"user": secret.login, "pass": secret.secret},
        }

    shown = _run(_with_platform(_settings(config), data, create))
    if as_json:
        print(json.dumps(shown))
    else:
        words = shown["netoxygen"]
        print(
            f"User {shown['name']}: NetOxygen user {words['user']}, pass {words['pass']} (shown this once)."
        )


@program.command()
def migrate(data: Data = "var", config: ConfigFile = None) -> None:
    """Bring the database to the newest form of its tables; `serve` does it by itself."""

    async def nothing(platform: Platform) -> None:
        return None

    _run(_with_platform(_settings(config), data, nothing))
    print("The database is up to date.")


@program.command()
def asterisk_config(
    directory: Annotated[Path, typer.Argument(help="Where the files are written, such as /etc/asterisk.")],
    config: ConfigFile = None,
    carrier: Annotated[str, typer.Option(help="Which carrier, where there are several.")] = "",
    switch: Annotated[str, typer.Option(help="Which of its switches, where there are several.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that are there.")] = False,
) -> None:
    """Write the configuration of an Asterisk that carries calls.
    Example: chappe asterisk-config /etc/asterisk --config chappe.toml"""
    from chappe.carriers.asterisk import config as asterisk

    settings = _settings(config)
    types = {name: str(table.get("type", name)) for name, table in settings.carriers.items()}
    name = _only(carrier, [name for name, kind in types.items() if kind == "asterisk"], "carrier", "carriers")
    own = asterisk.read_settings(settings.carriers[name])
    which = _only(switch, list(own.switches), "switch", f"carriers.{name}.switches")
    try:
        written = asterisk.write(own, own.switches[which], directory.absolute(), replace=replace)
    except FileExistsError as error:
        there = f"{error.filename} is there already; --replace writes over it, or name another folder"
        raise SettingsError(there) from error
    except OSError as error:
        raise SettingsError(f"{error.filename or directory}: {error.strerror}") from error
    print(f"{len(written)} files for {which} of {name} are in {directory}.")
    print("They hold passwords: let nobody but Asterisk's own user and group read them.")


def _only(wanted: str, there: list[str], option: str, where: str) -> str:
    """The one that is meant. Raises SettingsError."""
    if wanted:
        if wanted not in there:
            raise SettingsError(f"{where}: there is no Asterisk {wanted!r}; known are {sorted(there)}")
        return wanted
    if len(there) != 1:
        known = (
            f"say which with --{option}: {', '.join(sorted(there))}" if there else "the settings name none"
        )
        raise SettingsError(f"{where}: there are {len(there)} of Asterisk; {known}")
    return there[0]


# --- shared by the commands


async def _find(platform: Platform, name: str) -> Account:
    found = await platform.store.queries.account_named(name)
    if found is None:
        raise Refusal(Fault.NOT_FOUND, f"there is no account {name!r}")
    return found


async def _with_platform(settings: Settings, data: str, work: Callable[[Platform], Awaitable[T]]) -> T:
    from chappe.platform import open_platform

    platform, records = await open_platform(settings, data)
    try:
        return await work(platform)
    finally:
        await records.close()


def _as_json(new: Any) -> dict[str, Any]:
    """A fresh account in the fixed form that programs outside rely on."""
    secrets = new.secrets
    return {
        "account_id": new.account.guid,
        "name": new.account.name,
        "credits": _number(new.account.balance),
        "rest": {"key": secrets["rest"].secret},
        "orange": {"id": secrets["orange"].secret},
        "netoxygen": {"user": secrets["netoxygen"].login, "pass": secrets["netoxygen"].secret},
        "capitole": {"username": secrets["capitole"].login, "password": secrets["capitole"].secret},
        "axialys": {"email": secrets["axialys"].login, "pass": secrets["axialys"].secret},
        "keyyo": {"account": secrets["keyyo"].login, "password": secrets["keyyo"].secret},
    }


def _number(thousandths: int) -> int | float:
    return thousandths // 1000 if thousandths % 1000 == 0 else thousandths / 1000


def _settings(file: Path | None) -> Settings:
    return read_settings(file, os.environ)


def _run(work: Any) -> Any:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


if __name__ == "__main__":
    main()
