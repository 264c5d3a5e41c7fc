import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from srstudy.backend.checkpoints import Arrays, Checkpoints
from srstudy.backend.devices import device_words
from srstudy.mnist.warm_up import batch_of
from stages import mnist
from tests.imports import ROOT
from tests.test_digits import idx, write_digits


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 200 training digits and 50 to test, and 12 steps to take."""
    raw = tmp_path / "data/mnist/7"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 200), ("t10k", 50)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        write_digits(raw, f"{part}-images-idx3", idx(images))
        write_digits(raw, f"{part}-labels-idx1", idx(rng.integers(0, 10, count, np.uint8)))
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["mnist"] |= {"steps": 12, "batch_size": 30}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mnist", "--seed", "7"])
    return tmp_path


def _outputs(folder: Path) -> dict[str, bytes]:
    names = ("seed-7.json", "seed-7-curve.csv", "seed-7-confusion.csv")
    return {name: (folder / "metrics/mnist" / name).read_bytes() for name in names}


class _Killed(BaseException):
    """Simulates a kill: the project's code must not catch it."""


@pytest.mark.parametrize("last", [1, 5, 12])
def test_killed_warm_up_resumes_and_ends_with_the_same_bytes(
    study: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    mnist.main()
    expected = _outputs(study)
    steps: list[int] = []

    class Killer(Checkpoints):
        def due(self) -> bool:
            return True

        def save(self, step: int, arrays: Arrays) -> None:
            super().save(step, arrays)
            steps.append(step)
            if len(steps) == last:
                raise _Killed

    monkeypatch.setattr(mnist, "Checkpoints", Killer)
    for name in expected:
        (study / "metrics/mnist" / name).unlink()
    with pytest.raises(_Killed):
        mnist.main()
    mnist.main()
    assert steps == list(range(1, 13))  # none twice
    assert _outputs(study) == expected
    assert not list((study / ".dvc/tmp/checkpoints").iterdir())


def test_each_epoch_has_every_digit_once_in_a_new_order() -> None:
    epochs = [
        np.concatenate([batch_of(epoch * 4 + i, 20, 5, seed=1) for i in range(4)])
        for epoch in range(2)
    ]
    for epoch in epochs:
        assert sorted(epoch) == list(range(20))
    assert not np.array_equal(epochs[0], epochs[1])


def test_first_line_names_device_and_precision(study: Path, capsys: pytest.CaptureFixture) -> None:
    mnist.main()
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"train mnist: begins, 12 steps, on {device_words()} in ")
    assert first.endswith(("float32", "bfloat16"))
