"""A report page of small results, made by its stage in a folder of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from srstudy.datasets.shared_pictures import shared_file
from srstudy.report.gallery import gallery_folder, pictures
from tests.imports import ROOT

CURVE = "step,epoch,learning_rate,loss,validation_psnr\n10,1,0.1,0.2,30.5\n20,2,0.1,0.1,31.5\n"


@dataclass(frozen=True)
class Results:
    """What a study found: its methods by scale; its images and their gains by test set.

    An image's n-th method has the PSNR `least` + n * gain, and an SSIM of a hundredth of it; None
    in place of a gain: none of its scores is finite.
    """

    methods: Mapping[int, Sequence[str]]
    images: Mapping[str, Mapping[str, NDArray[np.uint8]]]
    gains: Mapping[str, Mapping[str, float | None]]
    least: float = 25.0
    shared: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)

    def scores(self, test_set: str, image: str, scale: int) -> dict[str, dict[str, float | None]]:
        """{metric: {method: value}}."""
        gain = self.gains[test_set][image]
        psnr = {
            method: None if gain is None else round(self.least + number * gain, 4)
            for number, method in enumerate(self.methods[scale])
        }
        return {
            "psnr": psnr,
            "ssim": {m: None if value is None else value / 100 for m, value in psnr.items()},
        }


def make_report(folder: Path, results: Results) -> Path:
    """Write what the stage reads, and run it; the page."""
    random = np.random.default_rng(0)

    @cache
    def shown(test_set: str, image: str, scale: int) -> str:
        """Of images that are the same array, what is shown is made once."""
        truth = results.images[test_set][image]
        versions = {
            method: np.clip(truth + random.normal(0, 20 / (1 + number), truth.shape), 0, 255)
            for number, method in enumerate(results.methods[scale])
        }
        as_bytes = {name: version.astype(np.uint8) for name, version in versions.items()}
        return json.dumps(pictures(truth, as_bytes))

    firsts: dict[tuple[int, int], tuple[str, str]] = {}
    summary: dict[str, Any] = {"psnr": {}, "ssim": {}}
    for test_set, images in results.images.items():
        content: dict[str, Any] = {"protocol": "as tests do"}
        for scale in results.methods:
            gallery = folder / gallery_folder(scale, test_set)
            gallery.mkdir(parents=True)
            for name, image in images.items():
                scores = results.scores(test_set, name, scale)
                content.setdefault(f"x{scale}", {})[name] = scores
                same = firsts.setdefault((id(image), scale), (test_set, name))
                (gallery / f"{name}.json").write_text(shown(*same, scale))
        _write(folder / f"metrics/images/{test_set}.json", content)
        _write(folder / shared_file(test_set), results.shared.get(test_set, []))
        for key, means in summary.items():
            means[test_set] = {
                scale: next(iter(scores.values()))[key]
                for scale, scores in content.items()
                if scale != "protocol"
            }
    _write(folder / "metrics/summary.json", summary)
    write_study(folder, results.methods, list(results.images))
    run_stage(folder, "stages.report")
    return folder / "report/index.html"


def write_study(
    folder: Path, methods: Mapping[int, Sequence[str]], test_sets: Sequence[str]
) -> None:
    """What the report reads beside scores and pictures: params, the graph, curves, the ablation."""
    trained = [f"x{scale}-{kind}" for scale in methods for kind in ("plain", "regularized")]
    for name in ("pretrained", *trained):
        result = {"validation": {"x2": {"plain": {"psnr": 31.5, "steps": 20}}}}
        _write(folder / f"metrics/validation/{name}.json", result)
        (folder / "metrics/curves").mkdir(exist_ok=True)
        (folder / f"metrics/curves/{name}.csv").write_text(CURVE)
    (folder / "docs").mkdir()
    for name in ("ablation.csv", "networks-chart.csv"):
        shutil.copy(ROOT / "docs" / name, folder / "docs")
    shutil.copy(ROOT / "dvc.yaml", folder)
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params |= {"scales": list(methods), "test_sets": list(test_sets), "network": "srcnn"}
    cascades = [scale for scale, names in methods.items() if "plain-cascade" in names]
    (folder / "params.yaml").write_text(yaml.safe_dump({**params, "cascade_scales": cascades}))


def run_stage(folder: Path, *command: str) -> str:
    """Run a stage in a folder; what it says on its output."""
    run = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    return run.stdout


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
