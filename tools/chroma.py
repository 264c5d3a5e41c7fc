"""The gain from filtering chroma along luma, on held-out images: docs/chroma.csv.

    python -m tools.chroma [--model clean]

LR at x2 by MATLAB's bicubic, then JPEG (4:2:0) or noise on RGB. Luma is either the output of a
model, or the true luma of the HR image, which shows the limit of the filter. Guides: the LR luma,
or the restored luma, shrunk. Gain: the RGB PSNR in dB over that of bicubic chroma with the same
luma.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.reading import read_image
from srstudy.images.colour import colour_differences, with_luma
from srstudy.images.psnr import psnr
from srstudy.upscale.chroma import LEAST_NOISE, RADIUS, chroma_noise, filtered
from srstudy.upscale.models import MODELS
from srstudy.upscale.runtime import networks
from tools.held_out import images
from tools.photo_cases import CLEAN, spoiled

TABLE = Path("docs/chroma.csv")
SCALE = 2
MADE_BY = degradation("matlab")
# Guide, radius and least noise of the filters that are compared.
FILTERS = [
    *(("restored", radius, LEAST_NOISE) for radius in (1, 2, 3)),
    *(("restored", RADIUS, least) for least in (0, 2, 8)),
    ("LR", RADIUS, LEAST_NOISE),
]
Image = NDArray[np.uint8]
Plane = NDArray[np.float32]
CASES = (CLEAN, "jpeg75", "jpeg50", "jpeg30", "noise5", "noise10")


def main() -> None:
    """Measure all held-out colour images and write the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS[1:], default="clean")
    model = parser.parse_args().model
    (network,) = networks(SCALE, model, "cpu")
    rows = [
        row
        for path in images()
        if (hr := MADE_BY.pair(read_image(path), SCALE).hr).ndim == 3
        for case in CASES
        for lr in [spoiled(MADE_BY.degrade(hr, SCALE), case, path.stem)]
        for row in _scores(hr, case, lr, model, network.restore_luma)
    ]
    keys = ["luma", "guide", "radius", "least_noise", "case"]
    means = pd.DataFrame(rows).groupby(keys, sort=False).mean()
    means["images"] = pd.DataFrame(rows).groupby(keys, sort=False).size()
    with whole_file(TABLE) as partial:
        means.round(3).to_csv(partial)
    print(TABLE.read_text("utf-8"))


def _scores(
    hr: Image, case: str, lr: Image, model: str, restore: Callable[[Plane], Plane]
) -> Iterator[dict[str, object]]:
    own = MADE_BY.protocol.luma(lr).astype(np.float32)
    true = MADE_BY.protocol.luma(hr).astype(np.float32)
    chroma, noise = colour_differences(lr.astype(np.float32)), chroma_noise(lr)
    for luma_of, luma in ((model, restore(own)), ("true", true)):
        size = (lr.shape[1], lr.shape[0])
        small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        before = _score(hr, chroma, luma)
        for guide, radius, least in FILTERS:
            plane = own if guide == "LR" else small
            after = _score(
                hr, filtered(chroma, plane, noise + np.float32(least), int(radius)), luma
            )
            yield {
                "luma": luma_of, "guide": guide, "radius": radius, "least_noise": float(least),
                "case": case, "psnr_rgb": after, "gain": after - before,
            }  # fmt: skip


def _score(hr: Image, chroma: Plane, luma: Plane) -> float:
    restored = np.empty_like(hr)
    enlarged = MADE_BY.interpolation.planes(chroma, SCALE)
    with_luma(enlarged, luma, MADE_BY.protocol.swing, into=restored)
    return psnr(MADE_BY.protocol.crop(hr, SCALE), MADE_BY.protocol.crop(restored, SCALE))


if __name__ == "__main__":
    run(main)
