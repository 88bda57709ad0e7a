"""Why a request to somebody's server was not made, or got no answer."""

from chappe.model.errors import CarrierError, CarrierErrorKind, Fault, Refusal


class TargetRefused(Refusal):
    """We do not send this request, now or later: the URL is malformed or leads to a forbidden address."""

    def __init__(self, detail: str) -> None:
        super().__init__(Fault.DESTINATION_FORBIDDEN, detail, "url")


class TargetFailed(CarrierError):
    """The request did not get an answer this time: name, connection, TLS, HTTP or time; worth another try.

    `detail` is a sentence for the owner of the URL; `code` holds the same for whoever logs carriers' errors.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(CarrierErrorKind.TEMPORARY, Fault.CARRIER_UNAVAILABLE, detail)
        self.detail = detail
