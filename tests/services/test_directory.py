"""Accounts, credentials, and who is let in."""

import asyncio
import re
import threading
from datetime import timedelta
from hashlib import md5

import pytest
from argon2 import PasswordHasher

from chappe.model.changes import Changes
from chappe.model.commands import Caller, Key, Password
from chappe.model.directory import CredentialKind
from chappe.model.errors import Fault, Refusal
from chappe.model.ledger import EntryKind
from chappe.services import accounts, directory
from chappe.services.accounts import NewAccount
from chappe.services.door import Door
from tests.platform import World
from tests.services.asking import statement

HERE, THERE = "192.0.2.1", "192.0.2.2"
PASSWORD = "correct horse battery"


async def enter(world: World, dialect: str, *offered: Key | Password, peer: str = HERE) -> Caller:
    return await directory.authenticate(world.platform, dialect, offered, peer)


async def refused(world: World, dialect: str, *offered: Key | Password, peer: str = HERE) -> Fault:
    with pytest.raises(Refusal) as found:
        await enter(world, dialect, *offered, peer=peer)
    return found.value.fault


def offer(new: NewAccount, dialect: str) -> Key | Password:
    secret = new.secrets[dialect]
    return Password(secret.login, secret.secret) if secret.login else Key(secret.secret)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


async def credential(world: World, new: NewAccount, dialect: str) -> int:
    found = await accounts.list_credentials(world.platform, new.account.id)
    return next(one.id for one in found if one.dialect == dialect)


# --- accounts


async def test_a_new_account_has_credentials_of_the_documented_shape(world: World) -> None:
    new = await accounts.create_account(world.platform, "My Shop", email="Me@Shop.example")
    secrets = new.secrets
    assert set(secrets) == {"rest", "orange", "netoxygen", "capitole", "axialys", "keyyo", "smpp"}
    assert re.fullmatch("ck_[a-z2-7]{32}", secrets["rest"].secret) and not secrets["rest"].login
    assert re.fullmatch("[0-9a-f]{11}", secrets["orange"].secret) and not secrets["orange"].login
    assert secrets["netoxygen"].login == "my-shop"
    assert re.fullmatch("[0-9a-f]{40}", secrets["capitole"].secret) and secrets["capitole"].login == "my-shop"
    assert secrets["axialys"].login == "me@shop.example"
    assert secrets["smpp"].login == "my-shop" and re.fullmatch("[a-z2-7]{8}", secrets["smpp"].secret)
    (number,) = await world.platform.store.queries.own_numbers(new.account.id)
    assert secrets["keyyo"].login == number.number
    assert re.fullmatch("[0-9a-f-]{36}", new.account.guid) and new.account.email == "me@shop.example"
    assert new.account.balance == 200_000
    (line,) = await statement(world, new)
    assert (line.kind, line.amount, line.balance) == (EntryKind.WELCOME, 200_000, 200_000)
    assert (line.debit, line.credit) == ("platform:welcome", f"account:{new.account.id}")


async def test_every_credential_opens_its_own_dialect_only(world: World) -> None:
    new = await world.account()
    for dialect in ("rest", "orange", "netoxygen", "capitole", "axialys", "smpp"):
        caller = await enter(world, dialect, offer(new, dialect))
        assert (caller.account_id, caller.user_id, caller.dialect) == (new.account.id, new.user.id, dialect)
        other = "orange" if dialect == "rest" else "rest"
        assert await refused(world, other, offer(new, dialect)) is Fault.BAD_CREDENTIALS


async def test_keyyo_keeps_what_http_digest_needs_and_not_the_password(world: World) -> None:
    new = await world.account()
    secret = new.secrets["keyyo"]
    stored = await world.platform.store.queries.credential_by_login("keyyo", secret.login)
    assert stored is not None and stored.kind is CredentialKind.DIGEST
    assert stored.secret_hash == _md5(f"{secret.login}:keyyo:{secret.secret}")
    assert await refused(world, "keyyo", Password(secret.login, secret.secret)) is Fault.BAD_CREDENTIALS


async def test_no_secret_is_stored_in_clear(world: World) -> None:
    new = await world.account()
    for stored in await world.platform.store.queries.credentials(new.account.id):
        secret = new.secrets[stored.dialect].secret
        assert secret not in (stored.login, stored.secret_hash) and secret.endswith(stored.hint)
        if stored.kind is CredentialKind.PASSWORD:
            assert stored.secret_hash.startswith("$argon2id$")


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\nb", "a\ud800b"])
async def test_a_name_that_cannot_be_used_is_refused(world: World, name: str) -> None:
    with pytest.raises(Refusal) as found:
        await accounts.create_account(world.platform, name)
    assert (found.value.fault, found.value.field) == (Fault.INVALID_PARAMETER, "name")


@pytest.mark.parametrize(
    "email", ["nobody", "a@b", "a b@c.de", "a\x01@b.de", "a@b.de, c@d.de", "é" * 260 + "@b.de"]
)
async def test_a_mail_address_that_is_none_is_refused(world: World, email: str) -> None:
    with pytest.raises(Refusal) as found:
        await accounts.create_account(world.platform, "shop", email=email)
    assert (found.value.fault, found.value.field) == (Fault.INVALID_PARAMETER, "email")
    assert await world.platform.store.queries.account_named("shop") is None


async def test_names_and_mail_addresses_belong_to_one_account(world: World) -> None:
    first = await accounts.create_account(world.platform, "shop", email="me@shop.example")
    for name, email, field in (
        ("shop", "", "name"),
        (str(first.account.id), "", "name"),
        (first.account.guid, "", "name"),
        ("other", "ME@shop.example ", "email"),
    ):
        with pytest.raises(Refusal) as found:
            await accounts.create_account(world.platform, name, email=email)
        assert (found.value.fault, found.value.field) == (Fault.ALREADY_EXISTS, field)


async def test_names_that_fold_to_the_same_login_get_different_ones(world: World) -> None:
    logins = [
        (await world.account(name)).secrets["netoxygen"].login for name in ("A b", "a-b", "A.B", "日本", "!")
    ]
    assert logins == ["a-b", "a-b-2", "a-b-3", "account", "account-2"]


async def test_accounts_made_at_the_same_moment_do_not_collide(world: World) -> None:
    names = ["a b", "a-b", "a.b", "a_b", "A b", "A-B"]
    made = await asyncio.gather(*(world.account(name) for name in names))
    for dialect in ("netoxygen", "capitole", "axialys", "keyyo"):
        assert len({one.secrets[dialect].login for one in made}) == len(names)
    for one in made:
        (number,) = await world.platform.store.queries.own_numbers(one.account.id)
        assert number.number == one.secrets["keyyo"].login


async def test_the_same_name_at_the_same_moment_is_given_once(world: World) -> None:
    made = await asyncio.gather(*(world.account("shop") for _ in range(4)), return_exceptions=True)
    refusals = [one for one in made if isinstance(one, Refusal)]
    assert len(refusals) == 3
    assert {(one.fault, one.field) for one in refusals} == {(Fault.ALREADY_EXISTS, "name")}
    assert all("UNIQUE" not in one.detail and "constraint" not in one.detail for one in refusals)


async def test_credits_of_the_operator_are_a_payment_and_can_be_taken_back(world: World) -> None:
    new = await world.account("shop", credits=5)
    assert (await accounts.credit_account(world.platform, new.account, 2_500)).balance == 7_500
    assert (await accounts.credit_account(world.platform, new.account, -7_500)).balance == 0
    with pytest.raises(Refusal) as found:
        await accounts.credit_account(world.platform, new.account, -1)
    assert found.value.fault is Fault.INSUFFICIENT_CREDITS
    lines = await statement(world, new)
    assert [(line.kind, line.amount, line.balance) for line in lines] == [
        (EntryKind.PAYMENT, 5_000, 5_000),
        (EntryKind.PAYMENT, 2_500, 7_500),
        (EntryKind.CORRECTION, 7_500, 0),
    ]


@pytest.mark.parametrize(
    ("written", "thousandths"),
    [("200", 200_000), ("0.5", 500), ("-0,25", -250), (" 1.001 ", 1_001), ("0", 0)],
)
def test_credits_are_read_exactly(written: str, thousandths: int) -> None:
    assert accounts.credits_of(written) == thousandths


@pytest.mark.parametrize("written", ["", "1.0001", "1e3", "one", "1.", ".5", "--1", "٣", "1" * 13])
def test_what_is_no_number_of_credits_is_refused(written: str) -> None:
    with pytest.raises(Refusal) as found:
        accounts.credits_of(written)
    assert found.value.fault is Fault.INVALID_PARAMETER


# --- letting in


async def test_strangers_are_refused(world: World) -> None:
    new = await world.account()
    right = new.secrets["netoxygen"]
    assert await refused(world, "rest") is Fault.BAD_CREDENTIALS
    for wrong in (
        Key(""),
        Key("ck_" + "a" * 32),
        Key("a\x00b"),
        Key("\ud800"),
        Key(new.secrets["orange"].secret),
    ):
        assert await refused(world, "rest", wrong) is Fault.BAD_CREDENTIALS
    for login, password in (
        (right.login, "wrong"),
        (right.login, ""),
        ("nobody", right.secret),
        (right.login.upper(), right.secret),
        (right.login, right.secret + " "),
    ):
        assert await refused(world, "netoxygen", Password(login, password)) is Fault.BAD_CREDENTIALS


async def test_the_first_credential_that_holds_wins(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    offered = (Key("wrong"), offer(two, "rest"), offer(one, "rest"))
    assert (await enter(world, "rest", *offered)).account_id == two.account.id


async def test_a_suspended_account_is_out_at_once_and_in_again_when_opened(world: World) -> None:
    new = await world.account()
    for dialect in ("rest", "netoxygen"):
        await enter(world, dialect, offer(new, dialect))
    await accounts.suspend_account(world.platform, new.account, True)
    for dialect in ("rest", "netoxygen"):
        assert await refused(world, dialect, offer(new, dialect)) is Fault.ACCOUNT_SUSPENDED
    await accounts.suspend_account(world.platform, new.account, False)
    assert (await enter(world, "rest", offer(new, "rest"))).account_id == new.account.id


async def test_another_process_learns_of_a_suspension_within_two_seconds(world: World) -> None:
    new = await world.account()
    await enter(world, "rest", offer(new, "rest"))
    forget = world.platform.door.forget
    world.platform.door.forget = lambda: None  # the other process has a door of its own
    await accounts.suspend_account(world.platform, new.account, True)
    world.platform.door.forget = forget
    world.clock.move(seconds=2)
    assert await refused(world, "rest", offer(new, "rest")) is Fault.ACCOUNT_SUSPENDED


async def test_a_rotated_key_is_good_for_another_24_hours(world: World) -> None:
    new = await world.account()
    old = offer(new, "rest")
    secret = await accounts.rotate_credential(
        world.platform, new.account.id, await credential(world, new, "rest")
    )
    assert not secret.login and secret.secret != new.secrets["rest"].secret
    world.clock.move(hours=23, minutes=59, seconds=59)
    assert (await enter(world, "rest", old)).account_id == new.account.id
    world.clock.move(seconds=3)
    assert await refused(world, "rest", old) is Fault.BAD_CREDENTIALS
    assert (await enter(world, "rest", Key(secret.secret))).account_id == new.account.id


async def test_rotating_a_key_again_does_not_lengthen_its_life(world: World) -> None:
    new = await world.account()
    key = await credential(world, new, "rest")
    await accounts.rotate_credential(world.platform, new.account.id, key)
    world.clock.move(hours=23)
    await accounts.rotate_credential(world.platform, new.account.id, key)
    world.clock.move(hours=1, seconds=3)
    assert await refused(world, "rest", offer(new, "rest")) is Fault.BAD_CREDENTIALS


async def test_a_rotated_password_replaces_the_old_one_at_once(world: World) -> None:
    new = await world.account()
    old = offer(new, "netoxygen")
    await enter(world, "netoxygen", old)
    secret = await accounts.rotate_credential(
        world.platform, new.account.id, await credential(world, new, "netoxygen")
    )
    assert secret.login == new.secrets["netoxygen"].login
    assert await refused(world, "netoxygen", old) is Fault.BAD_CREDENTIALS
    assert (
        await enter(world, "netoxygen", Password(secret.login, secret.secret))
    ).account_id == new.account.id


async def test_what_was_proven_is_bound_to_the_stored_hash(world: World) -> None:
    """Another process changes the password: this one's memory of the old one must not count."""
    new = await world.account()
    old = offer(new, "netoxygen")
    await enter(world, "netoxygen", old)
    forget, world.platform.door.forget = world.platform.door.forget, lambda: None
    key = await credential(world, new, "netoxygen")
    await accounts.rotate_credential(world.platform, new.account.id, key)
    world.platform.door.forget = forget
    world.clock.move(seconds=2)
    assert await refused(world, "netoxygen", old) is Fault.BAD_CREDENTIALS


async def test_a_revoked_credential_is_out_at_once(world: World) -> None:
    new = await world.account()
    await enter(world, "orange", offer(new, "orange"))
    await accounts.revoke_credential(world.platform, new.account.id, await credential(world, new, "orange"))
    assert await refused(world, "orange", offer(new, "orange")) is Fault.BAD_CREDENTIALS


async def test_a_credential_of_another_account_cannot_be_touched(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    theirs = await credential(world, two, "rest")
    for change in (accounts.rotate_credential, accounts.revoke_credential):
        details = []
        for key in (theirs, 4711):
            with pytest.raises(Refusal) as found:
                await change(world.platform, one.account.id, key)
            assert found.value.fault is Fault.NOT_FOUND
            details.append(found.value.detail.replace(str(key), "?"))
        assert details[0] == details[1]
    assert (await enter(world, "rest", offer(two, "rest"))).account_id == two.account.id


async def test_ten_wrong_passwords_close_the_login_for_their_address_only(world: World) -> None:
    new = await world.account()
    right = offer(new, "netoxygen")
    assert isinstance(right, Password)
    for number in range(10):
        wrong = Password(right.login, f"wrong {number}")
        assert await refused(world, "netoxygen", wrong, peer=HERE) is Fault.BAD_CREDENTIALS
    assert await refused(world, "netoxygen", right, peer=HERE) is Fault.RATE_LIMITED
    assert (await enter(world, "netoxygen", right, peer=THERE)).account_id == new.account.id
    world.clock.move(seconds=60)
    assert (await enter(world, "netoxygen", right, peer=HERE)).account_id == new.account.id


async def test_two_hundred_wrong_keys_close_the_door_for_their_address_only(world: World) -> None:
    new = await world.account()
    for number in range(200):
        assert await refused(world, "rest", Key(f"wrong {number}")) is Fault.BAD_CREDENTIALS
    assert await refused(world, "rest", offer(new, "rest")) is Fault.RATE_LIMITED
    assert (await enter(world, "rest", offer(new, "rest"), peer=THERE)).account_id == new.account.id


async def test_the_addresses_of_one_house_are_counted_together(world: World) -> None:
    new = await accounts.create_account(world.platform, "shop", email="me@shop.example", password=PASSWORD)
    right = offer(new, "netoxygen")
    assert isinstance(right, Password)
    for number in range(10):
        peer = f"2001:db8:0:7::{number:x}"
        assert await refused(world, "netoxygen", Password(right.login, "wrong"), peer=peer)
        with pytest.raises(Refusal):
            await directory.log_in(world.platform, "me@shop.example", "wrong password", peer)
    assert await refused(world, "netoxygen", right, peer="2001:db8:0:7:1::") is Fault.RATE_LIMITED
    with pytest.raises(Refusal) as found:
        await directory.log_in(world.platform, "me@shop.example", PASSWORD, "2001:db8:0:7:1::")
    assert found.value.fault is Fault.RATE_LIMITED
    assert await enter(world, "netoxygen", right, peer="2001:db8:0:8::")


async def test_passwords_are_never_hashed_on_the_loop_s_thread(world: World) -> None:
    threads: set[int] = set()

    class Watched(PasswordHasher):
        def hash(self, *args: object, **kwargs: object) -> str:
            threads.add(threading.get_ident())
            return super().hash(*args, **kwargs)  # type: ignore[arg-type]

        def verify(self, *args: object, **kwargs: object) -> bool:
            threads.add(threading.get_ident())
            return super().verify(*args, **kwargs)  # type: ignore[arg-type]

    door = Door(b"secret", b"process", Watched(time_cost=1, memory_cost=8, parallelism=1))
    now = world.clock.now()
    stored = await door.hash_password("right")
    assert await door.password_fits("me", "right", stored, now)
    assert not await door.password_fits("me", "wrong", stored, now)
    assert not await door.password_fits("nobody", "wrong", None, now)
    assert not await door.password_fits("me", "right", "no hash at all", now)
    assert len(threads) == 1 and threading.get_ident() not in threads


async def test_a_proven_password_is_not_proven_again_and_twins_are_proven_once(world: World) -> None:
    proofs: list[str | bytes] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            proofs.append(password)
            return super().verify(hash, password)  # type: ignore[return-value]

    door = Door(b"secret", b"process", Counting(time_cost=1, memory_cost=8, parallelism=1))
    now = world.clock.now()
    stored = await door.hash_password("right")
    twins = [door.password_fits("me", "right", stored, now) for _ in range(20)]
    assert await asyncio.gather(*twins) == [True] * 20
    assert await door.password_fits("me", "right", stored, now)
    assert proofs == [b"right"]
    changed = await door.hash_password("new")
    assert not await door.password_fits("me", "right", changed, now)
    assert await door.password_fits("me", "right", stored, now + timedelta(minutes=5))
    assert proofs == [b"right"] * 3


async def test_the_last_use_of_a_credential_is_noted(world: World) -> None:
    new = await world.account()
    await enter(world, "rest", offer(new, "rest"), peer=THERE)
    await world.platform.store.commit(Changes())  # what was to be written later is written with it
    used = {c.dialect: c for c in await accounts.list_credentials(world.platform, new.account.id)}["rest"]
    assert (used.last_used_at, used.last_used_from) == (world.clock.now(), THERE)


# --- the console's login


async def test_logging_in_and_changing_the_password(world: World) -> None:
    new = await accounts.create_account(world.platform, "shop", email="me@shop.example", password=PASSWORD)
    account, user = await directory.log_in(world.platform, " ME@shop.example ", PASSWORD, HERE)
    assert (account.id, user.id) == (new.account.id, new.user.id)
    assert await directory.resume(world.platform, account.id, user.id, user.session_epoch) == (account, user)

    with pytest.raises(Refusal) as found:
        await accounts.change_password(world.platform, user, "wrong", "another password")
    assert (found.value.fault, found.value.field) == (Fault.BAD_CREDENTIALS, "old")
    for bad in ("too short", "x" * 201):
        with pytest.raises(Refusal) as found:
            await accounts.change_password(world.platform, user, PASSWORD, bad)
        assert found.value.fault is Fault.INVALID_PARAMETER
    changed = await accounts.change_password(world.platform, user, PASSWORD, "another password")

    assert await directory.resume(world.platform, account.id, user.id, user.session_epoch) is None
    assert await directory.resume(world.platform, account.id, user.id, changed.session_epoch) is not None
    with pytest.raises(Refusal):
        await directory.log_in(world.platform, "me@shop.example", PASSWORD, HERE)
    assert (await directory.log_in(world.platform, "me@shop.example", "another password", HERE))[1] == changed


async def test_sessions_end_with_end_sessions_and_with_a_suspension(world: World) -> None:
    new = await accounts.create_account(world.platform, "shop", email="me@shop.example", password=PASSWORD)
    ids = new.account.id, new.user.id
    await directory.end_sessions(world.platform, new.user)
    assert await directory.resume(world.platform, *ids, 0) is None
    assert await directory.resume(world.platform, *ids, 1) is not None
    await accounts.suspend_account(world.platform, new.account, True)
    assert await directory.resume(world.platform, *ids, 1) is None
    with pytest.raises(Refusal) as found:
        await directory.log_in(world.platform, "me@shop.example", PASSWORD, HERE)
    assert found.value.fault is Fault.ACCOUNT_SUSPENDED


async def test_a_session_of_another_account_is_none(world: World) -> None:
    one, two = await world.account("one"), await world.account("two")
    assert await directory.resume(world.platform, one.account.id, two.user.id, 0) is None


@pytest.mark.parametrize(
    "email", ["", "nobody", "nobody@shop.example", "a\x00@b.de", "a\ud800@b.de", "bare@shop.example"]
)
async def test_a_stranger_cannot_log_in(world: World, email: str) -> None:
    await accounts.create_account(world.platform, "bare", email="bare@shop.example")  # has no password
    for password in ("", PASSWORD, "\ud800", "\x00"):
        with pytest.raises(Refusal) as found:
            await directory.log_in(world.platform, email, password, HERE)
        assert found.value.fault is Fault.BAD_CREDENTIALS


async def test_failed_logins_close_the_console_for_their_address_only(world: World) -> None:
    await accounts.create_account(world.platform, "shop", email="me@shop.example", password=PASSWORD)
    for _ in range(10):
        with pytest.raises(Refusal):
            await directory.log_in(world.platform, "me@shop.example", "wrong password", HERE)
    with pytest.raises(Refusal) as found:
        await directory.log_in(world.platform, "me@shop.example", PASSWORD, HERE)
    assert found.value.fault is Fault.RATE_LIMITED
    assert await directory.log_in(world.platform, "me@shop.example", PASSWORD, THERE)


# --- users


async def test_users_of_an_account_share_its_guid_and_credits(world: World) -> None:
    new = await world.account("shop")
    user, secret = await accounts.add_user(world.platform, new.account, "Till 2")
    assert secret.login == "till-2"
    caller = await enter(world, "netoxygen", Password(secret.login, secret.secret))
    assert (caller.account_id, caller.guid) == (new.account.id, new.account.guid)
    assert (caller.user_id, caller.user_name) == (user.id, "Till 2")
    assert [one.name for one in await accounts.list_users(world.platform, new.account.id)] == [
        "shop",
        "Till 2",
    ]
    assert await accounts.list_users(world.platform, 4711) == ()


async def test_users_made_at_the_same_moment_do_not_collide(world: World) -> None:
    new = await world.account("shop")
    made = await asyncio.gather(*(accounts.add_user(world.platform, new.account, "till") for _ in range(4)))
    assert sorted(secret.login for _, secret in made) == ["till", "till-2", "till-3", "till-4"]


# --- the account's own settings


@pytest.mark.parametrize(
    ("written", "kept"),
    [("06 12 34 56 78", "33612345678"), (" Lumiere ", "Lumiere"), ("20345", "20345"), ("  ", "")],
)
async def test_the_default_sender_is_kept_as_messages_carry_it(world: World, written: str, kept: str) -> None:
    new = await world.account()
    await accounts.set_default_sender(world.platform, new.account.id, "before")
    account = await accounts.set_default_sender(world.platform, new.account.id, written)
    assert account.default_sender == kept


async def test_a_new_default_sender_holds_for_who_was_let_in_before(world: World) -> None:
    new = await world.account()
    assert (await enter(world, "rest", offer(new, "rest"))).default_sender == ""
    await accounts.set_default_sender(world.platform, new.account.id, "Lumiere")
    assert (await enter(world, "rest", offer(new, "rest"))).default_sender == "Lumiere"


@pytest.mark.parametrize("written", ["Cabinet Moreau", "12", "a\nb", "☺"])
async def test_a_default_sender_that_telephones_could_not_show_is_refused(world: World, written: str) -> None:
    new = await world.account()
    with pytest.raises(Refusal) as found:
        await accounts.set_default_sender(world.platform, new.account.id, written)
    assert (found.value.fault, found.value.field) == (Fault.INVALID_SENDER, "sender")
    account = await world.platform.store.queries.account(new.account.id)
    assert account is not None and account.default_sender == ""
