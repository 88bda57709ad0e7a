"""Safe reading of XML (no entities, no fetching, under limits) and plain writing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from chappe.protocols.errors import ProtocolError

MOST_BYTES = 1024 * 1024
MOST_DEPTH = 64
MOST_MARKUP = 100_000  # opening angle brackets: tags, comments, instructions

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'

_TOO_DEEP = etree.XPath(f"boolean({'/*' * (MOST_DEPTH + 1)})")
_LABEL = re.compile(rb"""<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([^"']{1,40})["']""")
_LABELS = {
    "": "",
    "utf-8": "",
    "utf8": "",
    "us-ascii": "",
    "ascii": "",
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
    "iso-8859-15": "iso-8859-15",
}
# Windows-1252 is ISO-8859-1 but for these bytes. Python's codec refuses the five that Windows left open;
# as control characters, which they stay here, `repair` can still use them.
_WINDOWS = {
    byte: ord(bytes([byte]).decode("cp1252"))
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_WINDOWS_BACK = {character: byte for byte, character in _WINDOWS.items()}
_XML_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>")
# Atomic groups: without them a long row of comments is tried in every possible division.
_DOCTYPE_IN_PROLOG = re.compile(r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL | re.IGNORECASE)
_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
_CDATA = re.compile(r"(<!\[CDATA\[.*?\]\]>)", re.DOTALL)
_STRAY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)|<(?![A-Za-z_/!?])")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2 Char


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read.

    `label` is its declared charset in lower case, empty for none. `utf8_seen` says that its bytes hold
    characters beyond ASCII in good UTF-8; without it they can only have come as references or in an
    eight-bit set.
    """

    root: etree._Element
    label: str
    utf8_seen: bool


def read(data: bytes, most_bytes: int = MOST_BYTES) -> Document:
    """Read a whole document. Raises ProtocolError for anything but well-formed XML within the limits.

    A document type is refused whatever it says: entities, and whatever would have to be fetched, live
    there and nowhere else. Depth and amount of markup are limited (`MOST_DEPTH`, `MOST_MARKUP`).
    """
    if len(data) > most_bytes:
        raise ProtocolError(f"the XML document has {len(data)} bytes: at most {most_bytes} are read")
    label, text, utf8_seen = decode(data)
    return Document(_tree(text), label, utf8_seen)


def read_text(text: str) -> etree._Element:
    """The root of a document that is text already. Raises ProtocolError as `read` does."""
    _check_size(text)
    return _tree(text)


def recover(text: str) -> etree._Element:
    """The root of a document that need not be well-formed, for programs that paste their XML together.

    A `&` or `<` that begins no markup counts as text; the rest is libxml2's recovery, under the same limits.
    Raises ProtocolError for a document type wherever it stands, beyond a limit, and for no element at all.
    """
    _check_size(text)
    if _DECLARES.search(text):
        raise ProtocolError("the XML document has a document type (DOCTYPE): leave it out")
    pieces = _CDATA.split(text)
    pieces[::2] = [_STRAY.sub(lambda found: escape(found[0]), piece) for piece in pieces[::2]]
    return _tree("".join(pieces), recover=True)


def texts(root: etree._Element) -> Iterator[tuple[str, str]]:
    """The local name and the text of every element, in document order."""
    for element in root.iter("*"):
        yield str(element.tag).rpartition("}")[2], "".join(map(str, element.itertext("*")))


def decode(data: bytes) -> tuple[str, str, bool]:
    """The declared charset, the text, and whether good UTF-8 beyond ASCII was seen in the bytes.

    Labels lie (dialects.md, section 6, point 4): UTF-8 is tried first whatever the label says, then the
    eight-bit set of the label, then what such bytes can mean (see `eight_bit`). Raises ProtocolError for
    charsets that hide markup from a reader of bytes (UTF-16, UTF-7 ...) and for unknown ones.
    """
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if data[:2] in (b"\xfe\xff", b"\xff\xfe") or b"\0" in data[:4]:
        raise ProtocolError("the XML document is in UTF-16 or UTF-32: write it in UTF-8")
    found = _LABEL.match(data)
    label = found[1].decode("latin-1").lower().replace("_", "-") if found else ""
    if label not in _LABELS:
        raise ProtocolError(f"the XML document declares the charset {label!r}: write it in UTF-8")
    try:
        return label, data.decode("utf-8"), not data.isascii()
    except UnicodeDecodeError:
        return label, eight_bit(data, _LABELS[label]), False


def eight_bit(data: bytes, charset: str = "") -> str:
    """Bytes in `windows-1252` (which holds ISO-8859-1) or `iso-8859-15` as text; never fails.

    Without a charset: Windows-1252 where a byte of 80 to 9F is present (a control character in the ISO
    sets, a quotation mark there), else ISO-8859-15, whose euro sign old French programs send.
    """
    if charset == "iso-8859-15" or not (charset or re.search(rb"[\x80-\x9f]", data)):
        return data.decode("iso-8859-15")
    return data.decode("latin-1").translate(_WINDOWS)


def windows_signs(text: str) -> str:
    """A text whose control characters of 80 to 9F are the signs that Windows-1252 has in their place."""
    return text.translate(_WINDOWS)


def repair(text: str) -> str:
    """Undo one wrong turn: UTF-8 bytes that somebody took for ISO-8859-1 or Windows-1252 characters.

    Such text has only characters of these sets, and read as bytes it is good UTF-8 again; other text comes
    back unchanged.
    """
    if text.isascii():
        return text
    try:
        return text.translate(_WINDOWS_BACK).encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def escape(text: str) -> str:
    """Text as the content of an element (not of an attribute).

    Characters that XML 1.0 cannot carry become U+FFFD; a carriage return becomes a reference, because a
    parser would turn it into a line feed.
    """
    if text.isprintable() and not ("&" in text or "<" in text or ">" in text):
        return text  # as nearly all; what XML cannot carry is not printable
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return _ILLEGAL.sub("�", text)


def element(name: str, *children: str) -> str:
    """An element around markup: what `element` and `escape` returned, never raw text."""
    return f"<{name}>{''.join(children)}</{name}>"


def document(root: str) -> bytes:
    """A whole document in UTF-8 with its XML declaration, around the markup of its root element."""
    return (DECLARATION + root).encode("utf-8")


def _check_size(text: str) -> None:
    if len(text) > MOST_BYTES:
        raise ProtocolError(f"the XML document has {len(text)} characters: at most {MOST_BYTES} are read")


def _tree(text: str, recover: bool = False) -> etree._Element:
    # The declaration has served, and libxml2 must not believe it: it gets UTF-8 and is told so.
    if declaration := _XML_DECLARATION.match(text):
        text = text[declaration.end() :]
    if _DOCTYPE_IN_PROLOG.match(text):
        raise ProtocolError("the XML document has a document type (DOCTYPE): leave it out")
    if text.count("<") > MOST_MARKUP:
        raise ProtocolError(f"the XML document has more than {MOST_MARKUP} tags and comments")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,  # libxml2's own limits stop what is nested without end
        recover=recover,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise ProtocolError(f"not well-formed XML: {' '.join(str(error.msg).split())}") from error
    if root is None:  # what a recovering parser makes of nothing
        raise ProtocolError("the XML document has no element")
    if _TOO_DEEP(root):
        raise ProtocolError(f"the XML document is nested to a depth of more than {MOST_DEPTH}")
    return root
