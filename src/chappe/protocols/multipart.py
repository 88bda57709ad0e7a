"""A multipart form taken apart: fields, and files (RFC 7578)."""

from collections.abc import Mapping

import multipart

from chappe.protocols.errors import ProtocolError
from chappe.protocols.http import Upload

MEDIA_TYPE = "multipart/form-data"
_MOST_PARTS = 100


def parts(content_type: str, body: bytes) -> tuple[tuple[tuple[bytes, bytes], ...], Mapping[str, Upload]]:
    """The fields in their order and the files by name, the first of each, of a body with that header. Raises
    ProtocolError."""
    fields: list[tuple[bytes, bytes]] = []
    uploads: dict[str, Upload] = {}
    try:
        _, options = multipart.parse_options_header(content_type)
        parser = multipart.PushMultipartParser(
            options.get("boundary", ""), max_segment_count=_MOST_PARTS, header_charset="latin-1"
        )
        segment, content = None, bytearray()
        with parser:
            for event in parser.parse(body):
                if isinstance(event, multipart.MultipartSegment):
                    segment, content = event, bytearray()
                elif event:
                    content += event
                elif segment is not None:
                    if segment.filename is None:
                        fields.append((segment.name.encode("latin-1"), bytes(content)))
                    else:
                        kind = segment.content_type or "application/octet-stream"
                        uploads.setdefault(segment.name, Upload(segment.filename, kind, bytes(content)))
    except (multipart.MultipartError, ValueError) as error:
        raise ProtocolError(f"the multipart body cannot be read: {error}") from error
    return tuple(fields), uploads
