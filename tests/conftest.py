"""Fixtures that every test may ask for."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import Cluster, running_cluster

# No example is refused for being slow: no test of ours says anything about duration.
settings.register_profile("chappe", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("chappe")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    name = postgres_cluster.create()
    yield postgres_cluster.url(name)
    postgres_cluster.drop(name)
