"""Stage `compare`: one picture for each test image: all methods side by side and a zoomed crop.

    python -m stages.compare --scale 2 --test-set set5

It also writes the same versions, compressed, to data/gallery, for the report page.
"""

from pathlib import Path

import cv2
import numpy as np

from srstudy.common.command_line import parse
from srstudy.common.files import read_json, whole_folder, write_json
from srstudy.common.params import read
from srstudy.common.progress import progress
from srstudy.common.running import run
from srstudy.datasets.lr_folders import FULL, names, read_pair
from srstudy.imagefiles.png import write_png
from srstudy.imagefiles.reading import read_image
from srstudy.report.gallery import TRUTH, gallery_folder, pictures
from srstudy.report.pictures import caption, comparison, squared_error
from srstudy.scoring.evaluation import images_folder, methods_at, scores_file
from srstudy.scoring.leftovers import keep_only
from srstudy.scoring.metrics import first_metric
from srstudy.scoring.settings import MethodSettings
from srstudy.scoring.tables import of_metric


def main() -> None:
    """Compose LR, each method and the ground truth; the crop shows where bicubic is worst."""
    arguments = parse(__doc__, "scale", "test_set")
    scale, test_set = arguments.scale, arguments.test_set

    source = Path(f"data/lr/x{scale}/test") / test_set
    methods = methods_at(read(MethodSettings), scale)
    images = {method: images_folder(scale, method, test_set) for method in methods}
    files = {method: scores_file(scale, method, test_set) for method in methods}
    for paths in (images.values(), files.values()):
        keep_only(next(iter(paths)).parent, set(paths))
    scores, first = {method: read_json(path) for method, path in files.items()}, first_metric()
    output = Path(f"data/pictures/x{scale}") / test_set
    found = names(source)
    with whole_folder(output) as partial, whole_folder(gallery_folder(scale, test_set)) as gallery:
        for name in progress(found, f"compare {test_set} x{scale}", len(found), "image"):
            lr, hr = read_pair(source, FULL, name)
            size = (hr.shape[1], hr.shape[0])
            pixels = cv2.resize(lr, size, interpolation=cv2.INTER_NEAREST)
            restored = {method: read_image(images[method] / f"{name}.png") for method in methods}
            versions = {f"LR, {lr.shape[1]} x {lr.shape[0]}": pixels.astype(np.uint8)}
            for method, image in restored.items():
                score = of_metric(scores[method][name], first, files[method])
                versions[caption(method, score)] = image
            versions[TRUTH] = hr
            error = squared_error(hr, restored["bicubic"])
            write_png(partial / f"{name}.png", comparison(versions, error))
            write_json(gallery / f"{name}.json", pictures(hr, restored))
    print(f"{output}: {len(list(output.iterdir()))} pictures")


if __name__ == "__main__":
    run(main)
