"""The main job on real MNIST, for two epochs; the whole run is a benchmark."""

from pathlib import Path

import pytest

from freezepack.train import RunConfig, run


@pytest.mark.slow
def test_lenet5_learns_mnist_with_half_a_percent_of_its_weights(
    tmp_path: Path, mnist_folder: Path
) -> None:
    config = RunConfig(freezing_rate="0.995", seed=1, epochs=2)
    result = run(config, out=tmp_path, data_dir=mnist_folder)
    assert (result.weights, result.trained_weights, result.trained_others) == (430_500, 2152, 580)
    assert result.test_accuracy > 0.95
