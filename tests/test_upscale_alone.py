"""The command without the study: its imports, and the package `sr-upscale`."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from srstudy.imagefiles.reading import Photo
from srstudy.upscale import __main__ as upscale_command
from srstudy.upscale.models import DEFAULT, SCALES_OF
from srstudy.upscale.photo_writing import write_photo
from srstudy.upscale.upscaling import upscale
from tests.imports import ROOT
from tools import wheel

# Only for the study: the modules of the wheel must not need these.
STUDY_ALONE = (
    "tensorflow", "keras", "dvc", "h5py", "pandas", "pydantic", "ruamel", "yaml", "networkx",
    "pooch", "skimage", "requests", "tf2onnx", "onnx", "matplotlib",
    "srstudy.backend", "srstudy.datasets", "srstudy.export", "srstudy.losses", "srstudy.mnist",
    "srstudy.networks", "srstudy.patches", "srstudy.report", "srstudy.study", "srstudy.training",
    "stages", "tools", "tests",
)  # fmt: skip
# Run before any other import: as if these were not installed.
BLOCKER = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == b or name.startswith(b + ".") for b in {STUDY_ALONE!r}):
            raise ModuleNotFoundError(f"{{name}} is blocked", name=name)
sys.meta_path.insert(0, Blocker())
"""
DISTRIBUTIONS = {"cv2": "opencv-python-headless", "PIL": "pillow"}  # others: same name


def _described(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text("utf-8"))["project"]


PACKAGE = "srstudy/upscale/pyproject.toml"
ROOMS = {"common", "images", "imagefiles", "degradations", "scoring", "upscale"}


def _blocked(folder: Path, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", BLOCKER + code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def _beside_choices(said: str) -> list[str]:
    """All lines except those about the choice of `auto`."""
    return [line for line in said.splitlines() if "; model from here on: " not in line]


COMMAND = "from srstudy.upscale.__main__ import main; main()"


@pytest.fixture
def photos(tmp_path: Path, photo: NDArray[np.uint8]) -> Path:
    """A folder of files that need different code, inside a folder for output."""
    folder, small = tmp_path / "in", photo[:20, :24]
    folder.mkdir()
    Image.fromarray(small).save(folder / "colour.jpg")
    Image.fromarray(small).convert("CMYK").save(folder / "cmyk.tif")
    Image.fromarray(small[..., 1]).save(folder / "grey.webp")
    write_photo(folder / "alpha.png", Photo(np.dstack([small, small[..., 0]])))
    write_photo(folder / "deep.tiff", Photo(small.astype(np.uint16) * 257))
    return tmp_path


def test_modules_that_are_blocked_cannot_be_imported(tmp_path: Path) -> None:
    for name in ("keras", "srstudy.networks.edsr", "h5py"):
        ended = _blocked(tmp_path, f"import {name}")
        assert f"{name.partition('.')[0]}" in ended.stderr and "is blocked" in ended.stderr


def test_photographs_are_upscaled_without_networks_training_and_their_packages(
    photos: Path,
) -> None:
    for number, more in enumerate((["--format", "tiff"], ["--scale", "4", "--model", "cascade"])):
        ended = _blocked(photos, COMMAND, "in", "-o", f"out{number}", *more)
        assert ended.returncode == 0 and not _beside_choices(ended.stderr), ended.stderr
        assert len(list((photos / f"out{number}").iterdir())) == 5
    code = (
        "import numpy as np; from srstudy.upscale.upscaling import upscale; "
        "print(upscale(np.zeros((5, 6, 4), np.uint16), scale=8, ensemble=True).shape)"
    )
    assert _blocked(photos, code).stdout == "(40, 48, 4)\n"


def test_file_of_a_training_is_refused_without_the_study(photos: Path) -> None:
    (photos / "x2.weights.h5").write_bytes(b"")
    ended = _blocked(photos, COMMAND, "in", "-o", "out", "--weights", "x2.weights.h5")
    assert ended.returncode == 1
    assert ended.stderr == (
        "error: x2.weights.h5: can be read only by the whole study; allowed: an .onnx file, which "
        "`python -m srstudy.export` of the study makes\n"
    )


def test_help_imports_nothing_slow(tmp_path: Path) -> None:
    code = (
        "import sys; from srstudy.upscale.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({'numpy', 'cv2', 'PIL', 'onnxruntime', 'tifffile'} & set(sys.modules)))"
    )
    ended = _blocked(tmp_path, code, "--help")
    assert ended.returncode == 0 and ended.stdout.endswith("\n[]\n"), ended.stderr


def test_package_has_only_the_rooms_that_it_needs() -> None:
    modules = wheel.modules()
    assert {path.parts[1] for path in modules} == ROOMS
    room = {path.relative_to(ROOT) for path in (ROOT / "srstudy/upscale").glob("*.py")}
    assert room <= set(modules)
    assert not [path for path in modules if path.name == "settings.py"]


def test_package_requires_the_imports_of_its_modules_as_the_study_does() -> None:
    imported: set[str] = set()
    for path in wheel.modules():
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    third_party = imported - set(sys.stdlib_module_names) - {"srstudy"}
    asked = set(_described(PACKAGE)["dependencies"])
    names = {re.match(r"[\w-]+", line)[0] for line in asked}  # type: ignore[index]
    assert names == {DISTRIBUTIONS.get(name, name) for name in third_party}
    assert asked <= set(_described("pyproject.toml")["dependencies"])


def test_package_has_every_network_and_the_cards(tmp_path: Path) -> None:
    wheel.collect(tmp_path)
    held = {path.name for path in (tmp_path / "srstudy/upscale/weights").iterdir()}
    assert {path.name for path in (ROOT / "weights").glob("x*.onnx")} <= held
    assert {"README.md", "clean.md"} <= held and len(held) == len(
        list((ROOT / "weights").glob("*.*"))
    )


def test_command_and_package_name_every_scale_of_the_default_networks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    *first, last = SCALES_OF[DEFAULT]
    scales = f"{', '.join(map(str, first))} or {last} times"
    monkeypatch.setattr(sys, "argv", ["upscale", "--help"])
    with pytest.raises(SystemExit):
        upscale_command.main()
    said = " ".join(capsys.readouterr().out.split())
    texts = (said, upscale_command.__doc__, upscale.__doc__, _described(PACKAGE)["description"])
    assert [scales in str(text) for text in texts] == [True] * 4


def test_package_has_the_study_s_version_and_licence() -> None:
    package, study = _described(PACKAGE), _described("pyproject.toml")
    assert (package["version"], package["license"]) == (study["version"], study["license"])


def _clean() -> dict[str, str]:
    """The environment, without variables by which another Python would find the checkout."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_wheel_works_by_itself_and_gives_the_bytes_of_bin_upscale(
    photos: Path, tmp_path: Path
) -> None:
    wheel.collect(tmp_path / "source")
    built = wheel.build(tmp_path / "source", tmp_path)
    # The same versions as here, because equal bytes are promised only for equal versions.
    names = [re.match(r"[\w-]+", line)[0] for line in _described(PACKAGE)["dependencies"]]  # type: ignore[index]
    pins = tmp_path / "pins.txt"
    pins.write_text("".join(f"{name}=={version(name)}\n" for name in names))
    python = tmp_path / "alone/bin/python"
    commands: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", tmp_path / "alone"],
        [python, "-m", "pip", "install", "--quiet", "--constraint", pins, built],
    ]
    for command in commands:
        subprocess.run(command, cwd=tmp_path, env=_clean(), check=True)

    def run(*command: str | Path) -> str:
        ended = subprocess.run(
            command, cwd=photos, env=_clean(), capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == 0 and not _beside_choices(ended.stderr), ended.stderr
        return ended.stdout

    listed = run(python, "-m", "pip", "list", "--disable-pip-version-check").lower()
    assert "sr-upscale" in listed
    assert not [name for name in ("tensorflow", "keras", "dvc", "h5py", "pandas") if name in listed]
    where = run(python, "-c", "import srstudy.upscale.upscaling as found; print(found.__file__)")
    assert Path(where.strip()).is_relative_to(tmp_path / "alone")
    alone = tmp_path / "alone/bin/sr-upscale"
    assert run(alone, "--help").startswith("usage: sr-upscale ")
    for more in (["--format", "tiff"], ["--scale", "4", "--model", "cascade"]):
        made = {}
        for name, program in (("wheel", alone), ("checkout", ROOT / "bin/upscale")):
            run(program, "in", "-o", name, *more, "--force", "--device", "cpu")
            made[name] = {path.name: path.read_bytes() for path in (photos / name).iterdir()}
        assert made["wheel"] == made["checkout"] and len(made["wheel"]) >= 5
    call = (
        "import numpy as np; from srstudy.upscale.upscaling import upscale; "
        "image = np.random.default_rng(0).integers(256, size=(9, 8, 3), dtype=np.uint8); "
        "print(upscale(image, scale=4, device='cpu').tobytes().hex())"
    )
    here = subprocess.run(
        [sys.executable, "-c", call],
        env={**_clean(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run(python, "-c", call) == here.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_wheel_always_has_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    made = []
    for name, mask in (("one", 0o022), ("other", 0o077)):
        monkeypatch.setattr(wheel, "DIST", tmp_path / name)
        monkeypatch.setattr(sys, "argv", ["wheel"])
        before = os.umask(mask)
        try:
            wheel.main()
        finally:
            os.umask(before)
        (built,) = (tmp_path / name).iterdir()
        assert capsys.readouterr().out.endswith(f"{built.name}: {built.stat().st_size} bytes\n")
        made.append((built.name, built.read_bytes()))
    assert made[0] == made[1] and made[0][0].endswith("-py3-none-any.whl")
