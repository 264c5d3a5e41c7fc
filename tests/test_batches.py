from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from srstudy.images.orientations import turned
from srstudy.images.pairs import Pair
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from srstudy.patches.writing import PatchWriter

COUNT = 10


def _doubled(lr: NDArray[np.uint8]) -> Pair:
    return Pair(lr, lr.repeat(2, axis=-2).repeat(2, axis=-1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Ten patches: LR has 4 random corners and its number, HR is LR with every pixel doubled."""
    path = tmp_path / "x2.h5"
    lr = np.random.default_rng(0).integers(100, 256, size=(COUNT, 3, 3), dtype=np.uint8)
    lr[:, 1, 1] = np.arange(COUNT)  # the middle pixel stays in place in every orientation
    with PatchWriter(path, size=6, stride=6, scale=2) as writer:
        writer.add_image("a row of four", _doubled(np.concatenate(lr[:4], axis=1)))
        writer.add_image("a column of six", _doubled(np.concatenate(lr[4:])))
        writer.add_validation("held out", _doubled(lr[0]))
        writer.finish([], {"degradation": "matlab"})
    return path


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize(("size", "stride", "scale"), [(8, 4, 2), (9, 12, 3), (16, 8, 4)])
def test_batches_are_those_of_all_patches_cut_beforehand(
    tmp_path: Path, size: int, stride: int, scale: int, augment: bool
) -> None:
    rng = np.random.default_rng(0)
    cut: tuple[list[NDArray[np.uint8]], ...] = ([], [])
    with PatchWriter(tmp_path / "patches.h5", size, stride, scale) as writer:
        for height, width in ((9, 14), (1, 30), (11, 4), (4, 4)):
            lr = rng.integers(256, size=(height, width), dtype=np.uint8)
            hr = rng.integers(256, size=(height * scale, width * scale), dtype=np.uint8)
            writer.add_image("", Pair(lr, hr))
            if height * scale >= size:
                low, step = size // scale, stride // scale
                cut[0].extend(sliding_window_view(lr, (low, low))[::step, ::step])
                cut[1].extend(sliding_window_view(hr, (size, size))[::stride, ::stride])
        writer.add_validation("held out", Pair(lr, hr))
        writer.finish([], {"degradation": "matlab"})
    stored = [np.concatenate(rows) for rows in cut]
    assert len(stored[0]) == len(stored[1]) > 9
    with PatchFile(tmp_path / "patches.h5", scale) as file:
        batches = Batches(file, batch_size=4, seed=5, augment=augment)
        assert batches.steps_per_epoch == len(stored[0]) // 4 > 1
        for step in range(2 * batches.steps_per_epoch + 1):
            epoch, place = divmod(step, batches.steps_per_epoch)
            order = np.random.default_rng([5, 0, epoch]).permutation(len(stored[0]))
            chosen = np.sort(order[4 * place : 4 * place + 4])
            turns = np.random.default_rng([5, 1, step]).integers(8, size=4) * augment
            for found, patches in zip(batches.at(step), stored, strict=True):
                expected = [
                    turned(patches[index], int(turn))[..., None]
                    for index, turn in zip(chosen, turns, strict=True)
                ]
                np.testing.assert_array_equal(found, np.stack(expected))


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


def test_patches_that_do_not_fill_a_batch_are_left_out_of_the_epoch(path: Path) -> None:
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


def test_lr_and_hr_are_turned_in_the_same_way(path: Path) -> None:
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
