import math
import shutil
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from srstudy.common.errors import InputError
from srstudy.common.yaml_file import load_yaml
from srstudy.datasets.registry import read_registry
from srstudy.degradations.shared.degradation import names
from srstudy.images.pairs import Pair
from srstudy.patches import checks
from srstudy.patches.grid import HELD_OUT, cut, grid, read_list, split, split_by
from srstudy.patches.layout import PLANE, read_patch
from srstudy.patches.reading import PatchFile
from srstudy.patches.writing import PatchWriter
from tests.conftest import MakePatches
from tests.imports import ROOT


def _pair(height: int, width: int, scale: int = 2, seed: int = 0) -> Pair:
    """Random LR of height x width pixels, and random HR."""
    rng = np.random.default_rng(seed)
    lr = rng.integers(256, size=(height, width), dtype=np.uint8)
    return Pair(lr, rng.integers(256, size=(height * scale, width * scale), dtype=np.uint8))


def test_patches_lie_on_the_grid_row_by_row() -> None:
    # HR 8 x 10, patches of 4 every 2: tops 0 2 4, lefts 0 2 4 6. LR the same at half of it.
    lr, hr = _pair(4, 5)
    small, large = cut(Pair(lr, hr), size=4, stride=2, scale=2)
    places = [(top, left) for top in (0, 2, 4) for left in (0, 2, 4, 6)]
    assert [tuple(place) for place in grid(hr.shape, 4, 2).tolist()] == places
    assert len(small) == len(large) == len(places)
    for i, (top, left) in enumerate(places):
        np.testing.assert_array_equal(large[i], hr[top : top + 4, left : left + 4])
        np.testing.assert_array_equal(
            small[i], lr[top // 2 : top // 2 + 2, left // 2 : left // 2 + 2]
        )


def test_border_too_small_for_a_patch_is_left_out() -> None:
    assert grid((8, 10), 4, 4).tolist() == [[0, 0], [0, 4], [4, 0], [4, 4]]
    small, large = cut(_pair(4, 5), size=4, stride=4, scale=2)
    assert small.shape == (4, 2, 2) and large.shape == (4, 4, 4)


def test_image_smaller_than_a_patch_gives_none() -> None:
    assert grid((8, 20), 12, 4).shape == grid((20, 8), 12, 4).shape == (0, 2)
    small, large = cut(_pair(4, 10), size=12, stride=4, scale=2)
    assert small.shape == (0, 6, 6) and large.shape == (0, 12, 12)


def test_pair_or_sizes_that_do_not_fit_the_scale_are_refused(tmp_path: Path) -> None:
    lr, hr = _pair(4, 4)
    for size, stride, said in ((5, 2, "size 5 and stride 2"), (4, 1, "stride 1"), (4, 0, "size 4")):
        with pytest.raises(ValueError, match=said):
            cut(Pair(lr, hr), size, stride, 2)
        with pytest.raises(ValueError, match=said):
            PatchWriter(tmp_path / "x2.h5", size, stride, 2)
    wrong = Pair(lr, hr[:7])
    with pytest.raises(ValueError, match="is not 2 times"):
        cut(wrong, size=4, stride=2, scale=2)
    with PatchWriter(tmp_path / "x2.h5", 4, 2, 2) as writer:
        with pytest.raises(ValueError, match="is not 2 times"):
            writer.add_image("wrong", wrong)
        with pytest.raises(ValueError, match="is not 2 times"):
            writer.add_validation("wrong", wrong)


@pytest.mark.parametrize("count", [2, 3, 10, 91])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_split_puts_every_image_on_exactly_one_side(count: int, share: float) -> None:
    names = [f"t{i}" for i in range(count)]
    training, held_out = split(names, share)
    assert sorted(training + held_out) == sorted(names)
    assert len(held_out) == max(1, round(share * count)) and training


@pytest.mark.parametrize("count", [1, 2, 7, 19])
def test_split_by_count_holds_out_that_number(count: int) -> None:
    names = [f"{i:02}" for i in range(20)]
    training, held_out = split(names, None, count)
    assert sorted(training + held_out) == names and len(held_out) == count
    assert split(names, count / 20) == (training, held_out)  # a share of as many: the same ones


def test_split_is_the_same_every_time_and_spread_out() -> None:
    names = [f"{i:02}" for i in range(20)]
    assert split(names, 0.1) == split(names, 0.1)
    assert split(names, 0.1)[1] == ["05", "15"]  # the middles of two halves


def test_one_image_cannot_be_split() -> None:
    for chosen in ({"share": 0.1}, {"count": 1}):
        with pytest.raises(InputError, match="train_set: found 1 image"):
            split(["only"], **chosen)


@pytest.mark.parametrize("count", [0, 3, 100])
def test_count_that_leaves_no_training_image_is_refused(count: int) -> None:
    said = f"^validation_images: found {count}, and train_set has 3 images; allowed: 1 to 2$"
    with pytest.raises(InputError, match=said):
        split(["a", "b", "c"], count=count)


def test_split_needs_exactly_one_of_share_and_count() -> None:
    for share, count in ((None, None), (0.1, 1)):
        with pytest.raises(ValueError, match="either a share or a count"):
            split(["a", "b"], share, count)


def test_split_by_a_list_holds_out_the_listed_images() -> None:
    assert split_by(["a", "b", "c"], ["c", "a"]) == (["b"], ["a", "c"])


@pytest.mark.parametrize(("listed", "found"), [([], "none"), (["b", "a"], "all")])
def test_list_that_does_not_split_the_images_is_refused(listed: list[str], found: str) -> None:
    said = f"^validation_list: found {found} of train_set's 2 images in data/held-out.txt; allowed"
    with pytest.raises(InputError, match=said):
        split_by(["a", "b"], listed)


def test_listed_image_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match=r"^validation_list: found 'z' in data/held-out.txt; all"):
        split_by(["a", "b"], ["a", "z"])


def test_list_has_one_set_and_name_per_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# first\n\nt91, t290/t1\nmine/Été 1  # why\nmine/t2", "utf-8")
    assert read_list(path, "t91") == read_list(path, "t290") == ["t1"]
    assert read_list(path, "mine") == ["Été 1", "t2"]
    assert read_list(path, "t9") == []
    for wrong in ("t1", "/t1", "t91/", "a/b/c", "a,/b", ",a/b", "a, ,c/b"):
        path.write_text(f"t91/t1\n{wrong}\n", "utf-8")
        with pytest.raises(InputError, match=f"list.txt: line 2: found '{wrong}'; allowed: set/na"):
            read_list(path, "t91")
    with pytest.raises(InputError, match=r"none.txt: cannot be read"):
        read_list(tmp_path / "none.txt", "t91")


def test_committed_list_is_10_of_t91_and_20_of_bsd200_evenly_spaced() -> None:
    lines = (ROOT / HELD_OUT).read_text("utf-8").splitlines()
    found = [line for line in lines if not line.startswith("#")]
    registry = {name: _registered(name) for name in ("t91", "t290")}
    bsd200 = [name for name in registry["t290"] if name not in registry["t91"]]
    t91_part, bsd200_part = split(registry["t91"], count=10)[1], split(bsd200, count=20)[1]
    assert found == [
        *(f"t91,t290,t291/{name}" for name in t91_part),
        *(f"bsd200,t290,t291/{name}" for name in bsd200_part),
    ]
    # So the share in the default study holds out the same images.
    share = load_yaml(ROOT / "params.yaml")["validation_share"]
    assert split(registry["t91"], share)[1] == t91_part


def _registered(dataset: str) -> list[str]:
    return sorted(Path(row.file).stem for row in read_registry(dataset))


SIZE, STRIDE = 8, 4
# LR height and width. The second is smaller than a patch: it is not stored.
SHAPES = ((7, 9), (3, 20), (4, 4), (5, 11))


def _images(scale: int) -> list[Pair]:
    return [_pair(*shape, scale, seed) for seed, shape in enumerate(SHAPES)]


def _write(path: Path) -> None:
    with PatchWriter(path, SIZE, STRIDE, 2) as writer:
        for i, pair in enumerate(_images(2)):
            writer.add_image(f"ü{i}, full", pair)
        for name in ("b", "a"):
            writer.add_validation(
                name,
                Pair(np.full((3, 5), ord(name), np.uint8), np.full((6, 10), ord(name), np.uint8)),
            )
        writer.finish(["x", "ü"], {"degradation": "opencv", "dataset": "d"})
        assert (writer.images, writer.skipped) == (3, 1)


def _stored() -> list[Pair]:
    return [cut(pair, SIZE, STRIDE, 2) for pair in _images(2)]


def test_written_patches_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "x2.h5"
    _write(path)
    expected = Pair(*(np.concatenate(side) for side in zip(*_stored(), strict=True)))
    with PatchFile(path, 2) as file:
        assert len(file) == len(expected.lr) and file.degradation == "opencv"
        found = file.patches(np.arange(len(file)))
        (first_lr, first_hr), (last_lr, last_hr) = file.validation()  # by name: a, b
    for side in range(2):
        assert found[side].dtype == np.uint8
        np.testing.assert_array_equal(found[side], expected[side])
    assert first_lr.shape == (3, 5) and first_hr.shape == (6, 10)
    assert (first_lr == ord("a")).all() and (last_hr == ord("b")).all()
    assert (first_hr == ord("a")).all() and (last_lr == ord("b")).all()


def test_file_tells_how_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "x2.h5"
    _write(path)
    with h5py.File(path) as raw:
        attributes = dict(raw.attrs)
        assert len(attributes.pop("read_patch").splitlines()) == 3
        assert attributes == {
            "format": 3,
            "scale": 2,
            "patch_size": SIZE,
            "stride": STRIDE,
            "degradation": "opencv",
            "dataset": "d",
            "validation_images": 2,
            "skipped_images": 1,
        }
        assert [name.decode() for name in raw["training_images"]] == ["x", "ü"]
        images = [raw[f"train/{i}"].attrs["image"] for i in range(len(raw["train"]))]
        assert images == ["ü0, full", "ü2, full", "ü3, full"]


def test_places_are_those_of_the_grid_image_by_image(tmp_path: Path) -> None:
    path = tmp_path / "x2.h5"
    _write(path)
    expected = [
        [image, top, left]
        for image, (height, width) in enumerate(SHAPES[i] for i in (0, 2, 3))
        for top in range(0, 2 * height - SIZE + 1, STRIDE)
        for left in range(0, 2 * width - SIZE + 1, STRIDE)
    ]
    with h5py.File(path) as raw:
        assert raw["places"].dtype == np.int32 and raw["places"][:].tolist() == expected


@pytest.mark.parametrize("scale", [2, 3])
def test_three_lines_in_the_file_read_any_patch(tmp_path: Path, scale: int) -> None:
    path = tmp_path / "patches.h5"
    with PatchWriter(path, 6, 6, scale) as writer:
        for i, pair in enumerate(_images(scale)):
            writer.add_image(str(i), pair)
        writer.add_validation("a", _pair(1, 1, scale))
        writer.finish([], {"degradation": "matlab"})
    with PatchFile(path, scale) as patches, h5py.File(path) as file:
        for i in range(len(patches)):
            names: dict[str, Any] = {"file": file, "i": i}
            exec(file.attrs["read_patch"], names)
            lr, hr = patches.patches(np.array([i]))
            np.testing.assert_array_equal(names["lr"][None], lr)
            np.testing.assert_array_equal(names["hr"][None], hr)


def test_patches_are_given_in_ascending_order_of_their_indices(tmp_path: Path) -> None:
    _write(tmp_path / "x2.h5")
    lr, hr = (np.concatenate(side) for side in zip(*_stored(), strict=True))
    chosen = np.array([len(lr) - 1, 0, 2])
    with PatchFile(tmp_path / "x2.h5", 2) as file:
        found = file.patches(chosen)
    np.testing.assert_array_equal(found.lr, lr[np.sort(chosen)])
    np.testing.assert_array_equal(found.hr, hr[np.sort(chosen)])


def test_patches_can_be_written_to_and_the_file_cannot(tmp_path: Path) -> None:
    path = tmp_path / "x2.h5"
    _write(path)
    before = path.read_bytes()
    with PatchFile(path, 2) as file, PatchFile(path, 2) as again:
        first = file.patches(np.arange(2))
        for side in first:
            side[:] = 0
        for side, kept in zip(again.patches(np.arange(2)), file.patches(np.arange(2)), strict=True):
            assert side.any()
            np.testing.assert_array_equal(side, kept)
        for plane in (plane for pair in file.validation() for plane in pair):
            assert not plane.flags.owndata and not plane.flags.writeable
    assert path.read_bytes() == before


def test_held_out_images_stay_valid_after_the_file_is_closed(tmp_path: Path) -> None:
    _write(tmp_path / "x2.h5")
    with PatchFile(tmp_path / "x2.h5", 2) as file:
        held_out = list(file.validation())
    (tmp_path / "x2.h5").unlink()
    assert [int(pair.hr.min()) for pair in held_out] == [ord("a"), ord("b")]


def test_file_after_a_block_of_other_bytes_is_read_right(tmp_path: Path) -> None:
    # HDF5 allows a user block before its own data: offsets must include it.
    _write(tmp_path / "plain.h5")
    block = {"name": tmp_path / "block.h5", "mode": "w", "userblock_size": 512}
    with h5py.File(tmp_path / "plain.h5") as old, h5py.File(**block) as new:
        for name in old:
            old.copy(name, new)
        new.attrs.update(old.attrs)
    with PatchFile(tmp_path / "plain.h5", 2) as plain, PatchFile(tmp_path / "block.h5", 2) as later:
        everything = np.arange(len(plain))
        for side, other in zip(plain.patches(everything), later.patches(everything), strict=True):
            np.testing.assert_array_equal(side, other)


def test_same_patches_give_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    _write(tmp_path / "first.h5")
    time.sleep(1.1)  # HDF5's times are whole seconds
    _write(tmp_path / "second.h5")
    assert (tmp_path / "first.h5").read_bytes() == (tmp_path / "second.h5").read_bytes()


def test_file_is_little_larger_than_its_planes(tmp_path: Path) -> None:
    pairs = [_pair(300, 400, seed=seed) for seed in range(4)]
    with PatchWriter(tmp_path / "x2.h5", 64, 32, 2) as writer:
        for pair in pairs:
            writer.add_image("", pair)
        writer.add_validation("a", _pair(1, 1))
        writer.finish([], {"degradation": "matlab"})
    planes = sum(plane.nbytes for pair in pairs for plane in pair)
    assert planes < (tmp_path / "x2.h5").stat().st_size < 1.03 * planes


def test_full_disk_is_an_error_before_each_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> Any:
        return shutil._ntuple_diskusage(1, 1, 0)

    with PatchWriter(tmp_path / "x2.h5", SIZE, STRIDE, 2) as writer:
        writer.add_image("", _pair(9, 9))
        monkeypatch.setattr(shutil, "disk_usage", full)
        for write in (
            lambda: writer.add_image("", _pair(9, 9)),
            lambda: writer.add_validation("a", _pair(9, 9)),
            lambda: writer.finish([], {}),
            lambda: PatchWriter(tmp_path / "another.h5", SIZE, STRIDE, 2),
        ):
            with pytest.raises(OSError, match="No space left"):
                write()


def _refusal(path: Path, scale: int) -> str:
    with pytest.raises(InputError) as caught:
        PatchFile(path, scale)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


def test_file_of_another_scale_is_refused(make_patches: MakePatches) -> None:
    assert "scale: found 2; allowed: 4" in _refusal(make_patches(), 4)


@pytest.mark.parametrize("other", [2, 99])
def test_file_of_another_format_is_refused(make_patches: MakePatches, other: int) -> None:
    path = make_patches()
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = other
    assert f"format: found {other}; allowed: 3; `dvc repro` makes it again" in _refusal(path, 2)


def test_file_of_stored_patches_is_refused_by_its_format(tmp_path: Path) -> None:
    path = tmp_path / "x2.h5"
    with h5py.File(path, "w") as file:
        for name, side in (("lr", 4), ("hr", 8)):
            file.create_dataset(f"train/{name}", data=np.zeros((3, side, side), np.uint8))
        file.attrs.update({"format": 2, "scale": 2, "degradation": "matlab"})
    assert "format: found 2; allowed: 3" in _refusal(path, 2)


def _replace(name: str, **how: Any) -> Callable[[h5py.File], None]:
    """Replaces a dataset by a new one; with the same content, unless `how` gives another."""

    def change(file: h5py.File) -> None:
        content = {} if "shape" in how else {"data": file[name][:]}
        del file[name]
        file.create_dataset(name, **content | how)

    return change


def _group(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_group(name)

    return change


def _link(link: h5py.SoftLink | h5py.ExternalLink) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        if isinstance(link, h5py.ExternalLink):
            beside = Path(file.filename).with_name(link.filename)
            with h5py.File(beside, "w") as other:
                other[link.path] = file["train/0/hr"][:]
        del file["train/0/hr"]
        file["train/0/hr"] = link

    return change


def _virtual(file: h5py.File) -> None:
    source = h5py.VirtualSource(file["train/0/hr"])
    layout = h5py.VirtualLayout(source.shape, np.uint8)
    layout[:] = source
    del file["train/0/hr"]
    file.create_virtual_dataset("train/0/hr", layout)


def _compact(file: h5py.File) -> None:
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_layout(h5py.h5d.COMPACT)
    data = file["train/0/lr"][:]
    del file["train/0/lr"]
    space = h5py.h5s.create_simple(data.shape)
    dataset = h5py.h5d.create(file.id, b"train/0/lr", h5py.h5t.STD_U8LE, space, made)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, data)


def _place(row: int, place: list[int]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file["places"][row] = place

    return change


def _attributes(**values: Any) -> Callable[[h5py.File], None]:
    """Sets attributes; deletes those with the value None."""

    def change(file: h5py.File) -> None:
        for key, value in values.items():
            del file.attrs[key]
            if value is not None:
                file.attrs[key] = value

    return change


STORAGE = "with two axes, contiguous, uncompressed, in this file"
LR, HR = "train/0/lr", "train/0/hr"
SHAPE = (72, 96)  # of HR in the file that make_patches writes, with 8 x 11 patches of 16 x 16
HARMS: dict[str, tuple[Callable[[h5py.File], Any], str]] = {
    "chunked": (_replace(HR, chunks=(16, 16)), f"{HR}: allowed: a dataset of uint8 {STORAGE}"),
    "compressed": (_replace(HR, compression="gzip"), STORAGE),
    "checksums": (_replace(LR, fletcher32=True), STORAGE),
    "growing": (
        _replace("places", maxshape=(None, 3)),
        f"places: allowed: a dataset of int32 {STORAGE}",
    ),
    "compact": (_compact, STORAGE),
    "virtual": (_virtual, STORAGE),
    "in an external raw file": (
        _replace(HR, shape=SHAPE, dtype="u1", external=[("raw.bin", 0, 72 * 96)]),
        STORAGE,
    ),
    "link into another file": (_link(h5py.ExternalLink("other.h5", "hr")), STORAGE),
    "link that leads nowhere": (_link(h5py.SoftLink("/nowhere")), "not a readable patch file"),
    "signed pixels": (_replace(HR, dtype="i1"), STORAGE),
    "pixels of 16 bits": (_replace(LR, dtype="u2"), STORAGE),
    "truth values": (_replace(HR, dtype="?"), STORAGE),
    "big-endian places": (_replace("places", dtype=">i4"), STORAGE),
    "places of 64 bits": (_replace("places", dtype="i8"), STORAGE),
    "colour": (_replace(HR, shape=(*SHAPE, 3), dtype="u1"), STORAGE),
    "no axes": (_replace(HR, shape=(), dtype="u1"), STORAGE),
    "nothing at all": (_replace(HR, data=h5py.Empty("u1")), STORAGE),
    "group for a plane": (_group(LR), f"{LR}: allowed: a dataset"),
    "plane missing": (lambda file: file.pop(HR), "not a readable patch file"),
    "plane never written": (_replace(HR, shape=SHAPE, dtype="u1"), f"{HR}: has no data"),
    "endless plane never written": (
        _replace(HR, shape=(2**40, 2**40), dtype="u1"),
        f"{HR}: has no data",
    ),
    "empty plane": (_replace(HR, shape=(0, 96), dtype="u1"), f"{HR}: is empty"),
    "pair unequal": (
        _replace(LR, data=np.zeros((36, 47), np.uint8)),
        "train/0: found (36, 47) LR and (72, 96) HR; allowed: HR of 2 times each side",
    ),
    "image missing": (lambda file: file.move("train/0", "train/1"), "train: has no 0; allowed: 1"),
    "no image": (_group("train"), "places: found image 0"),
    "dataset for the images": (
        lambda file: (file.pop("train"), file.create_dataset("train", data=[1, 2])),
        "train: has no 0",
    ),
    "places missing": (lambda file: file.pop("places"), "not a readable patch file"),
    "no place": (_replace("places", shape=(0, 3), dtype="i4"), "places: is empty"),
    "two columns": (
        _replace("places", data=np.zeros((5, 2), np.int32)),
        "places: found 2 columns; allowed: image, row, column",
    ),
    "image below": (_place(0, [-1, 0, 0]), "places: found image -1, row 0, column 0 in line 0"),
    "image above": (_place(3, [1, 0, 0]), "places: found image 1, row 0, column 0 in line 3"),
    "row below": (
        _place(3, [0, -2, 0]),
        "row -2, column 0 in line 3; allowed: complete patches of 1",
    ),
    "row above": (_place(87, [0, 58, 0]), "row 58, column 0 in line 87"),
    "column below": (_place(3, [0, 0, -2]), "row 0, column -2 in line 3"),
    "column above": (_place(3, [0, 0, 82]), "row 0, column 82 in line 3"),
    "column far above": (_place(3, [0, 0, 2**31 - 2]), f"column {2**31 - 2} in line 3"),
    "row between LR pixels": (_place(3, [0, 1, 0]), "row 1, column 0 in line 3"),
    "column between LR pixels": (_place(3, [0, 0, 5]), "column 5 in line 3"),
    "patch larger than its image": (_attributes(patch_size=74), "places: found image 0, row 0"),
    "endless patch": (_attributes(patch_size=2**62), "places: found image 0, row 0, column 0"),
    "array for a number": (_attributes(scale=[2, 2]), "scale: found [2 2]; allowed: a whole"),
    "broken number": (_attributes(format=3.0), "format: found 3.0; allowed: a whole number"),
    "no format": (_attributes(format=None), "format: found nothing; allowed: a whole number"),
    "no patch size": (_attributes(patch_size=None), "patch_size: found nothing; allowed: a whole"),
    "no stride": (_attributes(stride=None), "stride: found nothing; allowed: a whole number"),
    "patch size 0": (_attributes(patch_size=0), "patch_size: found 0; allowed: multiples of the"),
    "patch size below 0": (_attributes(patch_size=-2), "patch_size: found -2; allowed: multiples"),
    "odd patch size": (_attributes(patch_size=15), "patch_size: found 15; allowed: multiples of"),
    "odd stride": (_attributes(stride=3), "stride: found 3; allowed: multiples of the scale 2"),
    "no held-out image": (_group("validation"), "validation: has no image"),
    "held-out group empty": (lambda file: file["validation"].create_group("x"), "not a readable"),
    "held-out pair unequal": (
        _replace("validation/lower/lr", data=np.zeros((3, 3), np.uint8)),
        "validation/lower: found (3, 3) LR and (48, 96) HR; allowed: HR of 2 times each side",
    ),
    "held-out image in chunks": (_replace("validation/lower/hr", chunks=True), STORAGE),
    "unknown degradation": (
        _attributes(degradation="lanczos"),
        f"degradation: found lanczos; allowed: {', '.join(names())}",
    ),
    "no degradation": (_attributes(degradation=None), "degradation: found nothing; allowed: "),
    "degradations": (_attributes(degradation=["matlab"]), "degradation: found ['matlab']; allowe"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_file_with_other_content_is_refused_by_name(make_patches: MakePatches, harm: str) -> None:
    path = make_patches()
    PatchFile(path, 2)
    change, said = HARMS[harm]
    with h5py.File(path, "r+") as file:
        change(file)
    assert said in _refusal(path, 2)


def test_dataset_that_ends_beyond_the_file_is_refused(make_patches: MakePatches) -> None:
    path = make_patches()
    with h5py.File(path) as file:
        start = file["validation/lower/hr"].id.get_offset()
        shape = file["validation/lower/hr"].shape
    # In the header of the dataset its place stands as eight bytes: a later one is put in.
    content, late = path.read_bytes(), path.stat().st_size - 100
    old, new = (number.to_bytes(8, "little") for number in (start, late))
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    _refusal(path, 2)
    # Not every HDF5 looks at it itself: the same for a file that is read and shorter than it says.
    make_patches()
    end = start + math.prod(shape)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    with h5py.File(path) as file:
        checks.mapped(whole[:end], file, "validation/lower/hr", PLANE)
        said = f"^validation/lower/hr: ends at byte {end}, but the file has {end - 1} bytes$"
        with pytest.raises(checks.Fault, match=said):
            checks.mapped(whole[: end - 1], file, "validation/lower/hr", PLANE)


@pytest.mark.parametrize("wrong", [0, 4, 86, 87])
def test_all_places_are_checked_piece_by_piece(
    make_patches: MakePatches, monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    path = make_patches()
    monkeypatch.setattr(checks, "PIECE", 5)
    with PatchFile(path, 2) as file:
        assert len(file) == 88
    with h5py.File(path, "r+") as raw:
        raw["places"][wrong] = [0, 0, 1]
    assert f"column 1 in line {wrong};" in _refusal(path, 2)


def test_missing_broken_and_foreign_files_are_refused_by_name(
    make_patches: MakePatches, tmp_path: Path
) -> None:
    _refusal(tmp_path / "missing.h5", 2)
    _refusal(tmp_path, 2)
    whole = make_patches().read_bytes()
    truncated = tmp_path / "truncated.h5"
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1000, len(whole) - 1):
        truncated.write_bytes(whole[:length])
        _refusal(truncated, 2)
    garbage = tmp_path / "garbage.h5"
    garbage.write_bytes(b"garbage" * 100)
    _refusal(garbage, 2)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["numbers"] = [1, 2, 3]
    _refusal(foreign, 2)


def test_architecture_page_shows_the_lines_that_read_a_patch() -> None:
    page = (ROOT / "docs/guide/architecture.md").read_text("utf-8")
    assert textwrap.indent(read_patch(64, 2), "   ") in page
