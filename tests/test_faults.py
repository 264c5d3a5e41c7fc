"""Full disks and missing permissions: each gives one clear line and no partial output."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from srstudy.imagefiles.png import write_png
from tests.imports import ROOT
from tests.tiny import Run, every_scale

# Permissions do not apply to root. In its own user namespace, a process is an ordinary user.
UNPRIVILEGED = ("unshare", "--user") if os.geteuid() == 0 else ()
# There it may mount a disk of 100 KB that only this process sees.
SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
ON_SMALL_DISK = 'mount -t tmpfs -o size=100k none "$0" && "$@"; status=$?; find "$0"; exit $status'


@pytest.fixture
def folder(tmp_path: Path, photo: NDArray[np.uint8]) -> Path:
    """A study's folder with the committed params and ten photographs."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    raw = tmp_path / "data/raw/mine"
    raw.mkdir(parents=True)
    for number in range(10):
        write_png(raw / f"{number}.png", np.roll(photo, number, axis=1))
    return tmp_path


def _run(folder: Path, *command: str) -> Run:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )
    return Run(done.returncode, done.stdout)


def _stage(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"stages.{name}", *arguments)


def _line(run: Run) -> str:
    """The one line of an error."""
    assert run.status == 1, run.text
    assert "Traceback" not in run.text
    (line,) = [line for line in run.text.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.parametrize(
    ("stage", "missing"),
    [
        (("summarize",), "data/scores/x2/set5/bicubic.json"),
        (("report",), "metrics/images/set5.json"),
        (("compare", "--scale", "2", "--test-set", "set5"), "data/scores/x2/set5/bicubic.json"),
        (("patch", "--scale", "2", "--dataset", "mine"), "data/lr/x2/train/mine"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_stage_without_its_inputs_names_the_first_one_that_is_missing(
    folder: Path, stage: tuple[str, ...], missing: str
) -> None:
    assert _line(_run(folder, *_stage(*stage))).startswith(f"error: {missing}: ")


def test_scale_without_an_entry_in_params_is_named(folder: Path) -> None:
    values = yaml.safe_load((folder / "params.yaml").read_text("utf-8"))
    del values["stride"]["x3"]
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    line = _line(_run(folder, *_stage("patch", "--scale", "3", "--dataset", "mine")))
    assert line == "error: stride.x3: found nothing; allowed: an entry for this scale"


SYNTHESIZE = _stage("synthesize", "--dataset", "mine", "--scale", "2", "--role", "train")


def test_full_disk_gives_one_line_and_no_partial_output(folder: Path) -> None:
    (folder / "data/lr").mkdir()
    run = _run(folder, *SMALL_DISK, ON_SMALL_DISK, "data/lr", *SYNTHESIZE)
    assert _line(run) == (
        "error: data/lr/x2/train/mine: cannot be written: No space left on device"
    )
    left = run.text.splitlines()[-4:]
    assert left[-1] == "data/lr/x2/train", left


def test_full_disk_gives_one_line_and_no_partial_patch_file(folder: Path) -> None:
    # Without our check, HDF5 crashes here.
    whole = _run(folder, *SYNTHESIZE)
    assert whole.status == 0, whole.text
    (folder / "data/patches").mkdir()
    patch = _stage("patch", "--scale", "2", "--dataset", "mine")
    run = _run(folder, *SMALL_DISK, ON_SMALL_DISK, "data/patches", *patch)
    assert _line(run) == ("error: data/patches/x2.h5: cannot be written: No space left on device")
    assert run.text.splitlines()[-1] == "data/patches"


def test_full_disk_gives_one_line_and_no_partial_weights_file(folder: Path) -> None:
    # Weight files are also HDF5.
    code = (
        "from pathlib import Path; from srstudy.common.running import run; "
        "from srstudy.networks.shared.weights import Architecture, save; "
        "network = Architecture('edsr', 2, {'channels': 8, 'blocks': 1}, 'matlab'); "
        "run(lambda: save(Path('models/a.weights.h5'), network.build(), network))"
    )
    (folder / "models").mkdir()
    run = _run(folder, *SMALL_DISK, ON_SMALL_DISK, "models", sys.executable, "-c", code)
    assert _line(run) == "error: models/a.weights.h5: cannot be written: No space left on device"
    assert run.text.splitlines()[-1] == "models"


def test_disk_that_is_full_at_the_start_gives_one_line(folder: Path) -> None:
    (folder / ".dvc").mkdir()
    full = (
        'mount -t tmpfs -o size=4k none "$0" && mkdir -p "$0/tmp/running" && '
        'head -c 4096 /dev/zero > "$0/full"; "$@"'
    )
    run = _run(folder, *SMALL_DISK, full, ".dvc", *SYNTHESIZE)
    assert _line(run) == "error: .dvc/tmp/running: cannot be written: No space left on device"


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1)])
def test_image_too_small_for_the_scale_is_named(folder: Path, shape: tuple[int, int]) -> None:
    write_png(folder / "data/raw/mine/thin ü.png", np.zeros(shape, np.uint8))
    assert _line(_run(folder, *SYNTHESIZE)) == (
        f"error: data/raw/mine/thin ü.png: has {shape[1]} x {shape[0]} pixels; "
        "allowed at x2: at least 4 x 4"
    )
    assert not list((folder / "data").glob("lr/x2/train/*"))


def test_link_to_itself_is_named_by_the_stage(folder: Path) -> None:
    loop = folder / "data/raw/mine/loop.png"
    loop.symlink_to(loop)
    line = _line(_run(folder, *SYNTHESIZE))
    assert line.startswith("error: data/raw/mine/loop.png: cannot be read: Too many levels")


def test_images_smaller_than_a_patch_are_skipped_and_counted(
    folder: Path, photo: NDArray[np.uint8]
) -> None:
    for name in ("é.png", "小.png"):
        write_png(folder / "data/raw/mine" / name, photo[:40, :40])
    values = yaml.safe_load((folder / "params.yaml").read_text())
    values |= {"downscaled_copies": [], "patch_size": every_scale(64)}
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    assert _run(folder, *SYNTHESIZE).status == 0
    run = _run(folder, *_stage("patch", "--scale", "2", "--dataset", "mine"))
    assert run.status == 0 and "2 smaller ones skipped" in run.text, run.text


def test_folder_without_read_permission_is_named(folder: Path) -> None:
    raw = folder / "data/raw/mine"
    raw.chmod(0)
    try:
        run = _run(folder, *UNPRIVILEGED, *SYNTHESIZE)
    finally:
        raw.chmod(0o755)
    assert _line(run) == "error: data/raw/mine: cannot be read: Permission denied"


def test_folder_without_write_permission_is_named(folder: Path) -> None:
    (folder / "data").chmod(0o555)
    try:
        run = _run(folder, *UNPRIVILEGED, *SYNTHESIZE)
    finally:
        (folder / "data").chmod(0o755)
    assert _line(run).endswith("data/lr/x2/train/mine: cannot be written: Permission denied")
    assert [path.name for path in (folder / "data").iterdir()] == ["raw"]


def test_image_without_read_permission_is_named(folder: Path) -> None:
    (folder / "data/raw/mine/7.png").chmod(0)
    run = _run(folder, *UNPRIVILEGED, *SYNTHESIZE)
    assert _line(run) == "error: data/raw/mine/7.png: cannot be read: Permission denied"
    assert not list((folder / "data").glob("lr/x2/train/*"))
