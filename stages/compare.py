"""Stage `compare`: one picture for each test image, all methods side by side with a zoomed crop.

python -m stages.compare --scale 2 --test-set set5
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from stages.core.evaluation import METHODS, images_folder, scores_file
from stages.core.files import read_json, whole_folder
from stages.core.images import read_image, write_png
from stages.core.lr_folders import FULL, names, read_pair
from stages.core.pictures import comparison
from stages.core.progress import progress
from stages.core.running import run
from stages.core.scales import SCALES


def main() -> None:
    """Compose LR, each method and the ground truth; the crop is where bicubic errs most."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, choices=SCALES, required=True)
    parser.add_argument("--test-set", required=True)
    arguments = parser.parse_args()
    scale, test_set = arguments.scale, arguments.test_set

    source = Path(f"data/lr/x{scale}/test") / test_set
    scores = {method: read_json(scores_file(scale, method, test_set)) for method in METHODS}
    output = Path(f"data/pictures/x{scale}") / test_set
    found = names(source)
    with whole_folder(output) as partial:
        for name in progress(found, f"compare {test_set} x{scale}", len(found), "image"):
            hr, lr = read_pair(source, FULL, name)
            size = (hr.shape[1], hr.shape[0])
            pixels = cv2.resize(lr, size, interpolation=cv2.INTER_NEAREST)
            versions = {f"LR, {lr.shape[1]} x {lr.shape[0]}": pixels.astype(np.uint8)}
            for method in (m for m in METHODS if scores[m]):
                psnr = scores[method][name]["psnr"]
                caption = method if psnr is None else f"{method}, {psnr:.2f} dB"
                versions[caption] = read_image(
                    images_folder(scale, method, test_set) / f"{name}.png"
                )
                if method == "bicubic":
                    error = np.square(versions[caption].astype(np.float64) - hr)
            versions["ground truth"] = hr
            interesting = error if error.ndim == 2 else error.sum(axis=2)
            write_png(partial / f"{name}.png", comparison(versions, interesting))
    print(f"{output}: {len(list(output.iterdir()))} pictures")


if __name__ == "__main__":
    run(main)
