"""Fixtures that several batteries share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", params=["native", "numpy"])
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run everything with the kernel, if there is one, and with the reference."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setenv("FREEZEPACK_NATIVE", "0")
        yield request.param
