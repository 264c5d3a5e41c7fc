import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from stages.core.errors import InputError
from stages.core.patches import PatchFile, PatchWriter, cut, split
from tests.conftest import MakePatches


def test_patches_lie_on_the_grid_row_by_row() -> None:
    # HR 8 x 10, patches of 4 every 2: tops 0 2 4, lefts 0 2 4 6. LR the same at half of it.
    hr = np.arange(80, dtype=np.uint8).reshape(8, 10)
    lr = np.arange(20, dtype=np.uint8).reshape(4, 5)
    small, large = cut(hr, lr, size=4, stride=2, scale=2)
    places = [(top, left) for top in (0, 2, 4) for left in (0, 2, 4, 6)]
    assert len(small) == len(large) == len(places)
    for i, (top, left) in enumerate(places):
        np.testing.assert_array_equal(large[i], hr[top : top + 4, left : left + 4])
        np.testing.assert_array_equal(
            small[i], lr[top // 2 : top // 2 + 2, left // 2 : left // 2 + 2]
        )


def test_rest_that_no_whole_patch_fits_in_is_left_out() -> None:
    hr, lr = np.zeros((8, 10), np.uint8), np.zeros((4, 5), np.uint8)
    small, large = cut(hr, lr, size=4, stride=4, scale=2)  # tops 0 4, lefts 0 4
    assert small.shape == (4, 2, 2) and large.shape == (4, 4, 4)


def test_image_smaller_than_a_patch_gives_none() -> None:
    small, large = cut(np.zeros((8, 20), np.uint8), np.zeros((4, 10), np.uint8), 12, 4, 2)
    assert small.shape == (0, 6, 6) and large.shape == (0, 12, 12)


def test_pair_or_sizes_that_do_not_fit_the_scale_are_refused() -> None:
    hr, lr = np.zeros((8, 8), np.uint8), np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="size 5 and stride 2"):
        cut(hr, lr, size=5, stride=2, scale=2)
    with pytest.raises(ValueError, match="stride 1"):
        cut(hr, lr, size=4, stride=1, scale=2)
    with pytest.raises(ValueError, match="is not 2 times"):
        cut(hr[:7], lr, size=4, stride=2, scale=2)


@pytest.mark.parametrize("count", [2, 3, 10, 91])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_split_puts_every_image_on_exactly_one_side(count: int, share: float) -> None:
    names = [f"t{i}" for i in range(count)]
    training, held_out = split(names, share)
    assert sorted(training + held_out) == sorted(names)
    assert len(held_out) == max(1, round(share * count)) and training


def test_split_is_the_same_every_time_and_spread_out() -> None:
    names = [f"{i:02}" for i in range(20)]
    assert split(names, 0.1) == split(names, 0.1)
    assert split(names, 0.1)[1] == ["05", "15"]  # the middles of two halves


def test_one_image_cannot_be_split() -> None:
    with pytest.raises(InputError, match="train_set: found 1 image"):
        split(["only"], 0.1)


def _write(path: Path) -> None:
    rng = np.random.default_rng(0)
    with PatchWriter(path, 8, 2) as writer:
        for count in (3, 2):
            writer.add_patches(
                rng.integers(256, size=(count, 4, 4), dtype=np.uint8),
                rng.integers(256, size=(count, 8, 8), dtype=np.uint8),
            )
        for name in ("b", "a"):
            writer.add_validation(
                name, np.full((3, 5), ord(name), np.uint8), np.full((6, 10), ord(name), np.uint8)
            )
        writer.describe(["x", "ü"], {"scale": 2, "degradation": "opencv", "stride": 4})


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "x2.h5"
    _write(path)
    rng = np.random.default_rng(0)
    expected = [
        rng.integers(256, size=(n, side, side), dtype=np.uint8) for n in (3, 2) for side in (4, 8)
    ]
    with PatchFile(path, 2) as file:
        assert len(file) == 5 and file.degradation == "opencv"
        lr, hr = file.patches(np.arange(5))
        assert lr.dtype == hr.dtype == np.uint8
        np.testing.assert_array_equal(lr, np.concatenate(expected[::2]))
        np.testing.assert_array_equal(hr, np.concatenate(expected[1::2]))
        (first_lr, first_hr), (last_lr, last_hr) = file.validation()  # by name: a, b
    assert first_lr.shape == (3, 5) and first_hr.shape == (6, 10)
    assert (first_lr == ord("a")).all() and (last_hr == ord("b")).all()
    assert (first_hr == ord("a")).all() and (last_lr == ord("b")).all()
    with h5py.File(path) as raw:
        assert dict(raw.attrs) == {"format": 2, "scale": 2, "degradation": "opencv", "stride": 4}
        assert [name.decode() for name in raw["training_images"]] == ["x", "ü"]


def test_patches_of_several_images_are_appended_in_order(tmp_path: Path) -> None:
    path = tmp_path / "x2.h5"
    with PatchWriter(path, 8, 2) as writer:
        for value, count in ((1, 2), (2, 3)):
            writer.add_patches(
                np.full((count, 4, 4), value, np.uint8), np.full((count, 8, 8), value, np.uint8)
            )
        assert writer.patches == 5
        writer.add_validation("a", np.zeros((1, 1), np.uint8), np.zeros((2, 2), np.uint8))
        writer.describe([], {"scale": 2, "degradation": "matlab"})
    with PatchFile(path, 2) as file:
        lr, hr = file.patches(np.array([4, 0, 2]))  # given back in ascending order
    assert lr[:, 0, 0].tolist() == hr[:, 0, 0].tolist() == [1, 2, 2]


def test_same_patches_are_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    _write(tmp_path / "first.h5")
    time.sleep(1.1)  # HDF5's times are whole seconds
    _write(tmp_path / "second.h5")
    assert (tmp_path / "first.h5").read_bytes() == (tmp_path / "second.h5").read_bytes()


def _refusal(path: Path, scale: int) -> str:
    with pytest.raises(InputError) as caught:
        PatchFile(path, scale)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


def test_file_of_another_scale_is_refused(make_patches: MakePatches) -> None:
    assert "scale: found 2; allowed: 4" in _refusal(make_patches(), 4)


def test_file_of_another_format_is_refused(make_patches: MakePatches) -> None:
    path = make_patches()
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = 99
    assert "format: found 99; allowed: 2" in _refusal(path, 2)


@pytest.mark.parametrize(
    "other", [{"chunks": (2, 16, 16)}, {"compression": "gzip"}, {"dtype": "i1"}]
)
def test_file_of_other_chunks_is_refused(make_patches: MakePatches, other: dict[str, Any]) -> None:
    path = make_patches()
    with h5py.File(path, "r+") as file:
        patches = file["train/hr"][:]
        del file["train/hr"]
        file.create_dataset("train/hr", data=patches, **{"chunks": (1, 16, 16)} | other)
    assert "/train/hr: allowed: uint8, in chunks of one patch" in _refusal(path, 2)


HARMS: dict[str, tuple[Callable[[h5py.File], Any], str]] = {
    "group for patches": (lambda file: _replace(file, "train/lr", None), "no readable patch file"),
    "array for a number": (lambda file: file.attrs.update(scale=[2, 2]), "no readable patch file"),
    "no held-out image": (lambda file: _replace(file, "validation", None), "holds no image"),
    "held-out group empty": (lambda file: file["validation"].create_group("x"), "no readable"),
    "held-out pair unequal": (
        lambda file: _replace(file, "validation/lower/lr", np.zeros((3, 3), np.uint8)),
        "/validation/lower: allowed",
    ),
    "patches never written": (lambda file: file["train/hr"].resize(999, axis=0), "are not"),
    "no patch": (
        lambda file: [file[f"train/{x}"].resize(0, axis=0) for x in ("lr", "hr")],
        "train",
    ),
    "fewer LR": (lambda file: file["train/lr"].resize(1, axis=0), "train: found (1, 8, 8) LR"),
    "unknown degradation": (
        lambda file: file.attrs.update(degradation="lanczos"),
        "degradation: found lanczos; allowed: matlab, opencv",
    ),
}


def _replace(file: h5py.File, name: str, content: Any) -> None:
    del file[name]
    file.create_group(name) if content is None else file.create_dataset(name, data=content)


@pytest.mark.parametrize("harm", HARMS)
def test_file_of_other_content_is_refused_by_name(make_patches: MakePatches, harm: str) -> None:
    path = make_patches()
    change, said = HARMS[harm]
    with h5py.File(path, "r+") as file:
        change(file)
    assert said in _refusal(path, 2)


def test_missing_broken_and_foreign_files_are_refused_by_name(
    make_patches: MakePatches, tmp_path: Path
) -> None:
    _refusal(tmp_path / "missing.h5", 2)
    truncated = make_patches()
    truncated.write_bytes(truncated.read_bytes()[:-1000])
    _refusal(truncated, 2)
    garbage = tmp_path / "garbage.h5"
    garbage.write_bytes(b"garbage" * 100)
    _refusal(garbage, 2)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["numbers"] = [1, 2, 3]
    _refusal(foreign, 2)


def test_file_without_its_degradation_is_refused_by_name(make_patches: MakePatches) -> None:
    path = make_patches()
    with h5py.File(path, "r+") as file:
        del file.attrs["degradation"]
    _refusal(path, 2)
