import re
import subprocess
import sys
from pathlib import Path

import pytest

from srstudy.imagefiles.reading import read_image
from tools import large_data

LARGEST_FILE = 12.0  # MB per image


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_large_images_pass_every_stage_and_give_a_small_patch_file(tmp_path: Path) -> None:
    study, images = tmp_path / "study", 4
    command = [sys.executable, "-m", "tools.large_data", "--folder", str(study)]
    command += ["--images", str(images), "--steps", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _, *stages, patches = done.stdout.splitlines()

    found = [re.fullmatch(r"(\S+): ([\d.]+) s, (\d+) MiB own memory", line) for line in stages]
    assert [line and line[1] for line in found] == list(large_data.STAGES)
    # A Python process itself needs some MiB: less would mean that nothing was measured.
    assert all(line and float(line[2]) > 0 and 5 < int(line[3]) < 1400 for line in found)

    size = (study / "data/patches/x2.h5").stat().st_size / 1e6
    assert patches == f"patch file: {size:.1f} MB, {size / images:.2f} MB an image"
    # One image is held out and has no copies: with many images, only the others matter.
    held_out = large_data.WIDTH * large_data.HEIGHT * (1 + 1 / large_data.SCALE**2) / 1e6
    assert (size - held_out) / (images - 1) <= LARGEST_FILE

    pictures = [path.read_bytes() for path in sorted((study / "photos").iterdir())]
    assert len(set(pictures)) == images
    assert read_image(study / "photos/00000.png").shape == (large_data.HEIGHT, large_data.WIDTH, 3)


def test_images_are_always_the_same(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        large_data.make_images(tmp_path / name, 1)
        written.append((tmp_path / name / "00000.png").read_bytes())
    assert written[0] == written[1]
