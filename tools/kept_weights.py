"""The results of a training in weights/: a network for `upscale`, or weights to start from."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np


def export(weights: bytes, scale: int, target: Path) -> None:
    """Write the network of a file of weights as an ONNX file for `upscale`."""
    from srstudy.export.onnx_files import save_onnx  # starts TensorFlow
    from srstudy.networks.shared.weights import load

    with TemporaryDirectory() as folder:
        source = Path(folder) / "trained.weights.h5"
        source.write_bytes(weights)
        model, architecture = load(source, scale)
        save_onnx(target, model, architecture, source, half=True)


def halved(weights: bytes) -> bytes:
    """A file of weights with numbers of 16 bits, so half the size; Keras can still read it."""
    halves = io.BytesIO()
    with h5py.File(io.BytesIO(weights), "r") as source, h5py.File(halves, "w") as target:
        for key, value in source.attrs.items():
            target.attrs[key] = value

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                # Rounded by NumPy, because HDF5 does not round to the nearest number.
                whole = item[()]
                data = whole.astype(np.float16) if whole.dtype == np.float32 else whole
                target.create_dataset(name, data=data)
            else:
                target.require_group(name)
            for key, value in item.attrs.items():
                target[name].attrs[key] = value

        source.visititems(copy)
    return halves.getvalue()
