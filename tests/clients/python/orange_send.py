"""Sends one text through Orange's XML over HTTP with what Python brings along.

python orange_send.py BASE KEY TO TEXT [CHARSET] prints code, message and call id, one a line.
"""

import sys
from urllib.parse import urlencode
from urllib.request import urlopen
from xml.etree import ElementTree


def main(base: str, key: str, to: str, text: str, charset: str = "utf-8") -> None:
    query = urlencode({"id": key, "to": to, "content": text}, encoding=charset)
    with urlopen(f"{base}/sms/sendSMS.xml?{query}") as answer:
        response = ElementTree.parse(answer).getroot()  # noqa: S314  plays an old program
    for path in ("status/status_code", "status/status_msg", "call_info/call_id"):
        print(response.findtext(path, ""))


main(*sys.argv[1:])
