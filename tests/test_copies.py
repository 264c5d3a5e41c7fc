"""Downscaled copies of training images: only their luma is kept, and training reads it."""

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from srstudy.common.params import read
from srstudy.degradations.shared.degradation import StrengthSource, degradation, names
from srstudy.degradations.shared.settings import StrengthSettings
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.images.resize import imresize
from stages import patch, synthesize
from tests.imports import ROOT

PARTS = ("full", "copy-0.7")


@pytest.mark.parametrize("name", names())
def test_copies_are_stored_as_luma_and_give_the_same_patches_as_in_colour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: NDArray[np.uint8], name: str
) -> None:
    images = {"colour": photo, "mirrored": photo[:, ::-1], "grey": photo[..., 1]}
    (tmp_path / "data/raw/mine").mkdir(parents=True)
    for file, image in images.items():
        write_png(tmp_path / f"data/raw/mine/{file}.png", image)
    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    values |= {"degradation": name, "downscaled_copies": [0.7], "validation_share": None}
    values |= {"validation_images": 1}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.chdir(tmp_path)
    for stage, more in ((synthesize, ["--role", "train"]), (patch, [])):
        command = [stage.__name__, "--dataset", "mine", "--scale", "2", *more]
        monkeypatch.setattr(sys, "argv", command)
        stage.main()

    settings = read(StrengthSettings)
    source = StrengthSource(settings.strength_seed, settings.strengths)
    made_by, folder = degradation(name), tmp_path / "data/lr/x2/train/mine"
    assert read_image(folder / "full/hr/colour.png").shape == (120, 96, 3)
    with h5py.File("data/patches/x2.h5") as file:
        groups = {group.attrs["image"]: group for group in file["train"].values()}
        assert set(groups) == {f"{i}, {p}" for i in ("colour", "mirrored") for p in PARTS}
        for label, group in groups.items():
            image, part = label.split(", ")
            whole = images[image] if part == "full" else imresize(images[image], 0.7)
            pair = made_by.training_pair(whole, 2, (image, part), source)
            for side, pixels in zip(pair._fields, pair, strict=True):
                luma = made_by.protocol.training_luma(pixels)
                np.testing.assert_array_equal(group[side][:], luma)
                if part != "full":
                    kept = read_image(folder / part / side / f"{image}.png")
                    np.testing.assert_array_equal(kept, luma)
