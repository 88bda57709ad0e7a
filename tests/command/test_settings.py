"""The settings file and the environment over it."""

from pathlib import Path

import pytest

from chappe.settings import SettingsError, read_settings


def test_without_a_file_the_sandbox_may_call_this_machine() -> None:
    settings = read_settings(None, {})
    assert settings.outgoing.allow == ("127.0.0.0/8", "::1/128")
    assert settings.routes == ()


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "chappe.toml"
    file.write_text(
        """
        database = "postgresql://db.example/chappe"
        dialects = ["rest"]
        [carriers.sandbox]
        type = "sandbox"
        [mail]
        host = "mail.example"
        password = { env = "MAIL" }
        [[routes]]
        prefix = "33"
        carrier = "sandbox"
        [[routes]]
        carrier = [{ sandbox = 7 }, "sandbox"]
        [[tariffs]]
        prefix = "33"
        price = 0.5
        [limits]
        welcome_credits = 10
        """
    )
    settings = read_settings(
        file, {"MAIL": "secret", "CHAPPE_MAIL_PORT": "2525", "CHAPPE_PUBLIC_URL": "https://x"}
    )
    assert settings.outgoing.allow == ()
    assert (settings.mail.host, settings.mail.password, settings.mail.port) == (
        "mail.example",
        "secret",
        2525,
    )
    assert (settings.routes[0].prefix, settings.routes[0].kind) == ("33", "sms")
    assert settings.routes[0].places == ({"sandbox": 1},)
    assert settings.routes[1].places == ({"sandbox": 7}, {"sandbox": 1})
    assert (settings.tariffs[0].price, settings.limits.welcome_credits) == (0.5, 10)
    assert settings.public_url == "https://x"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[carriers.free]\ntype = 'pigeon'\n", "carriers of the type 'pigeon' are not built yet"),
        ("[carriers.free]\ntype = 'smpp'\n", "carriers.free: Object missing required field `host`"),
        ("[carriers.free]\ntype = 'smpp'\nhost = 'h'\nsystem_id = 'me'\nwindow = 0\n", "$.window"),
        (
            "[carriers.free]\ntype = 'smpp'\nhost = 'h'\nsystem_id = 'me'\nwinow = 1\n",
            "unknown field `winow`",
        ),
        ("[carriers.free]\ntype = 'smpp'\nhost = 'h'\nsystem_id = 'me'\ntls_ca = 'x'\n", "tls = true"),
        ("[carriers.toys]\ntype = 'sandbox'\n", "the sandbox is one network"),
        ("dialects = ['rest', 'telepathy']\n", "'telepathy' is not built yet"),
        ("[outgoing]\nallow = ['everywhere']\n", "outgoing.allow"),
        ("nonsense = 1\n", "nonsense"),
        ("[[routes]]\nprefix = '33'\ncarrier = 'free'\n", "there is no carrier 'free'"),
        ("[mail]\npassword = { env = 'NOWHERE' }\n", "mail.password: the environment has no NOWHERE"),
        ("[limits]\nprice = 'much'\n", "limits.price"),
        ("[limits]\nprice = 0.0004\n", "limits.price: 0.0004 has more than three decimals"),
        ("[[tariffs]]\nprice = -1\n", "tariffs[0].price"),
        ("[[tariffs]]\nprice = 1e300\n", "tariffs[0].price"),
        ("[[tariffs]]\nprice = 1\nprefix = 'abc'\n", "tariffs[0].prefix"),
        ("[[routes]]\ncarrier = [{ sandbox = 0 }]\n", "routes[0].carrier"),
        ("[[routes]]\ncarrier = [{ sandbox = 1, free = 2 }]\n", "there is no carrier 'free'"),
        ("[[routes]]\nkind = 'pigeon'\ncarrier = 'sandbox'\n", "routes[0].kind"),
        ("[[short_codes]]\nnumber = 'x'\n", "short_codes[0].number"),
        ("not toml", "chappe.toml"),
    ],
)
def test_a_bad_setting_is_named(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "chappe.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_settings(file, {})
    assert complaint in str(caught.value)
