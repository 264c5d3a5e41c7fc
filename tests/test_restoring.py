from functools import partial as bind

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from srstudy.degradations.shared.degradation import degradation
from srstudy.images.colour import luma
from srstudy.images.orientations import ORIENTATIONS, turned, turned_back
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.inference import restore_luma
from srstudy.scoring.restoring import restore, self_ensemble

MATLAB = degradation("matlab")


@pytest.fixture
def x2() -> keras.Model:
    """An untrained residual network, which is the bicubic interpolation."""
    size = {"channels": 4, "blocks": 1, "equivariant": False}
    return Architecture("edsr", 2, size, "matlab").build()


def test_colour_takes_its_chroma_from_bicubic_interpolation(
    photo: NDArray[np.uint8], x2: keras.Model
) -> None:
    # Here luma is bicubic too: what is left is rounding, of uint8 after each axis.
    restored = restore(bind(restore_luma, x2), photo, 2, MATLAB)
    expected = MATLAB.enlarge(photo, 2)
    assert restored.shape == expected.shape and restored.dtype == np.uint8
    assert np.abs(restored.astype(int) - expected).max() <= 3


def test_luma_is_restored_unrounded(photo: NDArray[np.uint8], x2: keras.Model) -> None:
    restored = luma(restore(bind(restore_luma, x2), photo, 2, MATLAB), "studio")
    errors = [
        np.square(restored - restore_luma(x2, values)).mean()
        for values in (MATLAB.protocol.luma(photo), MATLAB.protocol.training_luma(photo))
    ]
    assert errors[0] < 0.5 * errors[1]


def test_grey_image_is_restored_as_grey(photo: NDArray[np.uint8]) -> None:
    model = Architecture("vdsr", 3, {"channels": 4, "layers": 3}, "matlab").build()
    grey = photo[:21, :17, 1]
    restored = restore(bind(restore_luma, model), grey, 3, MATLAB)
    assert restored.shape == (63, 51) and restored.dtype == np.uint8
    assert np.abs(restored - restore_luma(model, grey)).max() <= 0.5


def test_self_ensemble_treats_all_orientations_equally(
    photo: NDArray[np.uint8], x2: keras.Model
) -> None:
    random = np.random.default_rng(0)
    x2.set_weights([random.normal(0, 0.1, w.shape) for w in x2.get_weights()])
    lr = photo[:16, :24, 1]
    once = bind(restore_luma, x2)
    for function, alike in ((self_ensemble(once), True), (once, False)):
        restored = function(lr)
        assert restored.shape == (32, 48)
        of_turned = turned_back(function(turned(lr, 5)), 5)
        assert np.allclose(of_turned, restored, atol=0.01) == alike
    eight = [turned_back(once(turned(lr, o)), o) for o in range(ORIENTATIONS)]
    np.testing.assert_allclose(self_ensemble(once)(lr), np.mean(eight, 0), atol=1e-3)
