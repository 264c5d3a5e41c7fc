"""What a training leaves in weights/: a network for `upscale`, or weights to start from."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np


def export(weights: bytes, scale: int, target: Path) -> None:
    """The network of a file of weights as `upscale` takes it, an ONNX file."""
    from srstudy.export.onnx_files import save_onnx  # starts TensorFlow
    from srstudy.networks.shared.weights import load

    with TemporaryDirectory() as folder:
        source = Path(folder) / "trained.weights.h5"
        source.write_bytes(weights)
        model, architecture = load(source, scale)
        save_onnx(target, model, architecture, source, half=True)


def halved(weights: bytes) -> bytes:
    """A file of weights with numbers of 16 bits, in half the size; Keras reads it as any other."""
    halves = io.BytesIO()
    with h5py.File(io.BytesIO(weights), "r") as source, h5py.File(halves, "w") as target:
        for key, value in source.attrs.items():
            target.attrs[key] = value

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                # Rounded by NumPy: HDF5's own conversion is not to the nearest.
                whole = item[()]
                data = whole.astype(np.float16) if whole.dtype == np.float32 else whole
                target.create_dataset(name, data=data)
            else:
                target.require_group(name)
            for key, value in item.attrs.items():
                target[name].attrs[key] = value

        source.visititems(copy)
    return halves.getvalue()
