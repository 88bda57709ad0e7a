"""What telephones read to know who they are: Linphone, Zoiper, Snom and Yealink.

Sources: Linphone's "Remote Provisioning" and "Provisioning configuration keys"; Snom's "Desk Phone
Configuration Files"; Yealink's auto provisioning guide (`#!version`, `account.1...`), whose telephones read
settings and no XML; Zoiper's own configuration file, `options/accounts/account`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lxml import etree

_LPCONFIG = "http://www.linphone.org/xsds/lpconfig.xsd"
_EXPIRES = 300


class SipAccount(NamedTuple):
    """Who a telephone is. `transport` is udp, tcp or ws; `codecs` are names of RTP (PCMA), the wanted one
    first, all others off where it is `forced`. `directory` are host, user, password and base of an LDAP
    directory, empty for none."""

    user: str
    password: str
    realm: str
    host: str
    port: int
    display_name: str
    transport: str = "udp"
    codec: str = "PCMA"
    forced: bool = False
    dial_plan: str = ""
    directory: tuple[str, str, str, str] = ("", "", "", "")


class Rendered(NamedTuple):
    """A file for a telephone: its media type, a name, its octets."""

    media_type: str
    name: str
    content: bytes


def linphone(account: SipAccount) -> Rendered:
    """Linphone's configuration, which its QR scanner fetches from the address that it reads."""
    uri = f"sip:{account.host}:{account.port};transport={account.transport}"
    name = account.display_name.replace('"', "'")
    sections: Sequence[tuple[str, Mapping[str, str]]] = (
        ("sip", {"default_proxy": "0"}),
        (
            "proxy_0",
            {
                "reg_proxy": f"<{uri}>",
                "reg_identity": f'"{name}" <sip:{account.user}@{account.host}:{account.port}>',
                "reg_expires": str(_EXPIRES),
                "reg_sendregister": "1",
                "realm": account.realm,
            },
        ),
        (
            "auth_info_0",
            {"username": account.user, "passwd": account.password, "realm": account.realm},
        ),
        *_linphone_codecs(account),
    )
    root = etree.Element(f"{{{_LPCONFIG}}}config", nsmap={None: _LPCONFIG})  # type: ignore[dict-item]
    for section, entries in sections:
        inside = etree.SubElement(root, f"{{{_LPCONFIG}}}section", name=section)
        for key, value in entries.items():
            etree.SubElement(inside, f"{{{_LPCONFIG}}}entry", name=key, overwrite="true").text = value
    return Rendered("application/xml", "linphone.xml", _written(root))


def _linphone_codecs(account: SipAccount) -> list[tuple[str, Mapping[str, str]]]:
    if not account.forced:
        return []
    return [("audio_codec_0", {"mime": account.codec, "rate": "8000", "enabled": "1"})]


def zoiper(account: SipAccount) -> Rendered:
    """Zoiper's configuration, to be put in place of its own."""
    root = etree.Element("options")
    inside = etree.SubElement(etree.SubElement(root, "accounts"), "account")
    for name, value in (
        ("ident", account.user),
        ("name", account.display_name),
        ("protocol", "sip"),
        ("username", account.user),
        ("password", account.password),
        ("save_username", "true"),
        ("save_password", "true"),
        ("register_on_startup", "true"),
        ("SIP_domain", f"{account.host}:{account.port}"),
        ("SIP_transport_type", account.transport),
        ("reregistration_time", str(_EXPIRES)),
    ):
        etree.SubElement(inside, name).text = value
    return Rendered("application/xml", "Config.xml", _written(root))


def snom(account: SipAccount) -> Rendered:
    """A Snom telephone's settings for its first identity."""
    root = etree.Element("settings")
    inside = etree.SubElement(root, "phone-settings", e="2")
    host, user, password, base = account.directory
    settings = {
        "user_active": "on",
        "user_name": account.user,
        "user_pname": account.user,
        "user_pass": account.password,
        "user_host": f"{account.host}:{account.port};transport={account.transport}",
        "user_realname": account.display_name,
        "user_expiry": str(_EXPIRES),
        "codec_priority_list": account.codec.lower()
        + ("" if account.forced else ",pcmu,g722,telephone-event"),
        "user_dp_str": account.dial_plan,
    }
    for name, value in settings.items():
        if value:
            etree.SubElement(inside, name, idx="1", perm="RW").text = value
    for name, value in (
        ("ldap_server", host),
        ("ldap_username", user),
        ("ldap_password", password),
        ("ldap_base", base),
    ):
        if value:
            etree.SubElement(inside, name, perm="RW").text = value
    return Rendered("application/xml", "snom.xml", _written(root))


def yealink(account: SipAccount) -> Rendered:
    """A Yealink telephone's settings for its first account."""
    host, user, password, base = account.directory
    transports = {"udp": "0", "tcp": "1"}
    settings = {
        "account.1.enable": "1",
        "account.1.label": account.display_name,
        "account.1.display_name": account.display_name,
        "account.1.auth_name": account.user,
        "account.1.user_name": account.user,
        "account.1.password": account.password,
        "account.1.sip_server.1.address": account.host,
        "account.1.sip_server.1.port": str(account.port),
        "account.1.sip_server.1.transport_type": transports.get(account.transport, "0"),
        "account.1.sip_server.1.expires": str(_EXPIRES),
        "account.1.subscribe_mwi": "1",
        "ldap.enable": "1" if host else "",
        "ldap.host": host,
        "ldap.user": user,
        "ldap.password": password,
        "ldap.base": base,
    }
    lines = ["#!version:1.0.0.1", *(f"{name} = {value}" for name, value in settings.items() if value)]
    return Rendered("text/plain; charset=utf-8", "yealink.cfg", "".join(f"{one}\n" for one in lines).encode())


def _written(root: etree._Element) -> bytes:
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


FILES: Mapping[str, Callable[[SipAccount], Rendered]] = {
    "linphone": linphone,
    "zoiper": zoiper,
    "snom": snom,
    "yealink": yealink,
}
"""The file for each kind of telephone."""
