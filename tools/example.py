"""The picture of the README: an embedded photograph at x4, restored by `upscale --model plain`.

python -m tools.example
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from srstudy.common.files import whole_file
from srstudy.common.running import run
from srstudy.datasets.download import fetch
from srstudy.degradations.shared.degradation import degradation
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.report.pictures import comparison, squared_error
from srstudy.upscale.upscaling import upscale

SCALE = 4
PICTURE = Path("docs/example.png")


def main() -> None:
    """Degrade the photograph, enlarge it by interpolation and with the network, compose both."""
    made_by = degradation("matlab")
    with TemporaryDirectory() as folder:
        fetch("sample", Path(folder) / "sample")
        lr, hr = made_by.pair(read_image(Path(folder) / "sample/chelsea.png"), SCALE)
    methods = {
        "bicubic interpolation": made_by.enlarge(lr, SCALE),
        f"this study's x{SCALE}": upscale(lr, SCALE, "plain").astype(np.uint8),
    }
    versions = {
        f"{name}, {made_by.protocol.psnr(hr, image, SCALE):.2f} dB": image
        for name, image in methods.items()
    }
    error = squared_error(hr, methods["bicubic interpolation"])
    with whole_file(PICTURE) as partial:
        write_png(partial, comparison({**versions, "ground truth": hr}, error))
    print(f"{PICTURE}: {PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    run(main)
