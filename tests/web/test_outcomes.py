"""How a delivery went is said in the reader's language, whatever services, queue and host write down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import chappe
from chappe.web import outcomes, rendering

PACKAGE = Path(chappe.__file__).parent
PUBLIC = "If it may be called, add its network to the setting [outgoing] allow, for example allow = "
OUVRIR = "Si elle peut être appelée, ajoutez son réseau au réglage [outgoing] allow, par exemple allow = "

# as it is written down, in English, in French; ~ stands for a space at which no line ends
SAID = [
    ("answered 200", "answered 200", "a répondu 200"),
    ("mailed to x@example.com", "mailed to x@example.com", "envoyée par e-mail à x@example.com"),
    (
        "dropped: the message or its target does not exist any more",
        "the message or its target does not exist any more",
        "le message ou son destinataire n’existe plus",
    ),
    (
        "dropped: the call or its target does not exist any more",
        "the call or its target does not exist any more",
        "l’appel ou son destinataire n’existe plus",
    ),
    (
        "dropped: the netoxygen dialect has no word for message.sent",
        "NetOxygen has no word for “taken by the network”",
        "NetOxygen n’a pas de mot pour «~pris par le réseau~»",
    ),
    (
        "given up: answered 410 Gone; the subscription is disabled",
        "answered 410 Gone; the subscription is switched off",
        "a répondu 410 Gone~; l’abonnement est désactivé",
    ),
    (
        "given up after 10 tries: answered 500",
        "after 10 tries: answered 500",
        "après 10 essais~: a répondu 500",
    ),
    (
        "given up after 10 tries: No connection to shop.example:443: connection refused",
        "after 10 tries: no connection to shop.example:443: connection refused",
        "après 10 essais~: pas de connexion à shop.example:443~: connexion refusée",
    ),
    (
        "given up: carrier_rejected",
        "The network refused it for good.",
        "Le réseau l’a refusé pour de bon.",
    ),
    ("internal error, reference 12ab", "internal error, reference 12ab", "erreur interne, référence 12ab"),
    (
        "there is no job of the kind deliver",
        "nothing here does work of the kind “deliver”",
        "rien ici ne fait de travail du genre «~deliver~»",
    ),
    (
        "No connection to shop.example:443 in time",
        "no connection to shop.example:443 in time",
        "pas de connexion à temps à shop.example:443",
    ),
    (
        "shop.example:443 did not answer within 20 s",
        "shop.example:443 did not answer within 20 s",
        "shop.example:443 n’a pas répondu en 20~s",
    ),
    (
        "The name of shop.example:443 could not be resolved: [Errno -2] Name or service not known",
        "the name of shop.example:443 could not be resolved: name not known",
        "le nom de shop.example:443 n’a pas pu être résolu~: nom inconnu",
    ),
    (
        "The name of shop.example:443 could not be resolved: shop.example has no address",
        "the name of shop.example:443 could not be resolved: shop.example has no address",
        "le nom de shop.example:443 n’a pas pu être résolu~: shop.example n’a pas d’adresse",
    ),
    (
        "shop.example:443 has no valid certificate: it ended",
        "shop.example:443 has no valid certificate: it ended",
        "shop.example:443 n’a pas de certificat valable~: it ended",
    ),
    (
        "No TLS connection with shop.example:443: [SSL: WRONG_VERSION_NUMBER]",
        "no TLS connection with shop.example:443: [SSL: WRONG_VERSION_NUMBER]",
        "pas de connexion TLS avec shop.example:443~: [SSL: WRONG_VERSION_NUMBER]",
    ),
    (
        "No connection to ::1:80: no route to host",
        "no connection to ::1:80: no route to host",
        "pas de connexion à ::1:80~: aucune route vers cette machine",
    ),
    (
        "given up: The request to shop.example:80 cannot be sent: "
        "its method or a header is not permitted in HTTP",
        "the request to shop.example:80 cannot be sent: its method or a header is not permitted in HTTP",
        "la requête à shop.example:80 ne peut pas être envoyée~: "
        "sa méthode ou un de ses en-têtes n’est pas permis en HTTP",
    ),
    (
        "shop.example:80 broke off the conversation: it hung up without an answer",
        "shop.example:80 broke off the conversation: it hung up without an answer",
        "shop.example:80 a interrompu l’échange~: il a raccroché sans répondre",
    ),
    (
        "shop.example:80 broke off the conversation: it hung up in the middle of its answer",
        "shop.example:80 broke off the conversation: it hung up in the middle of its answer",
        "shop.example:80 a interrompu l’échange~: il a raccroché au milieu de sa réponse",
    ),
    (
        "shop.example:80 broke off the conversation: its answer is not HTTP",
        "shop.example:80 broke off the conversation: its answer is not HTTP",
        "shop.example:80 a interrompu l’échange~: sa réponse n’est pas du HTTP",
    ),
    (
        "shop.example:80 broke off the conversation: the head of its answer is too large",
        "shop.example:80 broke off the conversation: the head of its answer is too large",
        "shop.example:80 a interrompu l’échange~: l’en-tête de sa réponse est trop grand",
    ),
    (
        "shop.example:80 broke off the conversation: connection reset by peer",
        "shop.example:80 broke off the conversation: connection reset by peer",
        "shop.example:80 a interrompu l’échange~: connexion coupée par l’autre côté",
    ),
    (
        r"given up: The URL 'http://a\n' holds a control character or line break; remove it",
        r"the URL 'http://a\n' holds a control character or line break; remove it",
        r"l’URL 'http://a\n' contient un caractère de contrôle ou un saut de ligne~; retirez-le",
    ),
    (
        "given up: The URL 'http://a b/' is malformed: 'a b' is not a host name",
        "the URL 'http://a b/' is malformed: 'a b' is not a host name",
        "l’URL 'http://a b/' est mal formée~: 'a b' n’est pas un nom de machine",
    ),
    (
        "given up: The URL 'http://1.2.3.4.5/' is malformed: 1.2.3.4.5 is neither an address nor a name",
        "the URL 'http://1.2.3.4.5/' is malformed: 1.2.3.4.5 is neither an address nor a name",
        "l’URL 'http://1.2.3.4.5/' est mal formée~: 1.2.3.4.5 n’est ni une adresse ni un nom",
    ),
    (
        "given up: The URL 'http://a:x/' is malformed: 'x' is not a port",
        "the URL 'http://a:x/' is malformed: 'x' is not a port",
        "l’URL 'http://a:x/' est mal formée~: 'x' n’est pas un port",
    ),
    (
        r"given up: The URL 'http://a\@b/' is malformed: a backslash cannot stand before the path",
        r"the URL 'http://a\@b/' is malformed: a backslash cannot stand before the path",
        r"l’URL 'http://a\@b/' est mal formée~: une barre oblique inverse ne peut pas précéder le chemin",
    ),
    (
        "given up: The URL 'http://1.2.3.256/' is malformed: a part of 1.2.3.256 is too large",
        "the URL 'http://1.2.3.256/' is malformed: a part of 1.2.3.256 is too large",
        "l’URL 'http://1.2.3.256/' est mal formée~: une partie de 1.2.3.256 est trop grande",
    ),
    (
        "given up: The URL 'http://[fe80::1%25a]/' is malformed: "
        "an IPv6 zone is not possible in a URL of a customer",
        "the URL 'http://[fe80::1%25a]/' is malformed: an IPv6 zone is not possible here",
        "l’URL 'http://[fe80::1%25a]/' est mal formée~: une zone IPv6 n’est pas possible ici",
    ),
    (
        "given up: The URL 'ftp://a/' does not begin with http:// or https://",
        "the URL 'ftp://a/' does not begin with http:// or https://",
        "l’URL 'ftp://a/' ne commence pas par http:// ou https://",
    ),
    (
        "given up: The URL 'http://a:22/' names port 22; permitted are 80, 443",
        "the URL 'http://a:22/' names port 22; permitted are 80, 443",
        "l’URL 'http://a:22/' nomme le port 22~; sont permis 80, 443",
    ),
    (
        f'given up: 10.0.0.1 is not a public address. {PUBLIC}["10.0.0.1/32"]',
        f'10.0.0.1 is not a public address. {PUBLIC}["10.0.0.1/32"]',
        f'10.0.0.1 n’est pas une adresse publique. {OUVRIR}["10.0.0.1/32"]',
    ),
    (
        f'given up: 10.0.0.1, the address of a.example, is not a public address. {PUBLIC}["10.0.0.1/32"]',
        f'10.0.0.1, the address of a.example, is not a public address. {PUBLIC}["10.0.0.1/32"]',
        f'10.0.0.1, l’adresse de a.example, n’est pas une adresse publique. {OUVRIR}["10.0.0.1/32"]',
    ),
    (
        "given up: The mail to 'a b' cannot be sent: 'a' is not a mail address",
        "the mail to 'a b' cannot be sent: 'a' is not a mail address",
        "l’e-mail à 'a b' ne peut pas être envoyé~: 'a' n’est pas une adresse e-mail",
    ),
    (
        "the mail server mail.example:25 refused our user name or password: 5.7.8 no",
        "the mail server mail.example:25 refused our user name or password: 5.7.8 no",
        "le serveur de courrier mail.example:25 a refusé notre nom ou notre mot de passe~: 5.7.8 no",
    ),
    (
        "given up: the mail server mail.example:25 answered 550 unknown user",
        "the mail server mail.example:25 answered 550 unknown user",
        "le serveur de courrier mail.example:25 a répondu 550 unknown user",
    ),
    (
        "No mail could be handed to the mail server mail.example:25: [Errno 111] Connection refused",
        "no mail could be handed to the mail server mail.example:25: connection refused",
        "aucun e-mail n’a pu être remis au serveur de courrier mail.example:25~: connexion refusée",
    ),
    (
        "The mail could not be written to outbox/1.eml: No space left on device",
        "the mail could not be written to outbox/1.eml: the disk is full",
        "l’e-mail n’a pas pu être écrit dans outbox/1.eml~: le disque est plein",
    ),
    (
        "the line is dead: no answer to enquire_link within 5 seconds",
        "the line is dead: no answer within 5 seconds",
        "la ligne est morte~: pas de réponse en 5 secondes",
    ),
    (
        "no bind within 5 seconds",
        "the network did not answer our login within 5 seconds",
        "le réseau n’a pas répondu à notre identification en 5 secondes",
    ),
    (
        "no answer to unbind within 5 seconds",
        "no answer to our good-bye within 5 seconds",
        "pas de réponse à notre adieu en 5 secondes",
    ),
    (
        "the other side unbound",
        "the network ended the connection",
        "le réseau a mis fin à la connexion",
    ),
    (
        "unbound",
        "the connection was ended in order",
        "la connexion s’est terminée dans les règles",
    ),
    (
        "garbage: a unit of 7 octets",
        "the network sent what is no SMPP: a unit of 7 octets",
        "le réseau a envoyé autre chose que du SMPP~: une unité de 7 octets",
    ),
    (
        "ESME_RTHROTTLED",
        "too many messages at once (ESME_RTHROTTLED)",
        "trop de messages à la fois (ESME_RTHROTTLED)",
    ),
    (
        "ESME_RMSGQFUL",
        "the network’s queue is full (ESME_RMSGQFUL)",
        "la file du réseau est pleine (ESME_RMSGQFUL)",
    ),
    (
        "ESME_RSYSERR",
        "the network has trouble of its own (ESME_RSYSERR)",
        "le réseau a un problème interne (ESME_RSYSERR)",
    ),
    (
        "ESME_RX_T_APPN",
        "the receiving side cannot at the moment (ESME_RX_T_APPN)",
        "le côté destinataire ne peut pas pour le moment (ESME_RX_T_APPN)",
    ),
    (
        "ESME_RINVDSTADR",
        "the network knows no such number (ESME_RINVDSTADR)",
        "le réseau ne connaît pas ce numéro (ESME_RINVDSTADR)",
    ),
    (
        "ESME_RINVSRCADR",
        "the network does not take this sender (ESME_RINVSRCADR)",
        "le réseau n’accepte pas cet expéditeur (ESME_RINVSRCADR)",
    ),
    (
        "ESME_RINVPASWD",
        "the network does not take our password (ESME_RINVPASWD)",
        "le réseau n’accepte pas notre mot de passe (ESME_RINVPASWD)",
    ),
    (
        "ESME_RINVSYSID",
        "the network does not know our system_id (ESME_RINVSYSID)",
        "le réseau ne connaît pas notre system_id (ESME_RINVSYSID)",
    ),
    (
        "ESME_RALYBND",
        "the network holds us for connected already (ESME_RALYBND)",
        "le réseau nous croit déjà connectés (ESME_RALYBND)",
    ),
    (
        "ESME_RBINDFAIL",
        "the network did not let us in (ESME_RBINDFAIL)",
        "le réseau ne nous a pas laissés entrer (ESME_RBINDFAIL)",
    ),
    (
        "the network refused the bind: ESME_RINVPASWD",
        "the network refused the connection: the network does not take our password (ESME_RINVPASWD)",
        "le réseau a refusé la connexion~: le réseau n’accepte pas notre mot de passe (ESME_RINVPASWD)",
    ),
]


@pytest.mark.parametrize(("written", "english", "french"), SAID)
def test_an_outcome_is_said_in_the_readers_language(written: str, english: str, french: str) -> None:
    assert outcomes.outcome(written, rendering.translate("en")) == english
    plain = outcomes.outcome(written, rendering.translate("fr")).replace("\N{NO-BREAK SPACE}", "~")
    assert plain == french


@pytest.mark.parametrize("written", ["", "503", "Zut alors", "given up", "100 % : %(why)s %s"])
def test_words_that_are_not_ours_stay(written: str) -> None:
    assert outcomes.outcome(written, rendering.translate("fr")) == written


@pytest.mark.parametrize(
    "reason", ["Connection refused", "Connection timed out", "Network is unreachable", "No route to host"]
)
def test_what_the_system_says_is_said_in_french(reason: str) -> None:
    assert outcomes.outcome(reason.lower(), rendering.translate("fr")) != reason.lower()


def texts(module: str, raised: tuple[str, ...], returned: tuple[str, ...] = ()) -> Iterator[str]:
    """The texts in a module's calls of `raised`, and in what its functions `returned` return, as patterns."""
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in raised:
                yield from filter(None, map(pattern, node.args))
        elif isinstance(node, ast.AsyncFunctionDef) and node.name in returned:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    yield from filter(None, [pattern(inner.value)])


def pattern(node: ast.AST) -> str:
    """A text of the source as a regular expression, its holes open; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*" for part in node.values
    )


SOURCES = [
    ("host/http.py", ("TargetFailed", "TargetRefused", "OSError", "ValueError"), ()),
    ("host/addresses.py", ("TargetRefused", "ValueError"), ()),
    ("host/urls.py", ("TargetRefused", "ValueError"), ()),
    ("host/connections.py", ("BrokenOffError",), ()),
    ("host/mail.py", ("MailFailed", "MailRefused"), ()),
    ("protocols/smpp/bind.py", ("_broken",), ()),
    ("bus/queue.py", ("_write", "_again"), ()),
    ("services/subscriptions.py", ("CarrierError",), ("deliver", "_request")),
]


@pytest.mark.parametrize(("module", "raised", "returned"), SOURCES)
def test_every_text_of_the_source_is_tried_above(
    module: str, raised: tuple[str, ...], returned: tuple[str, ...]
) -> None:
    found = set(texts(module, raised, returned)) - {".*"}
    assert found
    untried = {one for one in found if not any(re.search(one, written) for written, _, _ in SAID)}
    assert untried == set()
