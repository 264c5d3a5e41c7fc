from pathlib import Path

import numpy as np
import pytest

from stages.core.batches import Batches
from stages.core.orientations import turned
from stages.core.patches import PatchFile, PatchWriter

COUNT = 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ten patches: LR holds 4 random corners and its number, HR is LR with every pixel doubled."""
    path = tmp_path / "x2.h5"
    lr = np.random.default_rng(0).integers(100, 256, size=(COUNT, 3, 3), dtype=np.uint8)
    lr[:, 1, 1] = np.arange(COUNT)  # the middle stays where it is, however a patch is turned
    with PatchWriter(path, 6, 2) as writer:
        writer.add_patches(lr, lr.repeat(2, axis=1).repeat(2, axis=2))
        writer.add_validation("held out", lr[0], lr[0].repeat(2, axis=0).repeat(2, axis=1))
        writer.describe([], {"scale": 2, "degradation": "matlab"})
    return path


def _numbers(batches: Batches, steps: range) -> list[int]:
    return [int(n) for step in steps for n in batches.at(step)[0][:, 1, 1, 0]]


@pytest.mark.parametrize("augment", [False, True])
def test_an_epoch_has_every_patch_exactly_once(path: Path, augment: bool) -> None:
    with PatchFile(path, 2) as patches:
        batches = Batches(patches, batch_size=5, seed=1, augment=augment)
        assert batches.steps_per_epoch == 2
        first, second = _numbers(batches, range(2)), _numbers(batches, range(2, 4))
    assert sorted(first) == sorted(second) == list(range(COUNT))
    assert set(first[:5]) != set(second[:5])  # in another order


def test_rest_below_a_batch_waits_for_another_epoch(path: Path) -> None:
    with PatchFile(path, 2) as patches:
        batches = Batches(patches, batch_size=4, seed=1, augment=False)
        assert batches.steps_per_epoch == 2
        epochs = [_numbers(batches, range(2 * e, 2 * e + 2)) for e in range(20)]
    assert all(len(set(epoch)) == 8 for epoch in epochs)
    assert set().union(*epochs) == set(range(COUNT))


def test_batch_is_never_larger_than_the_number_of_patches(path: Path) -> None:
    with PatchFile(path, 2) as patches:
        batches = Batches(patches, batch_size=64, seed=1, augment=False)
        assert (batches.batch_size, batches.steps_per_epoch) == (COUNT, 1)
        lr, hr = batches.at(3)
    assert lr.shape == (COUNT, 3, 3, 1) and hr.shape == (COUNT, 6, 6, 1)
    assert lr.dtype == hr.dtype == np.uint8


def test_lr_and_hr_are_turned_alike(path: Path) -> None:
    with PatchFile(path, 2) as patches:
        original = patches.patches(np.arange(COUNT))[0]
        batches = Batches(patches, batch_size=COUNT, seed=1, augment=True)
        seen = set()
        for step in range(8):
            lr, hr = batches.at(step)
            np.testing.assert_array_equal(hr, lr.repeat(2, axis=1).repeat(2, axis=2))
            for patch in lr[..., 0]:
                source = original[patch[1, 1]]
                seen |= {o for o in range(8) if np.array_equal(turned(source, o), patch)}
    assert seen == set(range(8))


def test_without_augmentation_nothing_is_turned(path: Path) -> None:
    with PatchFile(path, 2) as patches:
        original, _ = patches.patches(np.arange(COUNT))
        lr, _ = Batches(patches, COUNT, seed=1, augment=False).at(0)
    np.testing.assert_array_equal(lr[..., 0], original)


def test_batch_of_a_step_is_independent_of_what_was_read_before(path: Path) -> None:
    with PatchFile(path, 2) as patches:
        used = Batches(patches, 4, seed=1, augment=True)
        for step in (7, 0, 3):
            used.at(step)
        for fresh, again in zip(
            Batches(patches, 4, seed=1, augment=True).at(5), used.at(5), strict=True
        ):
            np.testing.assert_array_equal(fresh, again)


def test_another_seed_gives_another_order(path: Path) -> None:
    with PatchFile(path, 2) as patches:
        orders = [_numbers(Batches(patches, 1, s, augment=False), range(COUNT)) for s in (1, 2)]
    assert orders[0] != orders[1]


def test_reading_ahead_gives_the_same_batches(path: Path) -> None:
    with PatchFile(path, 2) as patches:
        batches = Batches(patches, 4, seed=1, augment=True)
        ahead = list(batches.ahead(1, 5))
        assert len(ahead) == 4 and list(batches.ahead(3, 3)) == []
        for step, (lr, hr) in enumerate(ahead, start=1):
            np.testing.assert_array_equal(lr, batches.at(step)[0])
            np.testing.assert_array_equal(hr, batches.at(step)[1])
