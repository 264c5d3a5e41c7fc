import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from srstudy.common.errors import InputError
from srstudy.mnist.digits import digit_network, read_digits, read_idx


def idx(values: np.ndarray, kind: int = 8) -> bytes:
    """The IDX format as its authors describe it: type, dimensions, big-endian sizes, bytes."""
    head = bytes([0, 0, kind, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.tobytes()


def write_digits(folder: Path, name: str, data: bytes) -> Path:
    path = folder / f"{name}-ubyte.gz"
    path.write_bytes(gzip.compress(data))
    return path


def test_images_and_labels_are_read_correctly(tmp_path: Path) -> None:
    images = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
    labels = np.array([7, 0, 9], np.uint8)
    write_digits(tmp_path, "train-images-idx3", idx(images))
    write_digits(tmp_path, "train-labels-idx1", idx(labels))
    read, classes = read_digits(tmp_path, "train")
    assert read.shape == (3, 28, 28, 1)
    assert np.array_equal(np.round(read[..., 0] * 255), images)
    assert classes.tolist() == [7, 0, 9]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        idx(np.zeros(3, np.uint8), kind=13),
        idx(np.zeros((2, 2), np.uint8))[:-1],
        idx(np.zeros((2, 2), np.uint8)) + b"x",
        idx(np.zeros((2, 2), np.uint8))[:6],
    ],
    ids=["empty", "another type", "too short", "too long", "cut in its header"],
)
def test_file_that_is_not_an_idx_file_of_bytes_is_named(tmp_path: Path, data: bytes) -> None:
    path = write_digits(tmp_path, "train-images-idx3", data)
    with pytest.raises(InputError, match=path.name):
        read_idx(path)


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    path = write_digits(tmp_path, "train-images-idx3", idx(np.zeros((9, 9), np.uint8)))
    whole = path.read_bytes()
    for damaged in (whole[:12], whole[:14] + b"\xff\xff" + whole[16:], b"text"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=path.name):
            read_idx(path)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_network_is_the_published_warm_up(precision: str) -> None:
    network = digit_network(0.4, precision)
    # conv 5*5*1*32+32, conv 5*5*32*64+64, dense 7*7*64*1024+1024, dense 1024*10+10
    assert network.count_params() == 832 + 51_264 + 3_212_288 + 10_250
    logits = network(np.zeros((2, 28, 28, 1), np.float32))
    assert logits.shape == (2, 10)
    assert logits.dtype == "float32"
