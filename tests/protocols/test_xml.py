"""Reading XML: what is refused, what it may cost, how its bytes become text; and writing it."""

import re
import tempfile
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from chappe.protocols import xml
from chappe.protocols.errors import ProtocolError

SECRET = "the-content-of-a-secret-file"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.fixture(scope="module")
def secret_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "secret.dtd"
        path.write_text(SECRET)
        yield path.as_uri()


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[str, list[str]]]:
    """A web server's address, and the paths that anybody asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'<!ENTITY all "fetched">')

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


# FILE and HTTP stand for the address of a file with a secret and of a server that counts.
WITH_DOCUMENT_TYPE = {
    "file": '<!DOCTYPE a [<!ENTITY x SYSTEM "FILE">]><a>&x;</a>',
    "file of the system": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
    "file in an attribute": '<!DOCTYPE a [<!ENTITY x SYSTEM "FILE">]><a b="&x;"/>',
    "http": '<!DOCTYPE a [<!ENTITY x SYSTEM "HTTP/entity">]><a>&x;</a>',
    "public": '<!DOCTYPE a [<!ENTITY x PUBLIC "-//X" "HTTP/public">]><a>&x;</a>',
    "parameter entity": '<!DOCTYPE a [<!ENTITY % x SYSTEM "HTTP/parameter"> %x;]><a>&all;</a>',
    "parameter entity of a file": '<!DOCTYPE a [<!ENTITY % x SYSTEM "FILE"> %x;]><a/>',
    "exfiltration": (
        '<!DOCTYPE a [<!ENTITY % f SYSTEM "FILE"><!ENTITY % d SYSTEM "HTTP/evil.dtd"> %d; %f;]><a>&all;</a>'
    ),
    "nested parameter entities": "<!DOCTYPE a [<!ENTITY % a \"<!ENTITY b SYSTEM 'FILE'>\"> %a;]><a>&b;</a>",
    "billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>',
    "billion laughs in an attribute": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a b="&l9;"/>',
    "quadratic blow-up": f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]><a>{"&x;" * 50_000}</a>',
    "an entity of itself": '<!DOCTYPE a [<!ENTITY x "&x;">]><a>&x;</a>',
    "harmless entity": '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    "unparsed entity": '<!DOCTYPE a [<!NOTATION n SYSTEM "HTTP/n"><!ENTITY x SYSTEM "HTTP/x" NDATA n>]><a/>',
    "external DTD": '<!DOCTYPE a SYSTEM "HTTP/a.dtd"><a/>',
    "external DTD in a file": '<!DOCTYPE a SYSTEM "FILE"><a/>',
    "public external DTD": '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "HTTP/xhtml.dtd"><html/>',
    "default attributes": '<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>',
    "empty internal subset": "<!DOCTYPE a []><a/>",
    "bare": "<!DOCTYPE a><a/>",
    "after a declaration": '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "FILE">]><a>&x;</a>',
    "after a comment": '<!-- > --><!DOCTYPE a [<!ENTITY x SYSTEM "FILE">]><a>&x;</a>',
    "after an instruction": '<?go <!-- ?><!DOCTYPE a [<!ENTITY x SYSTEM "FILE">]><a>&x;</a>',
    "after many blanks": f'{" " * 9000}<!DOCTYPE a [<!ENTITY x SYSTEM "FILE">]><a>&x;</a>',
}


@pytest.mark.parametrize("document", WITH_DOCUMENT_TYPE.values(), ids=WITH_DOCUMENT_TYPE)
def test_a_document_type_is_refused_and_nothing_of_it_is_read(
    document: str, secret_file: str, listener: tuple[str, list[str]]
) -> None:
    address, asked = listener
    bomb = document.replace("FILE", secret_file).replace("HTTP", address).encode()

    with pytest.raises(ProtocolError, match="document type") as refused:
        xml.read(bomb)

    assert asked == []
    assert SECRET not in refused.value.where


def test_the_listener_would_have_noticed(listener: tuple[str, list[str]]) -> None:
    from urllib.request import urlopen

    address, asked = listener
    with urlopen(f"{address}/proof") as answer:
        assert answer.read()
    assert asked == ["/proof"]
    asked.clear()


FETCHING_WITHOUT_DOCUMENT_TYPE = {
    "XInclude": '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="FILE" parse="text"/></a>',
    "XInclude over HTTP": '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="HTTP/x"/></a>',
    "style sheet": '<?xml-stylesheet type="text/xsl" href="HTTP/x.xsl"?><a/>',
    "schema": '<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:noNamespaceSchemaLocation="HTTP/x"/>',
    "base": '<a xml:base="HTTP/"/>',
}


@pytest.mark.parametrize(
    "document", FETCHING_WITHOUT_DOCUMENT_TYPE.values(), ids=FETCHING_WITHOUT_DOCUMENT_TYPE
)
def test_what_looks_like_a_reference_is_read_as_it_stands(
    document: str, secret_file: str, listener: tuple[str, list[str]]
) -> None:
    address, asked = listener
    root = xml.read(document.replace("FILE", secret_file).replace("HTTP", address).encode()).root
    assert SECRET not in etree.tostring(root, encoding="unicode")
    assert asked == []


def test_the_words_of_a_document_type_are_data_where_they_are_data() -> None:
    inside = "<a><!-- <!DOCTYPE x> --><![CDATA[<!DOCTYPE a [<!ENTITY x 'y'>]>]]>&lt;!DOCTYPE b&gt;</a>"
    assert xml.read(inside.encode()).root.xpath("string()") == "<!DOCTYPE a [<!ENTITY x 'y'>]><!DOCTYPE b>"


BEYOND_LIMITS = {
    "size": (b"<a>" + b"x" * xml.MOST_BYTES + b"</a>", "bytes"),
    "depth": (b"<a>" * 65 + b"</a>" * 65, "depth"),
    "depth without end": (b"<a>" * 90_000, "depth"),
    "elements": (b"<a>" + b"<b/>" * 100_001 + b"</a>", "tags"),
    "comments": (b"<a>" + b"<!---->" * 100_001 + b"</a>", "tags"),
    "instructions": (b"<a>" + b"<?b?>" * 100_001 + b"</a>", "tags"),
}


@pytest.mark.parametrize(("document", "word"), BEYOND_LIMITS.values(), ids=BEYOND_LIMITS)
def test_limits_are_kept(document: bytes, word: str) -> None:
    with pytest.raises(ProtocolError, match=word):
        xml.read(document)


def test_what_stays_within_the_limits_is_read() -> None:
    assert len(xml.read(b"<a>" + b"<b/>" * 90_000 + b"</a>").root) == 90_000
    assert xml.read(b"<a>" * 64 + b"</a>" * 64).root.tag == "a"
    huge = b"x" * 1_000_000
    assert len(xml.read(b'<a b="' + huge + b'"/>').root.get("b", "")) == len(huge)
    assert len(xml.read(b"<a>" + huge + b"</a>").root.text or "") == len(huge)


def test_a_row_of_comments_before_the_root_is_read_once() -> None:
    assert xml.read(b"<!-- a -->" * 50_000 + b"<a/>").root.tag == "a"


def test_thousands_of_attributes_are_read() -> None:
    many = " ".join(f'a{n}="{n}"' for n in range(20_000))
    assert len(xml.read(f"<a {many}/>".encode()).root.attrib) == 20_000


def test_a_bomb_costs_no_memory() -> None:
    bomb = WITH_DOCUMENT_TYPE["billion laughs"].encode()
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        xml.read(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


MALFORMED = {
    "nothing": b"",
    "blanks": b"  \r\n",
    "no markup": b"hello",
    "form": b"user=a&pass=b",
    "JSON": b'{"a": 1}',
    "cut": b"<a><b>",
    "a row of declarations": b"<?xml " * 90_000,
    "a row of comments that do not end": b"<!-- " * 90_000,
    "a declaration that does not end": b"<?xml " + b" " * 1_000_000,
    "crossed": b"<a><b></a></b>",
    "two roots": b"<a/><b/>",
    "unknown entity": b"<a>&nbsp;</a>",
    "NUL": b"<a>\x00</a>",
    "reference to NUL": b"<a>&#0;</a>",
    "reference to a surrogate": b"<a>&#xD83D;</a>",
    "control character": b"<a>\x0b</a>",
    "attribute twice": b'<a b="" b=""/>',
    "bytes": bytes(range(256)),
    "lower-case document type": b'<!doctype a [<!ENTITY x "y">]><a>&x;</a>',
    "document type inside": b'<a><!DOCTYPE a [<!ENTITY x "y">]>&x;</a>',
    "document type after": b'<a/><!DOCTYPE a [<!ENTITY x "y">]>',
}


@pytest.mark.parametrize("document", MALFORMED.values(), ids=MALFORMED)
def test_what_is_not_well_formed_is_refused(document: bytes) -> None:
    with pytest.raises(ProtocolError):
        xml.read(document)


BOMB = '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'
HIDDEN = {
    "UTF-16 with mark": BOMB.encode("utf-16"),
    "UTF-16 little": BOMB.encode("utf-16-le"),
    "UTF-16 big": BOMB.encode("utf-16-be"),
    "UTF-32": BOMB.encode("utf-32"),
    "UTF-32 big": BOMB.encode("utf-32-be"),
    "UTF-7 declared": b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE a SYSTEM "x"+AD4APA-a/+AD4-',
    "UTF-7": b"+ADw-a+AD4-",
    "UTF-16 declared, in ASCII": b'<?xml version="1.0" encoding="utf-16"?><a/>',
    "EBCDIC": '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"),
    "EBCDIC declared, in ASCII": b'<?xml version="1.0" encoding="cp037"?><a/>',
    "unknown charset": b"<?xml version='1.0' encoding='x-none'?><a/>",
    "Python codec": b"<?xml version='1.0' encoding='unicode_escape'?><a/>",
    "zip bomb codec": b"<?xml version='1.0' encoding='zlib'?><a/>",
    "mark, then document type": b"\xef\xbb\xbf" + BOMB.encode(),
    "ISO-8859-1 declared": b'<?xml version="1.0" encoding="iso-8859-1"?>' + BOMB.encode(),
    "late declaration": b'<!-- --><?xml version="1.0" encoding="utf-16"?><a/>',
    "long label": b'<?xml version="1.0" encoding="' + b"x" * 40 + b'"?><a/>',
}


@pytest.mark.parametrize("document", HIDDEN.values(), ids=HIDDEN)
def test_no_charset_hides_anything(document: bytes) -> None:
    with pytest.raises(ProtocolError):
        xml.read(document)


TEXTS = {
    "UTF-8": ("<a>é€</a>".encode(), "é€"),
    "UTF-8 with mark": (b"\xef\xbb\xbf<a>\xc3\xa9</a>", "é"),
    "blank line before the declaration": (b'\r\n <?xml version="1.0"?><a>x</a>', "x"),
    "UTF-8 declared": ('<?xml version="1.0" encoding="UTF-8"?><a>é€😀</a>'.encode(), "é€😀"),
    "ISO-8859-1 declared": (b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", "é"),
    "ISO-8859-1 declared, quotes of Windows": (
        b"<?xml version='1.0' encoding='iso-8859-1'?><a>l\x92\x81</a>",
        "l’\x81",
    ),
    "Windows-1252 declared": (b"<?xml version='1.0' encoding='windows-1252'?><a>\x80 \xa4</a>", "€ ¤"),
    "ISO-8859-15 declared": (b"<?xml version='1.0' encoding='iso-8859-15'?><a>\xa4\xbd</a>", "€œ"),
    "ASCII declared, UTF-8 sent": (b"<?xml version='1.0' encoding='us-ascii'?><a>\xc3\xa9</a>", "é"),
    "ISO-8859-1 declared, UTF-8 sent": (b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xc3\xa9</a>", "é"),
    "UTF-8 declared, ISO-8859-15 sent": (b"<?xml version='1.0' encoding='utf-8'?><a>\xe9\xa4</a>", "é€"),
    "nothing declared, Windows-1252 sent": (b"<a>\x80\xe9\xa4</a>", "€é¤"),
    "references": (b"<a>&#233;&#x20AC;&amp;&lt;</a>", "é€&<"),
}


@pytest.mark.parametrize(("document", "text"), TEXTS.values(), ids=TEXTS)
def test_bytes_become_text_whatever_their_label(document: bytes, text: str) -> None:
    assert xml.read(document).root.text == text


REPAIRS = {
    "cafÃ©": "café",
    "â\x82¬": "€",
    "â‚¬": "€",
    "café": "café",
    "Ã": "Ã",
    "€ Ã©": "€ Ã©",
    "abc": "abc",
    "😀": "😀",
}


@pytest.mark.parametrize(("wrong", "right"), REPAIRS.items())
def test_text_encoded_twice_is_repaired(wrong: str, right: str) -> None:
    assert xml.repair(wrong) == right


@given(st.text(st.characters(codec="utf-8")))
def test_repair_undoes_one_wrong_turn(text: str) -> None:
    assert xml.repair(xml.eight_bit(text.encode(), "windows-1252")) == text


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for document in (data, b"<a>" + data + b"</a>"):
        try:
            assert xml.read(document).root is not None
        except ProtocolError as error:
            assert error.where


@given(st.text())
def test_what_is_escaped_is_read_again(text: str) -> None:
    read = xml.read(xml.document(xml.element("a", xml.escape(text)))).root.text or ""
    assert read == re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text)


def test_elements_are_written_as_they_stand() -> None:
    written = xml.document(xml.element("a", xml.element("b"), xml.element("c", xml.escape("<é> & \r\x00"))))
    assert written.decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n<a><b></b><c>&lt;é&gt; &amp; &#13;�</c></a>'
    )


RECOVERED = {
    "well-formed": ("<a><b>x</b></a>", [("a", "x"), ("b", "x")]),
    "another end tag": ("<a><b>x</c><d>y</d></a>", [("a", "xy"), ("b", "x"), ("d", "y")]),
    "no end": ("<a><b>x", [("a", "x"), ("b", "x")]),
    "stray signs": ("<a>1 < 2 & 3 &eacute; &amp; &#233;</a>", [("a", "1 < 2 & 3 &eacute; & é")]),
    "characters": ("<a><![CDATA[a & b < c]]>&</a>", [("a", "a & b < c&")]),
    "control characters": ("<a>x\x01y</a>", [("a", "xy")]),
    "namespace": ('<p:a xmlns:p="urn:x">x</p:a>', [("a", "x")]),
    "comment": ("<a>x<!-- y --><?z w?></b>", [("a", "x")]),
}


@pytest.mark.parametrize(("document", "texts"), RECOVERED.values(), ids=RECOVERED)
def test_what_is_not_well_formed_is_recovered(document: str, texts: list[tuple[str, str]]) -> None:
    assert list(xml.texts(xml.recover(document))) == texts


@pytest.mark.parametrize(
    "document", ["", "x", " ", BOMB, "x" + BOMB, f"<a>{BOMB}", "<a><!ENTITY b 'c'>", "<!-- -->" + BOMB]
)
def test_what_cannot_be_recovered_is_refused(document: str) -> None:
    with pytest.raises(ProtocolError):
        xml.recover(document)


@pytest.mark.parametrize("document", ["<a>" * 100, "<a/>" * 200_000, "<a>" + "x" * xml.MOST_BYTES])
def test_recovery_has_the_same_limits(document: str) -> None:
    with pytest.raises(ProtocolError):
        xml.recover(document)


@given(st.text(max_size=300))
def test_any_text_is_recovered_or_refused(text: str) -> None:
    for document in (text, f"<a>{text}"):
        try:
            assert list(xml.texts(xml.recover(document)))
        except ProtocolError as error:
            assert error.where
