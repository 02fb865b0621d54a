"""Where the tests of this folder run: on a CUDA device, or not at all."""

from pathlib import Path

import pytest
import torch

from freezepack.rebuild.torch_devices import DEVICE_BACKENDS
from freezepack.rebuild.torch_devices.backend import DeviceBackend
from tests.contract.device_battery import Place

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and skip it without a device."""
    skip = pytest.mark.skip(reason="torch finds no CUDA device")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gpu)
            if not torch.cuda.is_available():
                item.add_marker(skip)


@pytest.fixture(params=list(DEVICE_BACKENDS))
def place(request: pytest.FixtureRequest) -> Place:
    backend: DeviceBackend = DEVICE_BACKENDS.get_part(request.param)
    device = torch.device("cuda", torch.cuda.current_device())
    # A back end that cannot be used where there is a card is a failure, not a reason to skip.
    assert backend.problem(device) == ""
    return Place(backend, device)
