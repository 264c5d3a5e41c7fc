"""The package `sr-upscale`: a wheel of the command `upscale`, in dist/.

    make wheel

It has the room `upscale`, all modules that this imports, and weights/; srstudy/upscale/
pyproject.toml describes it. It needs a Python with pip, but none of the study's packages;
setuptools is downloaded if it is missing.
"""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
ROOM = Path("srstudy/upscale")
COMMAND = "srstudy.upscale.__main__"
STUDY_ALONE = "srstudy.export"  # reads the files of a training with TensorFlow
CHOICES = Path("srstudy/degradations")  # loaded by name, so all of them are included
SETUPTOOLS = 77  # the first version that supports `license-files`
EPOCH = "315532800"  # the time of every file: the earliest possible time in a ZIP file


def main() -> None:
    """Build the wheel and print its path."""
    with tempfile.TemporaryDirectory() as folder:
        collect(Path(folder) / "source")
        built = build(Path(folder) / "source", Path(folder))
        target = DIST / built.name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(built, target)
    print(f"{os.path.relpath(target)}: {target.stat().st_size} bytes")


def modules() -> list[Path]:
    """The files of the package's modules, relative to the root, sorted by name."""
    found: set[Path] = set()
    waiting = [COMMAND, *(f"{'.'.join(CHOICES.parts)}.{p.stem}" for p in _chosen())]
    while waiting:
        name = waiting.pop()
        path = Path(*name.split(".")).with_suffix(".py")
        if path in found or not (ROOT / path).is_file() or name.startswith(f"{STUDY_ALONE}."):
            continue
        found.add(path)
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return sorted(found)


def _chosen() -> list[Path]:
    return list((ROOT / CHOICES).glob("*.py"))


def collect(folder: Path) -> None:
    """Copy the files of the package to a new folder, in the layout of the installation."""
    places = {path: path for path in modules()}
    weights = ROOT / "weights"
    for path in (*weights.glob("*.md"), *weights.glob("x*.onnx")):
        places[path.relative_to(ROOT)] = ROOM / "weights" / path.name
    places |= {Path("LICENSE"): Path("LICENSE"), ROOM / "pyproject.toml": Path("pyproject.toml")}
    for source, place in places.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / source, folder / place)
        (folder / place).chmod(0o644)  # so that the wheel does not depend on the mode here


def build(source: Path, target: Path) -> Path:
    """Build the wheel of a folder with a pyproject.toml in another folder; return its path."""
    isolation = ["--no-build-isolation"] if _has_setuptools() else []
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *isolation]
    ended = subprocess.run(
        [*command, "--wheel-dir", target, source],
        cwd=target,
        umask=0o022,  # as above, for the files that the builder writes
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    if ended.returncode:
        sys.exit(f"error: {sys.executable} -m pip: could not build the wheel: see above")
    (wheel,) = target.glob("*.whl")
    return wheel


def _has_setuptools() -> bool:
    if not all(importlib.util.find_spec(name) for name in ("setuptools", "pip")):
        return False
    return int(version("setuptools").partition(".")[0]) >= SETUPTOOLS


if __name__ == "__main__":
    main()
