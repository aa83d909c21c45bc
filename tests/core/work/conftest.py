from collections.abc import Iterator

import pytest

from core.work import here
from core.work.pool import Workers


@pytest.fixture(scope="package")
def workers() -> Iterator[Workers]:
    """Two places, for all tests of this folder."""
    workers = Workers(2)
    yield workers
    workers.shutdown(cancel_futures=True)


@pytest.fixture
def in_workers(workers: Workers) -> Iterator[Workers]:
    """What runs for long runs there."""
    here.use(workers)
    yield workers
    here.use(None)
