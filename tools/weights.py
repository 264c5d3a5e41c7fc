"""Export the committed study's networks for `upscale`: from models/ to weights/, with their card.

    make weights

Run it after a training whose results are committed, with data and models pulled.
"""

import srstudy.backend.quiet  # noqa: F401, I001  (first: it silences TensorFlow's start)

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from srstudy.common.errors import InputError
from srstudy.common.files import read_json
from srstudy.common.params import PARAMS_FILE
from srstudy.common.running import run
from srstudy.common.yaml_file import load_yaml
from srstudy.datasets.lr_folders import FULL, names, read_pair
from srstudy.export.onnx_files import save_onnx
from srstudy.networks.shared.sizes import sizes
from srstudy.networks.shared.weights import load
from srstudy.scoring.tables import markdown
from srstudy.upscale.runtime import load_network
from srstudy.scoring.evaluation import SETTINGS
from srstudy.upscale.models import STUDY_SCALES, WEIGHTS
from tools import verify_weights
from tools.writing import write_text

SUMMARY, TEST_SET = Path("metrics/summary.json"), "set5"
CARD = """# Weights of the committed study

`upscale --model plain`, `regularized` and `cascade`; those of `make long`, `make photo` and
`make fast` have cards of their own: clean.md, photo.md, fast.md. Written by `make weights`
from the models that [dvc.lock](../dvc.lock) names: each file's metadata has its model's MD5.

- **Network**: `{network}` ({size}), luma only; ONNX, {precision} weights, computed in float32.
- **Data**: {train_set}, LR made by the `{degradation}` degradation: bicubic, without noise or
  compression. Photographs that were compressed hard or are blurred are enlarged with their faults.
- **Robustness** to compression and noise: [docs/photographs.md](../docs/photographs.md).
- **Recipe**: [params.yaml](../params.yaml), {loss} loss; `regularized` with lambda = {weight:g}.
- **Licence**: MIT, as all of this project. The training images belong to their authors; they are
  not in these files.

PSNR in dB on {test_set}, of the trained model ([metrics/](../metrics)) and of the ONNX file:

{table}
"""


def main() -> None:
    """Export every model, score it again, write the card."""
    params = load_yaml(PARAMS_FILE)
    committed = read_json(SUMMARY)["psnr"].get(TEST_SET, {})
    if missing := [scale for scale in STUDY_SCALES if f"x{scale}" not in committed]:
        raise InputError(
            f"{SUMMARY}: found no scores of {TEST_SET} at x{missing[0]}; allowed: those of a study "
            f"with {TEST_SET} and the scales {', '.join(map(str, STUDY_SCALES))}"
        )
    rows = []
    for scale in STUDY_SCALES:
        for setting in SETTINGS:
            source = Path(f"models/x{scale}-{setting}.weights.h5")
            target = WEIGHTS / f"x{scale}-{setting}.onnx"
            model, architecture = load(source, scale)
            save_onnx(target, model, architecture, source, half=True)
            found = score(target, scale)
            expected = committed[f"x{scale}"][setting]
            size = f"{target.stat().st_size / 1000:.0f} kB"
            rows.append([target.name, size, f"{expected:.4f}", f"{found:.4f}"])
            print(*rows[-1], sep="  ")
    network = params["network"]
    write_text(
        WEIGHTS / "README.md",
        CARD.format(
            network=network,
            size=in_words(sizes(network, params["network_size"][network])),
            precision="float16",
            train_set=params["train_set"],
            degradation=params["degradation"],
            loss=params["loss"],
            weight=params["lambda"],
            test_set=TEST_SET,
            table=markdown(["file", "size", "PSNR of the model", "PSNR of this file"], rows),
        ),
    )


def in_words(size: Mapping[str, Any]) -> str:
    """The sizes of a network for the card: `32 channels, 13 blocks, equivariant`."""
    return ", ".join(
        key if value is True else f"{value} {key}"
        for key, value in size.items()
        if value is not False
    )


def score(path: Path, scale: int) -> float:
    """The mean PSNR of an ONNX file on the synthesized test set."""
    folder = Path(f"data/lr/x{scale}/test") / TEST_SET
    if not folder.is_dir():
        raise InputError(f"{folder}: is missing; run `dvc pull` or `dvc repro`")
    pairs = (read_pair(folder, FULL, name) for name in names(folder))
    return verify_weights.score(pairs, load_network(path))


if __name__ == "__main__":
    run(main)
