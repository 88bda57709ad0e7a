"""Pages of the account: first page, sign-up, login, keys, statement, password."""

from secrets import token_urlsafe

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from chappe.model.commands import ReadLedger
from chappe.model.directory import Account, Credential, User
from chappe.model.errors import Fault, Refusal
from chappe.services import accounts, directory, ledger
from chappe.services.accounts import Secret
from chappe.services.ports import Platform
from chappe.web import curl, sessions, words
from chappe.web.visits import Visit, for_all, for_members, local

SAMPLE_NUMBER = "33612345678"
STATEMENT = 20


def routes(platform: Platform) -> list[BaseRoute]:
    return [
        Route("/", for_all(platform, landing)),
        Route("/sign-up", for_all(platform, sign_up), methods=["GET", "POST"]),
        Route("/login", for_all(platform, log_in), methods=["GET", "POST"]),
        Route("/logout", for_members(platform, log_out), methods=["POST"]),
        Route("/account", for_members(platform, account)),
        Route("/account/password", for_members(platform, change_password), methods=["POST"]),
        Route("/account/users", for_members(platform, add_user), methods=["POST"]),
        Route("/account/sender", for_members(platform, set_default_sender), methods=["POST"]),
        Route("/account/keys/{id:int}/rotate", for_members(platform, rotate), methods=["POST"]),
        Route("/account/keys/{id:int}/end", for_members(platform, end_key), methods=["POST"]),
    ]


async def landing(platform: Platform, visit: Visit) -> Response:
    if visit.account is not None:
        return visit.go("/telephones")
    text = visit.say(words.N_("Hello from an old program"))
    lines = curl.lines(curl.Sample(visit.base_url, SAMPLE_NUMBER, text))
    return visit.page(
        "landing.html",
        curl=lines[0][1],
        samples=[(words.DIALECT[dialect], line) for dialect, line in lines[1:]],
    )


async def sign_up(platform: Platform, visit: Visit) -> Response:
    if visit.request.method != "POST":
        return visit.go("/telephones") if visit.account else visit.page("sign_up.html", email="")
    email, password = visit.field("email"), visit.form.get("password", ("",))[0]
    try:
        accounts.check_password(password)
        if not accounts.looks_like_mail(email):
            raise Refusal(Fault.INVALID_PARAMETER, f"{email!r} is not a mail address", "email")
        made = await accounts.create_account(
            platform, email, email=email, password=password, locale=visit.reader.language
        )
    except Refusal as refusal:
        trouble = visit.trouble(refusal, {"name": "email"})
        return visit.page("sign_up.html", 422, email=email, trouble=trouble)
    keys = (
        ("CHAPPE_KEY", made.secrets["rest"].secret),
        ("ORANGE_ID", made.secrets["orange"].secret),
    )
    text = visit.say(words.N_("Hello from an old program"))
    response = shown_once(
        _as_member(platform, visit, made.account, made.user, nonce := token_urlsafe(16)),
        title=visit.say(words.N_("Your account is open")),
        lead=visit.say(words.N_("200 welcome credits are on it. These are its keys, one for each dialect.")),
        secrets=list(made.secrets.items()),
        line=curl.lines(curl.Sample(visit.base_url, SAMPLE_NUMBER, text, keys=keys))[0][1],
        onward="/telephones",
        onward_label=visit.say(words.N_("Go to the telephones")),
    )
    _begin_session(platform, visit.request, response, made.account, made.user, nonce)
    return response


async def log_in(platform: Platform, visit: Visit) -> Response:
    onward = local(visit.request.query_params.get("next") or visit.field("next") or "/telephones")
    if visit.request.method != "POST":
        return visit.go(onward) if visit.account else visit.page("login.html", email="", next=onward)
    email = visit.field("email")
    try:
        account, user = await directory.log_in(
            platform, email, visit.form.get("password", ("",))[0], visit.peer
        )
    except Refusal as refusal:
        trouble = visit.trouble(refusal)
        if refusal.fault is Fault.BAD_CREDENTIALS:
            trouble = visit.trouble(Refusal(refusal.fault, refusal.detail, "password"))
        status = 429 if refusal.fault is Fault.RATE_LIMITED else 401
        return visit.page("login.html", status, email=email, next=onward, trouble=trouble)
    response = visit.go(onward)
    _begin_session(platform, visit.request, response, account, user, token_urlsafe(16))
    return response


async def log_out(platform: Platform, visit: Visit) -> Response:
    """Ends every session of the user, so that a cookie somebody copied is of no use either."""
    if visit.user is not None:
        await directory.end_sessions(platform, visit.user)
    response = visit.go("/login", "logged-out")
    response.delete_cookie(sessions.SESSION)
    return response


async def account(platform: Platform, visit: Visit) -> Response:
    return await _account_page(platform, visit)


async def change_password(platform: Platform, visit: Visit) -> Response:
    user, old, new = visit.user, visit.form.get("old", ("",))[0], visit.form.get("password", ("",))[0]
    if visit.account is None or user is None:
        return visit.go("/login")
    try:
        user = await accounts.change_password(platform, user, old, new)
    except Refusal as refusal:
        return await _account_page(platform, visit, 422, trouble=visit.trouble(refusal))
    response = visit.go("/account", "password")
    _begin_session(platform, visit.request, response, visit.account, user, token_urlsafe(16))
    return response


async def add_user(platform: Platform, visit: Visit) -> Response:
    """One more user, with a login on NetOxygen's wire that is shown now and never again."""
    if visit.account is None:
        return visit.go("/login")
    try:
        user, secret = await accounts.add_user(platform, visit.account, visit.field("name"))
    except Refusal as refusal:
        return await _account_page(platform, visit, 422, trouble=visit.trouble(refusal))
    return shown_once(
        visit,
        title=visit.say(words.N_("A new user: %(name)s")) % {"name": user.name},
        lead=visit.say(
            words.N_("Messages sent with this login are this user’s; the credits are the account’s.")
        ),
        secrets=[("netoxygen", secret)],
        line="",
        onward="/account",
        onward_label=visit.say(words.N_("Back to the account")),
    )


async def set_default_sender(platform: Platform, visit: Visit) -> Response:
    wanted = visit.field("default_sender")
    try:
        await accounts.set_default_sender(platform, visit.caller.account_id, wanted)
    except Refusal as refusal:
        trouble = visit.trouble(refusal, {"sender": "default_sender"})
        return await _account_page(platform, visit, 422, trouble=trouble)
    return visit.go("/account", "sender" if wanted else "no-sender")


async def rotate(platform: Platform, visit: Visit) -> Response:
    held = await _credential(platform, visit)
    secret = await accounts.rotate_credential(platform, visit.caller.account_id, held.id)
    return shown_once(
        visit,
        title=visit.say(words.N_("A new key")),
        lead=visit.say(words.N_("Put it where your program reads the old one."))
        if held.kind == "key"
        else visit.say(words.N_("The old password has ended. Put this one in its place.")),
        secrets=[(held.dialect, secret)],
        line="",
        onward="/account",
        onward_label=visit.say(words.N_("Back to the account")),
    )


async def end_key(platform: Platform, visit: Visit) -> Response:
    held = await _credential(platform, visit)
    await accounts.revoke_credential(platform, visit.caller.account_id, held.id)
    return visit.go("/account", "key-ended")


async def _credential(platform: Platform, visit: Visit) -> Credential:
    wanted = visit.request.path_params["id"]
    for held in await accounts.list_credentials(platform, visit.caller.account_id):
        if held.id == wanted:
            return held
    raise Refusal(Fault.NOT_FOUND, f"this account has no credential {wanted}")


async def _account_page(platform: Platform, visit: Visit, status: int = 200, **values: object) -> Response:
    caller, cursor = visit.caller, visit.cursor()
    held: dict[str, list[Credential]] = {dialect: [] for dialect in accounts.DIALECTS}
    for one in await accounts.list_credentials(platform, caller.account_id):
        held.setdefault(one.dialect, []).append(one)
    return visit.page(
        "account.html",
        status,
        here="account",
        credentials=[(dialect, keys[::-1]) for dialect, keys in held.items() if keys],
        ledger=await ledger.read_ledger(platform, caller, ReadLedger(cursor, STATEMENT)),
        users=await accounts.list_users(platform, caller.account_id),
        cursor=cursor,
        typed=visit.field,
        **values,
    )


def shown_once(
    visit: Visit,
    *,
    title: str,
    lead: str,
    secrets: list[tuple[str, Secret]],
    line: str,
    onward: str,
    onward_label: str,
    here: str = "account",
) -> Response:
    """A page with new secrets, which are never shown again."""
    named = []
    for dialect, secret in secrets:
        login_name, secret_name = words.SECRET[dialect]
        login = [(login_name, secret.login)] if secret.login else []
        named.append((dialect, [*login, (secret_name, secret.secret)]))
    return visit.page(
        "welcome.html",
        here=here,
        title=title,
        lead=lead,
        secrets=named,
        curl=line,
        onward=onward,
        onward_label=onward_label,
    )


def _as_member(platform: Platform, visit: Visit, account: Account, user: User, nonce: str) -> Visit:
    """The same request once its visitor has become a member."""
    token = sessions.form_token(platform.door.secret, nonce, token_urlsafe(8))
    return Visit(visit.request, visit.reader, token, account, user, visit.form, {})


def _begin_session(
    platform: Platform, request: Request, response: Response, account: Account, user: User, nonce: str
) -> None:
    began = int(platform.clock.now().timestamp())
    session = sessions.Session(account.id, user.id, user.session_epoch, began, nonce)
    cookie = sessions.seal(platform.door.secret, session)
    sessions.set_cookie(response, request, sessions.SESSION, cookie, sessions.LIFETIME)
