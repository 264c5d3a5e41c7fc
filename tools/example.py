"""The README's picture: an embedded photograph at x4, restored by the networks of weights/.

python -m tools.example
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from stages.core.datasets import fetch
from stages.core.degradation import crop_to_multiple, degrade, upscale
from stages.core.images import read_image, write_png
from stages.core.pictures import comparison
from stages.core.protocol import Protocol
from stages.core.scores import psnr
from stages.core.upscaling import enlarge, networks

SCALE = 4
PICTURE = Path("docs/example.png")


def main() -> None:
    """Degrade the photograph, enlarge it by interpolation and by the network, put them together."""
    with TemporaryDirectory() as folder:
        fetch("sample", Path(folder) / "sample")
        hr = crop_to_multiple(read_image(Path(folder) / "sample/chelsea.png"), SCALE)
    lr, protocol = degrade(hr, SCALE), Protocol("matlab")
    methods = {
        "bicubic interpolation": upscale(lr, SCALE),
        "this study's x4": enlarge(lr, networks(SCALE)),
    }
    versions = {}
    for name, image in methods.items():
        pair = [protocol.crop(protocol.luma(one), SCALE) for one in (hr, image.astype(np.uint8))]
        versions[f"{name}, {psnr(*pair):.2f} dB"] = image.astype(np.uint8)
    error = np.square(hr.astype(float) - methods["bicubic interpolation"]).sum(axis=2)
    write_png(PICTURE, comparison({**versions, "ground truth": hr}, error))
    print(f"{PICTURE}: {PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
