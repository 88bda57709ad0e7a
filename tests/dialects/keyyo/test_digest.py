"""HTTP Digest on Keyyo's wire: the challenge, proofs that hold and proofs that do not."""

import re
from datetime import timedelta
from hashlib import md5

import pytest

from chappe.model.commands import Digest
from chappe.protocols import digest
from chappe.services.accounts import NewAccount
from chappe.services.door import Door
from tests.asgi import Reply, ask
from tests.platform import START, World


def hashed(text: str) -> str:
    return md5(text.encode()).hexdigest()  # noqa: S324 - what the RFC says


class Client:
    """Does what a Digest client does, with something wrong on demand."""

    def __init__(self, world: World, new: NewAccount, nonce: str = "") -> None:
        self.world, self.secret, self.nonce = world, new.secrets["keyyo"], nonce
        self.line = self.secret.login

    def target(self, text: str = "a") -> str:
        return f"/sendsms.html?ACCOUNT={self.line}&CALLEE=0612345678&MSG={text}"

    async def bare(self, target: str = "") -> Reply:
        reply = await ask(self.world.chappe.application, "GET", target or self.target())
        if found := re.search('nonce="([^"]+)"', reply.headers.get("www-authenticate", "")):
            self.nonce = found[1]
        return reply

    def proof(self, count: int = 1, **wrong: str) -> str:
        of = {"username": self.secret.login, "realm": "keyyo", "nonce": self.nonce, "qop": "auth"}
        of |= {"uri": self.target(), "nc": f"{count:08x}", "cnonce": "c", "algorithm": "MD5"}
        of |= {name: value for name, value in wrong.items() if name != "password"}
        secret = hashed(f"{of['username']}:{of['realm']}:{wrong.get('password', self.secret.secret)}")
        request = hashed(f"GET:{of['uri']}")
        parts = (secret, of["nonce"], of["nc"], of["cnonce"], of["qop"], request)
        of.setdefault("response", hashed(":".join(parts)))
        return "Digest " + ", ".join(f'{name}="{value}"' for name, value in of.items() if value)

    async def say(self, proof: str) -> Reply:
        headers = {"Authorization": proof}
        return await ask(self.world.chappe.application, "GET", self.target(), headers=headers)


@pytest.fixture
async def client(sandbox_world: World) -> Client:
    return Client(sandbox_world, await sandbox_world.account())


async def test_a_proof_lets_in_and_the_answer_is_two_bytes(client: Client) -> None:
    challenged = await client.bare()
    assert (challenged.status, client.nonce != "") == (401, True)
    # The first half of the exchange, in the same second, does not count.
    reply = await client.say(client.proof())
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"OK", "2")
    hurried = await client.say(client.proof(2))
    assert (hurried.status, hurried.reason, hurried.body) == (500, "Comeback later...", b"Comeback later...")
    client.world.clock.move(seconds=1)
    assert (await client.say(client.proof(3))).body == b"OK"


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "guess"},
        {"username": "33999999999"},
        {"realm": "other"},
        {"nonce": "0" * 56},
        {"nonce": "x"},
        {"nonce": "é€"},
        {"response": "0" * 32},
    ],
)
async def test_a_proof_that_is_wrong_is_challenged_anew(client: Client, wrong: dict[str, str]) -> None:
    await client.bare()
    reply = await client.say(client.proof(**wrong))
    assert reply.status == 401
    assert "stale" not in reply.headers["www-authenticate"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"uri": "/sendsms.html"},
        {"qop": "auth-int"},
        {"qop": ""},
        {"algorithm": "SHA-256"},
        {"nc": "1"},
        {"cnonce": ""},
    ],
)
async def test_a_proof_for_something_else_is_named(client: Client, wrong: dict[str, str]) -> None:
    await client.bare()
    reply = await client.say(client.proof(**wrong))
    assert (reply.status, reply.body[:14]) == (400, b"Authorization:")


async def test_an_old_nonce_and_a_replayed_proof_are_stale(client: Client) -> None:
    await client.bare()
    proof = client.proof()
    assert (await client.say(proof)).status == 200
    client.world.clock.move(seconds=2)
    again = await client.say(proof)
    assert (again.status, "stale=true" in again.headers["www-authenticate"]) == (401, True)
    client.world.clock.move(seconds=299)
    assert "stale=true" in (await client.say(client.proof(2))).headers["www-authenticate"]


def test_a_nonce_of_one_process_is_good_in_another_with_the_same_secret() -> None:
    """RFC 7616, 3.3: it bears its time and a signature. Which proofs were used, each process knows itself."""
    here, there, stranger = Door(b"s" * 32, b"1"), Door(b"s" * 32, b"2"), Door(b"o" * 32, b"3")
    nonce, stored = here.challenge(b"12345678", START).nonce, hashed("33612345678:keyyo:secret")
    said = f"{nonce}:00000001:c:auth:{hashed('GET:/')}"
    proof = Digest("33612345678", nonce, 1, said, hashed(f"{stored}:{said}"))
    assert there.digest_fits(proof, stored, START) is True
    assert there.digest_fits(proof, stored, START) is None
    assert here.digest_fits(proof, stored, START) is True  # documented: once on each node
    assert here.digest_fits(proof, stored, START + timedelta(seconds=300)) is None
    assert stranger.digest_fits(proof, stored, START) is False


async def test_nobody_sends_as_another_account_s_line(client: Client, sandbox_world: World) -> None:
    other = Client(sandbox_world, await sandbox_world.account("other"))
    client.line = other.line
    await client.bare()
    reply = await client.say(client.proof())
    assert (reply.status, reply.text) == (404, f"ACCOUNT: {other.line} is none of this account's lines")


async def test_too_many_wrong_proofs_close_the_login_for_a_minute(client: Client) -> None:
    await client.bare()
    for count in range(10):
        assert (await client.say(client.proof(count + 1, password="guess"))).status == 401
    assert (await client.say(client.proof(11))).status == 500
    client.world.clock.move(seconds=61)
    assert (await client.say(client.proof(12))).status == 200


def test_the_example_of_the_rfc() -> None:
    """RFC 2617, 3.5: user Mufasa, password "Circle Of Life"."""
    header = (
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b",'
        ' response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    proof = digest.read_proof(header, "GET")
    secret = hashed("Mufasa:testrealm@host.com:Circle Of Life")
    assert hashed(f"{secret}:{proof.hashed}") == proof.response
