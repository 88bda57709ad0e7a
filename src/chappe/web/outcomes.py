"""What services, carriers, queue and host write down in English, said in the reader's language."""

import re
from collections.abc import Callable

from chappe.model.errors import Fault
from chappe.web import words
from chappe.web.words import N_

# The words in which services, queue and host write down how a delivery went, and how pages say them. `why` is
# read in its turn; what has no line here is shown as it is.
_OUTCOME: tuple[tuple[str, str], ...] = (
    # services/subscriptions.py
    (r"answered (?P<status>\d+)", N_("answered %(status)s")),
    (
        r"answered 410 Gone; the subscription is disabled",
        N_("answered 410 Gone; the subscription is switched off"),
    ),
    (r"mailed to (?P<to>.+)", N_("mailed to %(to)s")),
    (
        r"dropped: the message or its target does not exist any more",
        N_("the message or its target does not exist any more"),
    ),
    (
        r"dropped: the call or its target does not exist any more",
        N_("the call or its target does not exist any more"),
    ),
    (
        r"dropped: the (?P<dialect>\S+) dialect has no word for (?P<event>\S+)",
        N_("%(dialect)s has no word for “%(event)s”"),
    ),
    # services/outbox.py
    (
        r"no message of (?P<carrier>\S+) has the id (?P<ids>.+)",
        N_("no message of %(carrier)s has the id %(ids)s"),
    ),
    # services/waiting.py, carriers/smpp: what is noted where a network's own word would stand
    (r"stopped by the operator", N_("stopped by whoever runs this platform")),
    (r"no bind is up", N_("no connection with the network is up")),
    (r"no answer in time", N_("no answer in time")),
    (r"we unbound", N_("we ended the connection")),
    (r"the network closed the connection", N_("the network closed the connection")),
    (r"the network refused the bind: (?P<why>\S+)", N_("the network refused the connection: %(why)s")),
    (r"the connection was lost: (?P<why>.*)", N_("the connection was lost: %(why)s")),
    (
        r"the line is dead: no answer to enquire_link within (?P<seconds>\S+) seconds",
        N_("the line is dead: no answer within %(seconds)s seconds"),
    ),
    (
        r"no bind within (?P<seconds>\S+) seconds",
        N_("the network did not answer our login within %(seconds)s seconds"),
    ),
    (
        r"no answer to unbind within (?P<seconds>\S+) seconds",
        N_("no answer to our good-bye within %(seconds)s seconds"),
    ),
    (r"the other side unbound", N_("the network ended the connection")),
    (r"unbound", N_("the connection was ended in order")),
    (
        r"garbage: a unit of (?P<octets>\d+) octets",
        N_("the network sent what is no SMPP: a unit of %(octets)s octets"),
    ),
    # SMPP 3.4, 5.1.3: what operators meet most
    (r"(?P<code>ESME_RTHROTTLED)", N_("too many messages at once (%(code)s)")),
    (r"(?P<code>ESME_RMSGQFUL)", N_("the network’s queue is full (%(code)s)")),
    (r"(?P<code>ESME_RSYSERR)", N_("the network has trouble of its own (%(code)s)")),
    (r"(?P<code>ESME_RX_T_APPN)", N_("the receiving side cannot at the moment (%(code)s)")),
    (r"(?P<code>ESME_RINVDSTADR)", N_("the network knows no such number (%(code)s)")),
    (r"(?P<code>ESME_RINVSRCADR)", N_("the network does not take this sender (%(code)s)")),
    (r"(?P<code>ESME_RINVPASWD)", N_("the network does not take our password (%(code)s)")),
    (r"(?P<code>ESME_RINVSYSID)", N_("the network does not know our system_id (%(code)s)")),
    (r"(?P<code>ESME_RALYBND)", N_("the network holds us for connected already (%(code)s)")),
    (r"(?P<code>ESME_RBINDFAIL)", N_("the network did not let us in (%(code)s)")),
    (r"no connection within (?P<seconds>\S+) seconds", N_("no connection within %(seconds)s seconds")),
    (
        r"the text needs (?P<parts>\d+) parts, (?P<most>\d+) can be joined",
        N_("the text needs %(parts)s parts, %(most)s can be joined"),
    ),
    # bus/queue.py; the state beside it says that it was given up
    (r"given up after (?P<tries>\d+) tries: (?P<why>.*)", N_("after %(tries)s tries: %(why)s")),
    (r"given up: (?P<why>.*)", "%(why)s"),
    (r"internal error, reference (?P<reference>\S+)", N_("internal error, reference %(reference)s")),
    (r"there is no job of the kind (?P<kind>.+)", N_("nothing here does work of the kind “%(kind)s”")),
    # host/http.py and what it is made of
    (r"No connection to (?P<target>\S+) in time", N_("no connection to %(target)s in time")),
    (r"No connection to (?P<target>\S+): (?P<why>.*)", N_("no connection to %(target)s: %(why)s")),
    (
        r"(?P<target>\S+) did not answer within (?P<seconds>\S+) s",
        N_("%(target)s did not answer within %(seconds)s s"),
    ),
    (
        r"The name of (?P<target>\S+) could not be resolved: (?P<why>.*)",
        N_("the name of %(target)s could not be resolved: %(why)s"),
    ),
    (
        r"(?P<target>\S+) has no valid certificate: (?P<why>.*)",
        N_("%(target)s has no valid certificate: %(why)s"),
    ),
    (
        r"No TLS connection with (?P<target>\S+): (?P<why>.*)",
        N_("no TLS connection with %(target)s: %(why)s"),
    ),
    (
        r"The request to (?P<target>\S+) cannot be sent: (?P<why>.*)",
        N_("the request to %(target)s cannot be sent: %(why)s"),
    ),
    (
        r"(?P<target>\S+) broke off the conversation: (?P<why>.*)",
        N_("%(target)s broke off the conversation: %(why)s"),
    ),
    (
        r"The URL (?P<url>.+) holds a control character or line break; remove it",
        N_("the URL %(url)s holds a control character or line break; remove it"),
    ),
    (
        r"The URL (?P<url>.+) does not begin with http:// or https://",
        N_("the URL %(url)s does not begin with http:// or https://"),
    ),
    (
        r"The URL (?P<url>.+) names port (?P<port>\d+); permitted are (?P<ports>[\d, ]+)",
        N_("the URL %(url)s names port %(port)s; permitted are %(ports)s"),
    ),
    (r"The URL (?P<url>.+?) is malformed: (?P<why>.*)", N_("the URL %(url)s is malformed: %(why)s")),
    (
        r"(?P<address>\S+), the address of (?P<host>\S+), is not a public address\. If .+ "
        r"(?P<line>allow = .+)",
        N_(
            "%(address)s, the address of %(host)s, is not a public address. If it may be called, add its "
            "network to the setting [outgoing] allow, for example %(line)s"
        ),
    ),
    (
        r"(?P<address>\S+) is not a public address\. If .+ (?P<line>allow = .+)",
        N_(
            "%(address)s is not a public address. If it may be called, add its network to the setting "
            "[outgoing] allow, for example %(line)s"
        ),
    ),
    (r"(?P<host>.+) is not a host name", N_("%(host)s is not a host name")),
    (r"(?P<host>\S+) is neither an address nor a name", N_("%(host)s is neither an address nor a name")),
    (r"(?P<port>.+) is not a port", N_("%(port)s is not a port")),
    (r"a backslash cannot stand before the path", N_("a backslash cannot stand before the path")),
    (r"a part of (?P<host>\S+) is too large", N_("a part of %(host)s is too large")),
    (r"an IPv6 zone is not possible in a URL of a customer", N_("an IPv6 zone is not possible here")),
    (r"(?P<host>\S+) has no address", N_("%(host)s has no address")),
    (
        r"its method or a header is not permitted in HTTP",
        N_("its method or a header is not permitted in HTTP"),
    ),
    (r"it hung up without an answer", N_("it hung up without an answer")),
    (r"it hung up in the middle of its answer", N_("it hung up in the middle of its answer")),
    (r"its answer is not HTTP", N_("its answer is not HTTP")),
    (r"the head of its answer is too large", N_("the head of its answer is too large")),
    # host/mail.py
    (r"The mail to (?P<to>.+) cannot be sent: (?P<why>.*)", N_("the mail to %(to)s cannot be sent: %(why)s")),
    (r"(?P<to>\S+) is not a mail address", N_("%(to)s is not a mail address")),
    (
        r"the mail server (?P<server>\S+) refused our user name or password: (?P<why>.*)",
        N_("the mail server %(server)s refused our user name or password: %(why)s"),
    ),
    (
        r"the mail server (?P<server>\S+) answered (?P<code>\d+) (?P<why>.*)",
        N_("the mail server %(server)s answered %(code)s %(why)s"),
    ),
    (
        r"No mail could be handed to the mail server (?P<server>\S+): (?P<why>.*)",
        N_("no mail could be handed to the mail server %(server)s: %(why)s"),
    ),
    (
        r"The mail could not be written to (?P<file>.+): (?P<why>[^:]*)",
        N_("the mail could not be written to %(file)s: %(why)s"),
    ),
    # the system, and Python's way of writing what it says
    (r"\[Errno -?\d+\] (?P<why>.*)", "%(why)s"),
    (r"connection refused", N_("connection refused")),
    (r"connection reset by peer", N_("connection reset by peer")),
    (r"connection timed out", N_("connection timed out")),
    (r"no route to host", N_("no route to host")),
    (r"network is unreachable", N_("network is unreachable")),
    (r"name or service not known", N_("name not known")),
    (r"no address associated with hostname", N_("the name has no address")),
    (r"temporary failure in name resolution", N_("no answer about the name at the moment")),
    (r"no space left on device", N_("the disk is full")),
    (r"permission denied", N_("permission denied")),
    (r"connect call failed (?P<target>\(.+\))", N_("no connection to %(target)s")),
    (r"(?P<target>\S+:\d+): (?P<why>.*)", "%(target)s: %(why)s"),
)
_READ_OUTCOME = tuple((re.compile(shape, re.DOTALL | re.IGNORECASE), text) for shape, text in _OUTCOME)


def outcome(written: str, say: Callable[[str], str]) -> str:
    """How a delivery went, in the reader's language; `say` translates a marked text."""
    if written in words.FAULT:
        return say(words.FAULT[Fault(written)])
    for shape, text in _READ_OUTCOME:
        found = shape.fullmatch(written)
        if found is not None:
            return say(text) % {name: _part(name, value, say) for name, value in found.groupdict().items()}
    return written


def _part(name: str, value: str, say: Callable[[str], str]) -> str:
    match name:
        case "why":
            return outcome(value, say)
        case "dialect":
            return say(words.DIALECT.get(value, value))
        case "event":
            return say(words.EVENT.get(value, value))
        case _:
            return value
