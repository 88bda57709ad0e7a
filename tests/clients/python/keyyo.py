"""Keyyo's sendsms.html with urllib and HTTP Digest.

python keyyo.py BASE LINE PASSWORD TO TEXT      prints the answer
"""

import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPDigestAuthHandler, HTTPPasswordMgr, build_opener

base, line, password, to, text = sys.argv[1:]
passwords = HTTPPasswordMgr()
passwords.add_password("keyyo", base, line, password)
address = f"{base}/sendsms.html?{urlencode({'ACCOUNT': line, 'CALLEE': to, 'MSG': text})}"
try:
    with build_opener(HTTPDigestAuthHandler(passwords)).open(address) as answer:
        print(answer.read().decode(), end="")
except HTTPError as error:
    print(error)
