"""Command `export`: trained networks as files for other programs, ONNX and LiteRT.

    python -m srstudy.export -o exported/
    python -m srstudy.export models/x2-plain.weights.h5 -o exported/

The input of each network is LR luma, float32 (1, h, w, 1) in [0, 1], and the output is HR luma, for
any h and w of at least 2. Luma is BT.601 luma divided by 255: from 16 to 235 for the `matlab`
degradation, full range for `opencv`.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

import argparse
import sys
from pathlib import Path

from srstudy.common.errors import InputError
from srstudy.export.onnx_files import save_litert, save_onnx
from srstudy.networks.shared.described import SUFFIX
from srstudy.networks.shared.weights import load


def main() -> None:
    """Write NAME.onnx and NAME.tflite for each models/NAME.weights.h5."""
    parser = argparse.ArgumentParser(prog="export", description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="*", type=Path, metavar="FILE",
                        help=f"default: every models/*{SUFFIX}")  # fmt: skip
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    try:
        found = arguments.weights or sorted(Path("models").glob(f"x*{SUFFIX}"))
        if not found:
            raise InputError("models: holds no network; `dvc repro` or `dvc pull` brings them")
        for path in found:
            model, architecture = load(path)
            name = path.name.removesuffix(SUFFIX)
            onnx, litert = (arguments.output / f"{name}{suffix}" for suffix in (".onnx", ".tflite"))
            save_onnx(onnx, model, architecture, path)
            save_litert(litert, model)
            for target in (onnx, litert):
                print(f"{target}: {target.stat().st_size} bytes")
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
