"""The configuration of one switch, written from the settings: `chappe asterisk-config`.

Modules are named one by one, so that nothing runs that we do not use (voice.md 1.5, 4 and 10). Telephones of
lines are no part of it: the carrier tells the switch of them (lines.py).
"""

import os
from collections.abc import Iterable, Mapping
from errno import EEXIST
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from chappe.carriers.asterisk.settings import AsteriskSettings, SwitchSettings, TrunkSettings, address_of
from chappe.carriers.asterisk.settings import read_settings as read_settings

TRUNK = "trunk-"
"""How the endpoints of trunks are called; a line's has the name that its telephone registers with."""

FROM_TRUNK, FROM_LINE, JUDGED = "chappe-trunk", "chappe-line", "chappe-judged"
"""Contexts of the dialplan: calls from trunks, calls from lines, and legs of which AMD tells first whether a
machine has answered."""

_MODULES = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_pjproject res_timing_timerfd res_crypto
res_http_websocket res_websocket_client res_stasis res_stasis_answer res_stasis_playback
res_stasis_recording res_stasis_snoop res_ari res_ari_model res_ari_applications res_ari_asterisk
res_ari_bridges res_ari_channels res_ari_endpoints res_ari_events res_ari_playbacks res_ari_recordings
app_stasis res_rtp_asterisk res_srtp codec_ulaw codec_alaw codec_a_mu codec_g722 codec_resample
format_pcm format_sln format_wav res_pjsip res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp
res_pjsip_caller_id res_pjsip_rfc3326 res_pjsip_nat res_pjsip_path res_pjsip_dtmf_info
res_pjsip_empty_info res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest
res_pjsip_outbound_registration res_pjsip_registrar res_pjsip_endpoint_identifier_ip
res_pjsip_endpoint_identifier_user res_pjsip_logger chan_pjsip bridge_simple bridge_softmix
chan_bridge_media pbx_config app_amd func_channel func_callerid func_talkdetect
"""

_EMPTY = "acl ccss features manager pjproject stasis udptl websocket_client"


def files(settings: AsteriskSettings, switch: SwitchSettings, folder: Path) -> Mapping[str, str]:
    """The files of a switch by their names; `folder` is where they will stand."""
    return {
        "asterisk.conf": _sections(
            ("directories", {"astetcdir": folder, "astspooldir": Path(switch.recordings).parent}),
            ("options", {"maxfiles": 65_536, "hideconnect": "yes"}),
        ),
        "modules.conf": "[modules]\nautoload = no\n"
        + "".join(f"load = {name}.so\n" for name in _MODULES.split()),
        "logger.conf": _sections(
            ("general", {}), ("logfiles", {"console": "notice,warning,error", "messages": "warning,error"})
        ),
        "http.conf": _http(switch),
        "ari.conf": _sections(
            ("general", {"enabled": "yes", "websocket_write_timeout": 1000}),
            (settings.user, {"type": "user", "read_only": "no", "password": settings.password}),
        ),
        "rtp.conf": _sections(("general", {"rtpstart": switch.rtp[0], "rtpend": switch.rtp[1]})),
        # Telephones of lines live in the switch's memory; what is in files stays there.
        "sorcery.conf": _sections(
            (
                "res_pjsip",
                [
                    (f"{kind}/{place}", value)
                    for kind in ("endpoint", "auth", "aor")
                    for place, value in (
                        ("files", f"config,pjsip.conf,criteria=type={kind}"),
                        ("lines", "memory"),
                    )
                ],
            )
        ),
        "pjsip.conf": _pjsip(settings, switch),
        "extensions.conf": _extensions(settings.application),
        # The values of Asterisk's own sample.
        "amd.conf": _sections(
            (
                "general",
                {
                    "total_analysis_time": 5000,
                    "silence_threshold": 256,
                    "initial_silence": 2500,
                    "after_greeting_silence": 800,
                    "greeting": 1500,
                    "min_word_length": 100,
                    "maximum_word_length": 5000,
                    "between_words_silence": 50,
                    "maximum_number_of_words": 2,
                },
            )
        ),
        # Nobody reads its records of calls: the platform writes its own.
        "cdr.conf": _sections(("general", {"enable": "no"})),
        "cel.conf": _sections(("general", {"enable": "no"})),
        # As the French network has them (model/sounds.py, Tone).
        "indications.conf": _sections(
            ("general", {"country": "fr"}),
            (
                "fr",
                {
                    "description": "France",
                    "ring": "440/1500,0/3500",
                    "busy": "440/500,0/500",
                    "ringcadence": "1500,3500",
                },
            ),
        ),
        # Asterisk looks for these, and complains where they are missing.
        **{f"{name}.conf": "; nothing beside what it does by itself\n" for name in _EMPTY.split()},
    }


def write(
    settings: AsteriskSettings, switch: SwitchSettings, folder: Path, *, replace: bool = False
) -> tuple[Path, ...]:
    """Write the files of a switch, for their owner and group alone. Raises FileExistsError where one is there
    and not to be replaced, before anything is written, and OSError."""
    found = {folder / name: text for name, text in files(settings, switch, folder).items()}
    for path in found:
        if path.exists() and not replace:
            raise FileExistsError(EEXIST, "is there already", str(path))
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in found.items():
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w", encoding="utf-8") as file:
            file.write(text)
    return tuple(found)


def _sections(*sections: tuple[str, Mapping[str, object] | Iterable[tuple[str, object]]]) -> str:
    blocks = []
    for name, values in sections:
        pairs = values.items() if isinstance(values, Mapping) else values
        blocks.append("\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in pairs)]) + "\n")
    return "\n".join(blocks)


def _http(switch: SwitchSettings) -> str:
    parts = urlsplit(switch.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    prefix = parts.path.removesuffix("/").removesuffix("/ari").strip("/")
    values: dict[str, object] = {"enabled": "yes", "bindaddr": parts.hostname, "bindport": port}
    # Whoever speaks this interface owns the switch: what it listens on is what we call, nothing more.
    values |= {"enable_static": "no", "enable_status": "no"}
    return _sections(("general", values | ({"prefix": prefix} if prefix else {})))


def _pjsip(settings: AsteriskSettings, switch: SwitchSettings) -> str:
    host, port = address_of(switch.sip)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    transport: list[tuple[str, object]] = [("type", "transport"), ("protocol", "udp"), ("bind", bind)]
    if switch.outside:
        transport += [("external_signaling_address", switch.outside)]
        transport += [("external_media_address", switch.outside)]
        transport += [("local_net", network) for network in switch.inside]
    blocks: list[tuple[str, Mapping[str, object] | Iterable[tuple[str, object]]]] = [
        (
            "global",
            {
                "type": "global",
                "user_agent": "Chappe",
                "default_realm": "chappe",
                # A telephone behind a trunk's address is itself first (voice.md 1.5, 5).
                "endpoint_identifier_order": "auth_username,username,ip",
            },
        ),
        ("transport", transport),
    ]
    for name, trunk in settings.trunks.items():
        blocks += _trunk(TRUNK + name, trunk, endpoint(switch))
    return _sections(*blocks)


def _trunk(
    name: str, trunk: TrunkSettings, common: Mapping[str, object]
) -> list[tuple[str, Mapping[str, object] | Iterable[tuple[str, object]]]]:
    peer = f"{trunk.host}:{trunk.port}"
    sources = trunk.sources or (trunk.host.strip("[]"),)
    own: dict[str, object] = {
        **common,
        "context": FROM_TRUNK,
        "allow": "!all," + ",".join(trunk.codecs),
        "aors": name,
        # Who hides his number hides it from the party, not from the network, which must know it.
        "send_pai": "yes",
        "trust_id_outbound": "yes",
    }
    blocks: list[tuple[str, Mapping[str, object] | Iterable[tuple[str, object]]]] = [
        (name, {"type": "endpoint", **own, **({"outbound_auth": name} if trunk.username else {})}),
        (name, {"type": "aor", "contact": f"sip:{peer}"}),
        (name, [("type", "identify"), ("endpoint", name), *(("match", source) for source in sources)]),
    ]
    if trunk.username:
        secret = {"auth_type": "userpass", "username": trunk.username, "password": trunk.password}
        blocks.append((name, {"type": "auth", **secret}))
    if trunk.register:
        registration = {
            "transport": "transport",
            "outbound_auth": name,
            "server_uri": f"sip:{peer}",
            "client_uri": f"sip:{trunk.username}@{peer}",
            "contact_user": trunk.username,
            "endpoint": name,
            "line": "yes",
        }
        blocks.append((name, {"type": "registration", **registration}))
    return blocks


_ENDPOINT: dict[str, object] = {
    "transport": "transport",
    # Sound goes through the switch: we listen, mix and record.
    "direct_media": "no",
    "rtp_symmetric": "yes",
    "force_rport": "yes",
    "rewrite_contact": "yes",
    "dtmf_mode": "rfc4733",
    # Whose number a party sees is ours to say, when it is rung. Left alone, the switch offers each party its
    # call anew (re-INVITE) once it is joined, to tell it who that is; not every network takes that.
    "send_connected_line": "no",
    # A party that is gone without a word must not talk on at somebody's cost.
    # Nothing is sent where nothing is heard; so that the network does not take us for gone:
    "rtp_keepalive": 5,
    "rtp_timeout": 60,
    "rtp_timeout_hold": 600,
}


def endpoint(switch: SwitchSettings) -> dict[str, object]:
    """What all that a switch speaks SIP with have in common."""
    host, _ = address_of(switch.sip)
    # Else it looks its machine's name up at each call, and waits where nobody knows it (voice.md 1.5, 2).
    return _ENDPOINT if ip_address(host).is_unspecified else _ENDPOINT | {"media_address": host}


def _extensions(application: str) -> str:
    lines = ["[general]", "static = yes", "writeprotect = yes", ""]
    for context, kind in ((FROM_TRUNK, "trunk"), (FROM_LINE, "line")):
        lines += [
            f"[{context}]",
            f"exten => _[+*#0-9]!,1,Stasis({application},{kind},${{CHANNEL(endpoint)}},${{EXTEN}})",
            " same => n,Hangup()",
            "",
        ]
    lines += [
        f"[{JUDGED}]",
        "exten => s,1,AMD()",
        f" same => n,Stasis({application},judged,${{AMDSTATUS}},${{AMDCAUSE}})",
        " same => n,Hangup()",
        "",
    ]
    return "\n".join(lines)
