"""A client of Keyyo's manager API lets itself in and says what the official PHP client says: the same
requests, with curl's form in the body of a GET and the token in a header."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.clients.running import Account, Server, running_server

BACK = "http://localhost/back"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("manager")
    with running_server(folder) as running:
        yield running


def say(
    server: Server, method: str, target: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(server.host, server.port, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, body, named)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


class Console:
    """Somebody who has signed up and stands before the console."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, target: str, **form: str) -> tuple[int, dict[str, str], str]:
        body = urlencode(form).encode()
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = HTTPConnection(self._server.host, self._server.port, timeout=30)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self._cookies[key] = rest.partition(";")[0]
            found = {k.lower(): v for k, v in answer.getheaders()}
            return answer.status, found, answer.read().decode()
        finally:
            connection.close()

    def token(self, page: str) -> str:
        found = re.search(r'name="token" value="([^"]+)"', page)
        assert found is not None
        return found[1]

    def sign_up(self, email: str) -> None:
        page = self.ask("GET", "/sign-up")[2]
        status, _, page = self.ask(
            "POST", "/sign-up", email=email, password="a long password", token=self.token(page)
        )
        assert status == 200, page[:300]


def program(account: Account) -> tuple[str, str]:
    made = account.ask("POST", "/v1/programs", {"name": "Cabinet", "redirect_uris": [BACK]})
    return made["program"]["client_id"], made["client_secret"]


def let_in(console: Console, client: str, verifier: str, scopes: str = "full_access") -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = urlencode(
        {
            "client_id": client,
            "response_type": "code",
            "state": "xyz",
            "redirect_uri": BACK,
            "scopes": scopes,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
    status, _, page = console.ask("GET", f"/oauth2/authorize.php?{query}")
    assert status == 200 and "Cabinet" in page
    status, headers, _ = console.ask(
        "POST", f"/oauth2/authorize.php?{query}", answer="yes", token=console.token(page)
    )
    assert status == 303
    back = parse_qs(urlsplit(headers["location"]).query)
    assert headers["location"].startswith(BACK) and back["state"] == ["xyz"]
    return back["code"][0]


def tokens(server: Server, **form: str) -> tuple[int, dict[str, Any]]:
    status, _, body = say(
        server,
        "POST",
        "/oauth2/token.php",
        urlencode(form).encode(),
        Content_Type="application/x-www-form-urlencoded",
    )
    return status, json.loads(body)


def test_a_program_is_let_in_and_manages_lines(server: Server) -> None:
    client, secret = program(server.create_account("maker", 0))
    console = Console(server)
    console.sign_up("jeanne@example.com")
    known = {"client_id": client, "client_secret": secret}
    code = let_in(console, client, "v" * 43)
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **known}
    assert tokens(server, **asked, code_verifier="w" * 43)[1]["error"] == "invalid_grant"
    status, first = tokens(server, **asked, code_verifier="v" * 43)
    assert (status, first["token_type"], first["expires_in"]) == (200, "bearer", 3600)

    def ask(
        method: str, path: str, token: str = first["access_token"], **fields: object
    ) -> tuple[int, Any, str]:
        url = path if path.startswith("/") else f"/manager/1.0/{path}"
        status, headers, body = say(
            server,
            method,
            url,
            urlencode(fields, doseq=True).encode(),
            Authorization=f"Bearer {token}",
            Content_Type="application/x-www-form-urlencoded",
        )
        return status, json.loads(body) if body else None, headers.get("x-status-reason", "")

    def at(href: str) -> str:
        assert href.startswith(f"http://{server.host}:{server.port}/manager/1.0/")
        return urlsplit(href).path

    listed = ask("GET", "services")[1]
    [line] = listed["_embedded"]["UCaaSVoIPAccount"]
    assert line["status"] == "in_service" and line["_resource_type"] == "UCaaSVoIPAccount"
    service = at(line["_links"]["self"]["href"])
    csi = line["csi"]
    found = ask("GET", f"{service}/profiles")[1]["_embedded"]["VoIPAccountProfile"]
    assert [(one["identifier"], one["forced"]) for one in found] == [("default", 1), ("absent", 0)]
    assert ask("GET", f"{service}/profiles/default")[1]["name"] == "present"

    made = ask(
        "POST",
        f"{service}/profiles",
        forward_unconditionally_number="33639980022",
        forward_on_no_answer_number="33639980023",
        forward_delay=15,
        forced=1,
    )[1]
    assert (made["identifier"], made["forced"], made["forward_delay"]) == ("1", 1, 15)
    own = at(made["_links"]["self"]["href"])
    changed = ask("POST", own, forward_use_account_callerid_presentation=0, forward_delay=10)[1]
    assert (changed["forward_delay"], changed["forward_use_account_callerid_presentation"]) == (10, 0)
    assert changed["forward_unconditionally_number"] == "33639980022"
    still = ask("POST", own, forward_to_voicemail=0)[1]
    assert (still["forward_on_no_answer_number"], still["forward_to_voicemail"]) == ("33639980023", 0)
    assert ask("POST", f"{service}/profiles/absent", forward_to_voicemail=1)[1]["forward_to_voicemail"] == 1
    assert ask("POST", f"{service}/profiles/absent", forward_to_voicemail=0)[1]["forward_to_voicemail"] == 0
    assert ask("DELETE", own)[0] == 200
    assert ask("GET", own)[0] == 404
    assert ask("DELETE", f"{service}/profiles/default")[0] == 403

    plugin = f"{service}/cti_plugins/custom"
    assert ask("GET", plugin)[1]["enabled"] == 0
    url = "http://www.exemple.tld/notification.php?account=_ACCOUNT_"
    assert ask("POST", f"{plugin}/parameters/url", value=url)[1]["value"] == url
    assert ask("GET", plugin)[1]["enabled"] == 1
    [parameter] = ask("GET", f"{plugin}/parameters")[1]["_embedded"]["CTIPluginParameter"]
    assert parameter["value"] == url
    page = ask("POST", f"{service}/csi_token", **{"domain_masks[0]": "*.domain.com"})[1]
    assert (page["expires_in"], page["domain_masks"]) == (3600, ["*.domain.com"])
    assert ask("GET", "services", token=page["token"])[0] == 403  # it opens nothing here

    assert ask("POST", "blacklist", number="0612345678")[1]["number"] == "33612345678"
    [blocked] = ask("GET", "/manager/1.0/blacklist?localized_numbers=1")[1]["_embedded"]["Number"]
    assert blocked["number"] == "06 12 34 56 78"
    assert ask("DELETE", at(blocked["_links"]["self"]["href"]))[0] == 200
    calls = ask("GET", f"services/{csi}/call_details?date_start=2026-01-01+00:00")[1]
    assert calls["_embedded"] == {"CallDetailRecord": []}
    assert ask("GET", f"services/{csi}/voicemails")[1]["_embedded"] == {"VoicemailMessage": []}
    status, _, reason = ask("GET", "services/33199000999")
    assert (status, "none of this account's lines" in reason) == (404, True)
    assert ask("GET", "services", token="nobody")[0] == 403
    connection = HTTPConnection(server.host, server.port, timeout=30)
    connection.request("GET", "/manager/1.0/services")
    assert "X-Status-Reason" in [name for name, _ in connection.getresponse().getheaders()]  # to the letter
    connection.close()

    refresh = {"grant_type": "refresh_token", **known}
    status, second = tokens(server, **refresh, refresh_token=first["refresh_token"])
    assert status == 200 and second["refresh_token"] != first["refresh_token"]
    assert ask("GET", "services", token=second["access_token"])[0] == 200
    third = tokens(server, **refresh, refresh_token=second["refresh_token"])[1]
    assert tokens(server, **refresh, refresh_token="made.up.token")[1]["error"] == "invalid_grant"
    assert ask("GET", "services", token=third["access_token"])[0] == 200
    # Whoever brings a token that was used before, however long ago, has it from somebody else: all is over.
    said = tokens(server, **refresh, refresh_token=first["refresh_token"])[1]
    assert said["error"] == "invalid_grant" and "used before" in said["error_description"]
    assert tokens(server, **refresh, refresh_token=third["refresh_token"])[1]["error"] == "invalid_grant"
    assert ask("GET", "services", token=third["access_token"])[0] == 403


def test_a_code_that_comes_twice_ends_the_access(server: Server) -> None:
    client, secret = program(server.create_account("twice", 0))
    console = Console(server)
    console.sign_up("lea@example.com")
    code = let_in(console, client, "v" * 43)
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "client_id": client}
    for _ in range(30):  # who guesses shuts nobody out
        assert tokens(server, **asked, client_secret="guessed", code_verifier="v" * 43)[0] == 401
    status, first = tokens(server, **asked, client_secret=secret, code_verifier="v" * 43)
    assert status == 200
    key = {"Authorization": f"Bearer {first['access_token']}"}
    assert say(server, "GET", "/manager/1.0/services", **key)[0] == 200
    said = tokens(server, **asked, client_secret=secret, code_verifier="v" * 43)[1]
    assert said["error"] == "invalid_grant" and "used before" in said["error_description"]
    assert say(server, "GET", "/manager/1.0/services", **key)[0] == 403


def test_a_suspended_account_gives_no_tokens(server: Server) -> None:
    account = server.create_account("suspended", 0)
    client, secret = program(account)
    known = {"client_id": client, "client_secret": secret}
    console = Console(server)
    console.sign_up("rose@example.com")
    code = let_in(console, client, "v" * 43)
    asked = {"grant_type": "authorization_code", "code": code, "code_verifier": "v" * 43}
    status, given = tokens(server, **known, **asked)
    assert status == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], **known}
    server.command("account", "suspend", "rose@example.com")
    assert tokens(server, **refresh)[1]["error_description"] == "The account is suspended"
    server.command("account", "suspend", "rose@example.com", "--lift")
    assert tokens(server, **refresh)[0] == 200


def test_an_access_does_what_it_was_given_for(server: Server) -> None:
    client, secret = program(server.create_account("reader", 0))
    console = Console(server)
    console.sign_up("paul@example.com")
    code = let_in(console, client, "v" * 43, "full_access_read_only,cti_admin")
    access = tokens(
        server,
        grant_type="authorization_code",
        code=code,
        client_id=client,
        client_secret=secret,
        code_verifier="v" * 43,
    )[1]["access_token"]
    token = {"Authorization": f"Bearer {access}", "Content_Type": "application/x-www-form-urlencoded"}
    listed = json.loads(say(server, "GET", "/manager/1.0/services", **token)[2])
    csi = listed["_embedded"]["UCaaSVoIPAccount"][0]["csi"]
    place = f"/manager/1.0/services/{csi}"
    assert say(server, "GET", f"{place}/profiles", **token)[0] == 200
    assert say(server, "POST", f"{place}/profiles/default", b"forward_delay=10", **token)[0] == 403
    assert say(server, "POST", f"{place}/csi_token", **token)[0] == 200


@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        ({}, "invalid_request", "Invalid request, parameters are missing"),
        ({"client_id": "x"}, "invalid_request", "The response_type parameter value is missing"),
        ({"client_id": "x", "response_type": "code"}, "invalid_request", "The state parameter is required"),
        (
            {"client_id": "x", "response_type": "code", "state": "s"},
            "invalid_client",
            "The client id supplied is invalid",
        ),
    ],
)
def test_what_is_wrong_is_said_in_keyyo_s_words(
    server: Server, query: dict[str, str], error: str, words: str
) -> None:
    console = Console(server)
    console.sign_up(f"wrong{len(query)}@example.com")
    status, _, body = console.ask("GET", f"/oauth2/authorize.php?{urlencode(query)}")
    told = json.loads(body)
    assert status in (400, 401)
    assert told["error"] == error
    assert told["error_description"].startswith(words)
