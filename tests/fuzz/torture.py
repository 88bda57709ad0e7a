"""RFC 4475's torture messages, each with what it tortures by, written as short inputs of our own."""

from tests.carriers.sip.outside import SESSION

_HEADERS = {
    "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKt",
    "From": "<sip:caller@example.net>;tag=them",
    "To": "<sip:user@example.com>",
    "Call-ID": "torture@example.net",
    "CSeq": "8 INVITE",
    "Contact": "<sip:caller@192.0.2.1>",
    "Max-Forwards": "70",
    "Content-Type": "application/sdp",
}


def _message(
    start: str = "INVITE sip:33123456789@example.com SIP/2.0",
    body: bytes = SESSION,
    length: str | None = None,
    end: str = "\r\n",
    more: str = "",
    **headers: str | None,
) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    all_headers = {**_HEADERS, **named, "Content-Length": length or str(len(body))}
    lines = [start, *(f"{name}: {value}" for name, value in all_headers.items() if value is not None)]
    return (end.join(lines) + end + more + end).encode("latin-1") + body


def _register(**headers: str | None) -> bytes:
    start = "REGISTER sip:example.com SIP/2.0"
    return _message(start, b"", CSeq="1 REGISTER", Content_Type=None, **headers)


FIT = {
    "3.1.1.1 wsinv": _message(
        more=(
            "TO :\r\n sip:x@example.com ;   q=1\r\n".replace("TO :", "X-To :")
            + "Subject:\r\ns: second\r\nNewFangledHeader: a\r\n b;;,,;;,;\r\nUnknown:\t weird\x0bvalues\r\n"
            + "v: SIP / 2.0 / TCP 192.0.2.9 ;branch= z9hG4bK9ikj8,\r\n SIP/ 2.0/UDP 192.168.255.111\r\n"
        )
    ),
    "3.1.1.2 intmeth": _message(
        To='"BEL:\\\x07 NUL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>'
    ),
    "3.1.1.3 esc01": _message("INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0"),
    "3.1.1.4 escnull": _register(To="sip:null-%00-null@example.com", Contact="<sip:%00@host5.example.com>"),
    "3.1.1.6 lwsdisp": _message(From="caller<sip:caller@example.com>;tag=323"),
    "3.1.1.7 longreq": _message(
        To=f'"{"I have a user name of extreme proportion " * 40}" <sip:user@example.com>'
    ),
    "3.1.1.9 semiuri": _message("INVITE sip:user;par=u%40example.net@example.com SIP/2.0"),
    "3.1.1.10 transports": _message(
        Via="SIP/2.0/UDP a.example;branch=z9hG4bKkdjuw, SIP/2.0/SCTP b.example;branch=z9hG4bKklasjdhf"
    ),
    "3.1.1.11 mpart01": _message(
        body=b"--x\r\n\0\xff\r\n--x--\r\n", Content_Type="multipart/mixed;boundary=x"
    ),
    "3.1.1.12 unreason": _message("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe", b""),
    "3.1.1.13 noreason": _message("SIP/2.0 100 ", b""),
    "3.1.2.4 scalarlg": _message(Max_Forwards="300", more="Expires: 10000000000000000000\r\n"),
    "3.1.2.6 quotbal": _message(To='"Mr. J. User <sip:j.user@example.com>'),
    "3.1.2.7 ltgtruri": _message("INVITE <sip:user@example.com> SIP/2.0"),
    "3.1.2.10 trws": _message("INVITE sip:user@example.com SIP/2.0  "),
    "3.1.2.11 escruri": _message("INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0"),
    "3.1.2.12 baddate": _message(more="Date: Fri, 01 Jan 2010 16:00:00 EST\r\n"),
    "3.1.2.13 regbadct": _register(Contact="sip:user@example.com?Route=%3Csip:sip.example.com%3E"),
    "3.1.2.14 badaspec": _message(To='"Watson, Thomas" < sip:t.watson@example.org >'),
    "3.1.2.15 baddn": _message(From="Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
    "3.3.2 unkscm": _message("INVITE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"),
    "3.3.3 novelsc": _message("INVITE soap.beep://192.0.2.103:3002 SIP/2.0"),
    "3.3.5 bext01": _message(more="Require: nothingSupportsThis, nothingSupportsThisEither\r\n"),
    "3.3.6 invut": _message(body=b"<audio>\r\n</audio>", Content_Type="application/unknownformat"),
    "3.3.7 regaut01": _register(Authorization="NoOneKnowsThisScheme opaque-data=here"),
    "3.3.12 zeromf": _message(Max_Forwards="0"),
    "3.3.13 cparam01": _register(Contact="sip:+19725552222@gw1.example.net;unknownparam"),
    "3.3.15 regescrt": _register(Contact="<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"),
    "3.3.16 sdp01": _message(more="Accept: text/nobodyKnowsThis\r\n"),
}
"""What is read, whatever becomes of it."""

UNFIT = {
    "3.1.2.1 badinv01": _message(
        Via="SIP/2.0/UDP 192.0.2.15;;,;,,", Contact='"Joe" <sip:joe@example.org>;;;;'
    ),
    "3.1.2.2 clerr": _message(length="9999"),
    "3.1.2.3 ncl": _message(length="-999"),
    "3.1.2.4 scalar02": _message(CSeq="36893488147419103232 INVITE"),
    "3.1.2.5 scalarlg of an answer": _message("SIP/2.0 200 OK", b"", CSeq="9292394834772304023312 OPTIONS"),
    "3.1.2.8 lwsruri": _message("INVITE sip:user@example.com; lr SIP/2.0"),
    "3.1.2.9 lwsstart": _message("INVITE  sip:user@example.com  SIP/2.0 extra"),
    "3.1.2.16 badvers": _message("OPTIONS sip:t.watson@example.org SIP/7.0", CSeq="1 OPTIONS"),
    "3.1.2.17 mismatch01": _message(CSeq="8 OPTIONS"),
    "3.1.2.18 mismatch02": _message("NEWMETHOD sip:user@example.com SIP/2.0"),
    "3.1.2.19 bigcode": _message("SIP/2.0 4294967301 better not break the receiver", b""),
    "3.2.1 badbranch": _message(Via="SIP/2.0/UDP 192.0.2.1;branch="),
    "3.3.1 insuf": _message(Call_ID=None, From=None, To=None),
    "3.3.8 multi01": _message(
        more="CSeq: 3 INVITE\r\nFrom: <sip:other@example.net>;tag=x\r\nCall-ID: two\r\n"
    ),
    "3.3.9 mcl01": _message(more="Content-Length: 5\r\n"),
    "3.4.1 inv2543": _message(Via="SIP/2.0/UDP iftgw.example.com"),
}
"""What is no message that may be answered."""
