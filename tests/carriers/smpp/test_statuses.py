"""Every status has a meaning."""

import pytest

from chappe.carriers.smpp.statuses import MEANINGS, meaning
from chappe.model.errors import CarrierErrorKind, Fault
from chappe.protocols.smpp.codes import Status


def test_the_table_is_whole() -> None:
    assert set(MEANINGS) == set(Status)


@pytest.mark.parametrize("status", [one for one in Status if one])
def test_what_may_pass_is_unavailable_and_nothing_else_is(status: Status) -> None:
    kind, fault = meaning(status)
    assert (fault is Fault.CARRIER_UNAVAILABLE) is (kind is not CarrierErrorKind.PERMANENT)


def test_a_networks_own_status_is_its_last_word() -> None:
    assert meaning(0x411) == (CarrierErrorKind.PERMANENT, Fault.CARRIER_REJECTED)
