"""The one exception of wire formats: bytes that are not the protocol."""


class ProtocolError(Exception):
    """Bytes that are not the protocol.

    `where` says in words what was being read and what was found instead, for the log and, where the
    dialect can carry it, for the client.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where
