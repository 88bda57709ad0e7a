"""The first view of a page is light, compressed as it travels."""

import pytest

from tests.browser.conftest import NAME, NETWORK, Desk, measured
from tests.browser.network import Watched
from tests.browser.sample import Sample

MOST = 60_000
"""Bytes, heads included; our choice, for a telephone on a slow network."""


@pytest.mark.parametrize("path", ["/", "/telephones", "/messages", "/network"])
def test_the_first_view_takes_at_most_sixty_kilobytes(
    desk: Desk, sample: Sample, watched: Watched, path: str
) -> None:
    place, session = (NETWORK, watched.session) if path == "/network" else (NAME, sample.session)
    person = desk(url=f"http://{place}", storage_state=None if path == "/" else session)
    taken: list[float] = []
    wire = person.page.context.new_cdp_session(person.page)
    wire.on("Network.loadingFinished", lambda event: taken.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    person.page.goto(f"{person.url}{path}", wait_until="load")
    person.page.wait_for_function("document.documentElement.classList.contains('live')")
    measured.append(f"first view of {path}: {sum(taken) / 1000:.1f} kB in {len(taken)} answers")
    assert 5_000 < sum(taken) <= MOST
