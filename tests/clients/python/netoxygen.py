"""Sends one text to several mobiles over NetOxygen's XML-RPC and asks what became of it.

python netoxygen.py BASE USER PASSWORD TEXT TO... prints JSON: what was sent, then the statuses.
"""

import json
import sys
from typing import Any
from xmlrpc.client import ServerProxy


def main(base: str, user: str, password: str, text: str, *mobiles: str) -> None:
    with ServerProxy(f"{base}/api2/") as gateway:
        sent: Any = gateway.send_message(user, password, list(mobiles), text)
        print(json.dumps(sent))
        print(json.dumps(gateway.get_status(user, password, [item[2] for item in sent])))
        print(json.dumps(gateway.get_guid(user, password)))


main(*sys.argv[1:])
