import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from srstudy.common.errors import InputError
from srstudy.export.receptive_field import receptive_field_radius
from srstudy.imagefiles.listing import SUFFIXES
from srstudy.imagefiles.reading import Photo, read_photo
from srstudy.images.interpolation import MATLAB_BICUBIC
from srstudy.networks.shared.architecture import Architecture
from srstudy.networks.shared.weights import save
from srstudy.upscale import __main__ as command
from srstudy.upscale.photo_writing import write_photo
from srstudy.upscale.runtime import Network, load_network
from srstudy.upscale.upscaling import count_tiles, restore_photo, upscale
from tests.imports import ROOT
from tests.small import NETWORKS, as_trained, small


def _weights(folder: Path, network: str, scale: int) -> Path:
    """A weights file of a small network with random weights."""
    architecture = small(network, scale)
    path = folder / f"{network}-{scale}.weights.h5"
    save(path, as_trained(architecture), architecture)
    return path


@pytest.fixture(scope="module")
def x2(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return load_network(_weights(tmp_path_factory.mktemp("x2"), "progressive", 2))


@pytest.mark.parametrize("scale", [2, 8])
@pytest.mark.parametrize("network", NETWORKS)
def test_tiled_equals_untiled(
    tmp_path: Path, photo: NDArray[np.uint8], network: str, scale: int
) -> None:
    steps = [load_network(_weights(tmp_path, network, scale))]
    image = photo[:50, :60]
    whole = restore_photo(image, steps, side=10_000)
    assert count_tiles(image, steps, side=10_000) == 1
    side = 40 * scale
    assert count_tiles(image, steps, side) >= 4
    tiled = restore_photo(image, steps, side=side)
    assert np.abs(tiled.astype(int) - whole).max() <= 1


@pytest.mark.parametrize(
    ("network", "scale", "size", "radius"),
    [
        # 1 for the first and the last layer, 2 for each block; at x4, the 6 of the second step
        # count as 3.
        ("edsr", 2, {"channels": 2, "blocks": 2, "equivariant": False}, 6),
        ("progressive", 4, {"channels": 2, "blocks": 2, "equivariant": False}, 9),
        # 5 x 5, 3 x 3, 3 x 3.
        ("espcn", 3, {"first": 2, "second": 2}, 4),
        # Many layers, which each pass on a small part of the gradient: 2 for each block, 1 for the
        # first and the last layer. With the default blocks, the steps have 28, 14 and 7.
        ("edsr", 2, {"channels": 1, "blocks": 40, "equivariant": False}, 82),
        ("progressive", 8, {"channels": 8, "blocks": 13, "equivariant": True}, 49),
    ],
)
def test_receptive_field_radius_is_the_distance_on_which_a_pixel_depends(
    network: str, scale: int, size: dict[str, int], radius: int
) -> None:
    assert receptive_field_radius(Architecture(network, scale, size, "matlab")) == radius


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3), (9, 7, 4), (1, 1), (1, 30, 3)])
def test_output_has_the_kind_of_the_input(x2: Network, dtype: Any, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(np.iinfo(dtype).max, size=shape, dtype=dtype)
    large = restore_photo(image, [x2])
    assert large.dtype == dtype and large.shape == (shape[0] * 2, shape[1] * 2, *shape[2:])


def test_16_bit_images_keep_their_precision(x2: Network, photo: NDArray[np.uint8]) -> None:
    coarse = restore_photo(photo, [x2])
    fine = restore_photo(photo.astype(np.uint16) * 257, [x2])
    assert np.abs(fine / 257 - coarse).max() <= 0.5 + 1e-6
    assert len(np.unique(fine)) > 1000


@pytest.mark.parametrize("alpha", [255, 100, 0])
def test_constant_alpha_changes_no_colours(
    x2: Network, photo: NDArray[np.uint8], alpha: int
) -> None:
    plane = np.full(photo.shape[:2], alpha, np.uint8)
    large = restore_photo(np.dstack([photo, plane]), [x2])
    np.testing.assert_array_equal(large[..., :3], restore_photo(photo, [x2]))
    assert (large[..., 3] == alpha).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_itself_is_bicubic(x2: Network, photo: NDArray[np.uint8], dtype: Any) -> None:
    alpha = photo[..., :1].astype(dtype) * dtype(np.iinfo(dtype).max // 255)
    image = np.concatenate([np.zeros_like(alpha).repeat(3, 2), alpha], axis=2)
    unit = np.float32(np.iinfo(dtype).max / 255)
    enlarged = MATLAB_BICUBIC.planes((alpha[..., 0] / unit).astype(np.float32), 2) * unit
    expected = np.clip(np.rint(enlarged), 0, np.iinfo(dtype).max)
    found = restore_photo(image, [x2])[..., 3]
    assert np.abs(found.astype(int) - expected).max() <= (0 if dtype == np.uint8 else 1)


def _on_white(image: NDArray[Any]) -> NDArray[np.float64]:
    unit = np.iinfo(image.dtype).max / 255
    alpha = image[..., 3:] / unit / 255
    return image[..., :3] / unit * alpha + 255 * (1 - alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("scale", "model"), [(2, "plain"), (4, "plain"), (8, "plain"),
                                              (4, "cascade")])  # fmt: skip
@pytest.mark.parametrize("hidden", [0, 90])
def test_colours_of_transparent_pixels_are_never_visible(
    scale: int, model: Any, dtype: Any, hidden: int
) -> None:
    unit = np.iinfo(dtype).max // 255
    square = np.full((40, 40, 4), [hidden, hidden, 0, 0], dtype) * dtype(unit)
    square[10:30, 10:30] = 255 * unit
    soft = square.copy()  # a disc with an edge of some pixels
    distance = np.hypot(*(np.mgrid[:40, :40] - 20))
    soft[..., 3] = np.clip((14 - distance) * 80, 0, 255).astype(dtype) * dtype(unit)
    soft[soft[..., 3] > 0, :3] = 255 * unit
    for white in (square, soft):
        assert _on_white(upscale(white, scale, model)).min() >= 254


def test_hidden_colours_do_not_change_visible_pixels(x2: Network, photo: NDArray[np.uint8]) -> None:
    alpha = np.where(photo[..., 1] > 120, photo[..., 1], 0).astype(np.uint8)
    images = [np.dstack([photo, alpha]) for _ in range(2)]
    images[1][alpha == 0, :3] = [255, 0, 90]
    first, second = (restore_photo(image, [x2]) for image in images)
    np.testing.assert_array_equal(first, second)


def test_colours_are_weighted_by_alpha(x2: Network) -> None:
    image = np.zeros((20, 20, 4), np.uint8)
    image[:, :10] = [200, 30, 30, 255]
    image[:, 10:] = [30, 200, 30, 1]  # almost transparent
    large = restore_photo(image, [x2]).astype(int)
    plain = restore_photo(np.ascontiguousarray(image[..., :3]), [x2]).astype(int)
    beside = np.s_[8:-8, 18:20]  # the last visible pixels
    assert np.abs(plain[beside] - [200, 30, 30]).max() > 15  # without weights, green appears
    assert np.abs(large[beside][..., :3] - [200, 30, 30]).mean() < 5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiled_equals_untiled_with_alpha(x2: Network, photo: NDArray[np.uint8], dtype: Any) -> None:
    alpha = np.where(photo[..., 1] > 120, photo[..., 1], 0)
    alpha[:40, :40] = 255
    image = np.dstack([photo, alpha]).astype(dtype) * dtype(np.iinfo(dtype).max // 255)
    assert count_tiles(image, [x2], 60) >= 4
    whole, tiled = (restore_photo(image, [x2], side=side).astype(int) for side in (10_000, 60))
    seen = whole[..., 3] > 0
    limit = 1 if dtype == np.uint8 else 3
    assert np.abs(tiled - whole)[seen].max() <= limit and seen.mean() > 0.2


def test_each_step_of_a_cascade_enlarges_an_image(x2: Network, photo: NDArray[np.uint8]) -> None:
    image = photo[:20, :24]
    np.testing.assert_array_equal(
        restore_photo(image, [x2, x2]), restore_photo(restore_photo(image, [x2]), [x2])
    )


def test_onnx_file_gives_the_output_of_the_weights(
    tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    from srstudy.export.onnx_files import save_onnx
    from srstudy.networks.shared.weights import load

    for network, scale in (("progressive", 4), ("srcnn", 3)):
        weights = _weights(tmp_path, network, scale)
        path = tmp_path / f"{network}.onnx"
        model, architecture = load(weights)
        save_onnx(path, model, architecture, weights)
        one, other = load_network(weights), load_network(path)
        assert (one.scale, one.degradation, one.receptive_field_radius) == (
            other.scale,
            other.degradation,
            other.receptive_field_radius,
        )
        luma = photo[:21, :30, 1]
        np.testing.assert_allclose(other.restore_luma(luma), one.restore_luma(luma), atol=0.01)


@pytest.mark.parametrize(("equivariant", "share"), [(False, 0.6), (True, 0.2)])
def test_small_file_has_half_weights_and_an_equivariant_kernel_once(
    equivariant: bool, share: float, tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    from srstudy.export.onnx_files import save_onnx

    size = {"channels": 32, "blocks": 2, "equivariant": equivariant}
    architecture = Architecture("edsr", 2, size, "matlab")
    model, weights = as_trained(architecture), tmp_path / "x2.weights.h5"
    for variable in model.trainable_variables:
        if constraint := getattr(variable, "constraint", None):
            variable.assign(constraint(variable))
    save(weights, model, architecture)
    for name, half in (("whole.onnx", False), ("half.onnx", True)):
        save_onnx(tmp_path / name, model, architecture, weights, half)
    whole, half_size = ((tmp_path / f"{name}.onnx").stat().st_size for name in ("whole", "half"))
    assert half_size < share * whole
    luma = photo[..., 1]
    first, found = (
        load_network(tmp_path / f"{n}.onnx").restore_luma(luma) for n in ("whole", "half")
    )
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable).astype(np.float16).astype(np.float32))
    expected = model(luma[None, ..., None].astype(np.float32) / 255).numpy()[0, ..., 0] * 255
    assert 0.001 < np.abs(expected - first).max() < 0.5
    np.testing.assert_allclose(found, expected, atol=0.0005)


@pytest.mark.parametrize("wrong", [(3.5, "plain"), (3, "plain"), ("2", "plain"), (2, "best")])
def test_wrong_scale_and_model_are_refused(wrong: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match=f"found ({wrong[0]!r}|{wrong[1]!r}); allowed"):
        upscale(np.zeros((4, 4), np.uint8), *wrong)


def test_scale_of_any_number_type_is_allowed() -> None:
    image = np.zeros((4, 4), np.uint8)
    assert all(upscale(image, s).shape == (8, 8) for s in (np.int64(2), 2.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "image", [[[1]], np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_array_that_is_not_an_image_is_refused(x2: Network, image: Any) -> None:
    with pytest.raises(ValueError, match="image: found"):
        restore_photo(image, [x2])


def test_onnx_file_without_one_image_as_input_and_output_is_refused(tmp_path: Path) -> None:
    import onnx

    def value(name: str) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, None])

    node = onnx.helper.make_node("Identity", ["lr"], ["hr"])
    graph = onnx.helper.make_graph([node], "flat", [value("lr")], [value("hr")])
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    described = json.dumps({"scale": 2, "degradation": "matlab", "receptive_field_radius": 1})
    onnx.helper.set_model_props(model, {"network": described})
    onnx.save(model, tmp_path / "flat.onnx")
    with pytest.raises(InputError, match=r"flat\.onnx: .* inputs and outputs other than one"):
        load_network(tmp_path / "flat.onnx")


@pytest.mark.parametrize("content", [b"", b"garbage" * 50])
@pytest.mark.parametrize("name", ["x.onnx", "x.weights.h5", "x.pt"])
def test_file_that_is_not_a_network_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_network(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


# --- The command ----------------------------------------------------------------------------------


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["upscale", *map(str, arguments)])
    try:
        command.main()
    except SystemExit as end:
        return end.code
    return 0


@pytest.fixture
def photos(tmp_path: Path, photo: NDArray[np.uint8]) -> Path:
    """A folder of typical files, one of them broken."""
    folder = tmp_path / "photos"
    folder.mkdir()
    small = photo[:24, :32]
    Image.fromarray(small).save(folder / "colour.jpg", quality=95)
    Image.fromarray(small[..., 1]).save(folder / "grey.png")
    write_photo(folder / "alpha.png", Photo(np.dstack([small, small[..., 0]])))
    write_photo(folder / "deep.png", Photo(small.astype(np.uint16) * 257))
    Image.fromarray(small).convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    (folder / "broken.png").write_bytes((folder / "grey.png").read_bytes()[:100])
    (folder / "notes.txt").write_text("not an image, skipped")
    return folder


def test_folder_is_upscaled_and_the_broken_file_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "large"
    assert _run(monkeypatch, photos, "-o", out) == "1 of 6 images could not be upscaled"
    errors = capsys.readouterr().err.splitlines()
    assert [line for line in errors if line.startswith("error: ")] == [
        f"error: {photos / 'broken.png'}: is not a complete image; allowed: "
        f"{', '.join(SUFFIXES)}, with 8 or 16 bits per channel"
    ]
    kinds = {
        path.stem: (read_photo(path).pixels.shape, str(read_photo(path).pixels.dtype))
        for path in out.iterdir()
    }
    assert kinds == {
        "colour": ((48, 64, 3), "uint8"),
        "grey": ((48, 64), "uint8"),
        "alpha": ((48, 64, 4), "uint8"),
        "deep": ((48, 64, 3), "uint16"),
        "cmyk": ((48, 64, 3), "uint8"),
    }
    for name in ("colour.jpg", "deep.png", "cmyk.jpg"):
        # Each still shows the same picture.
        before = read_photo(photos / name).pixels / 1.0
        after = read_photo(out / f"{Path(name).stem}.png").pixels / 1.0
        means = after.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
        white = 65535 if name == "deep.png" else 255
        assert np.abs(means - before).mean() < 0.02 * white


def test_nothing_is_overwritten_unless_forced(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    target = tmp_path / "out.png"
    target.write_text("precious")
    command_line = [photos / "grey.png", "-o", target, "--scale", 4]
    assert _run(monkeypatch, *command_line) == "1 of 1 images could not be upscaled"
    assert "out.png: exists already; allowed: another name, or --force" in capsys.readouterr().err
    assert target.read_text() == "precious"
    assert _run(monkeypatch, *command_line, "--force") == 0
    assert read_photo(target).pixels.shape == (96, 128)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "plain", "--weights", "x.onnx"], "--model and --weights"),
        (
            ["--scale", "3", "--model", "plain"],
            "--scale: found 3; allowed with the model plain: 2, 4, 8, or a file with --weights",
        ),
        (["--weights", "missing.onnx"], "missing.onnx: cannot be read"),
        (["--weights", "missing.weights.h5"], "missing.weights.h5: is missing; trained models are"),
    ],
)
def test_wrong_arguments_are_reported_in_one_line(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    said = _run(monkeypatch, photos / "grey.png", "-o", tmp_path / "out.png", *arguments)
    assert isinstance(said, str) and said.startswith("error: ") and words in said
    assert "\n" not in said and not (tmp_path / "out.png").exists()


def test_two_files_with_the_same_stem_are_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "grey.bmp").write_bytes(b"")
    said = _run(monkeypatch, photos, "-o", tmp_path / "large")
    assert isinstance(said, str) and "would become" in said and not (tmp_path / "large").exists()


def test_own_weights_determine_the_scale(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, target = _weights(tmp_path, "edsr", 3), tmp_path / "out.tif"
    assert _run(monkeypatch, photos / "deep.png", "-o", target, "--weights", weights) == 0
    assert read_photo(target).pixels.shape == (72, 96, 3)
    command_line = [photos / "grey.png", "-o", tmp_path / "grey.png", "--weights", weights]
    assert _run(monkeypatch, *command_line, "--scale", 3) == 0
    said = _run(monkeypatch, photos / "deep.png", "-o", target, "--weights", weights, "--scale", 2)
    assert isinstance(said, str) and "--scale: found 2; allowed: 3" in said


@pytest.mark.parametrize("network", ["progressive", "espcn"])
def test_own_weights_run_on_the_cpu_if_requested(
    tmp_path: Path, photo: NDArray[np.uint8], network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    asked: list[str] = []
    device = tf.device

    def noted(name: str) -> Any:
        asked.append(name)
        return device(name)

    monkeypatch.setattr(tf, "device", noted)
    weights, luma = _weights(tmp_path, network, 2), photo[:20, :24, 1]
    expected = load_network(weights).restore_luma(luma)
    assert not asked
    np.testing.assert_array_equal(load_network(weights, "cpu").restore_luma(luma), expected)
    assert asked == ["/CPU:0", "/CPU:0"]  # to load the weights, and to run the network


def test_command_runs_from_anywhere_without_tensorflow(photos: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from srstudy.upscale.__main__ import main; main(); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    arguments = ["photos/grey.png", "-o", "out/grey.webp", "--model", "cascade", "--scale", "4"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    first, _ = ended.stdout.splitlines()
    assert first == "out/grey.webp: 128 x 96 pixels" and ended.stderr == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "photos"]  # nothing left behind


CLEAN = ("--model", "clean")  # without a line about the choice


def test_command_ends_quietly_if_the_reader_of_its_output_ends(
    photos: Path, tmp_path: Path
) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "srstudy.upscale", "photos/grey.png", "-o", "large.png", *CLEAN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_command_names_the_missing_setup(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    script = ROOT / "bin/upscale"
    copied = shutil.copy(script, tmp_path / "bin")
    ended = subprocess.run([copied, "a.png"], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"error: {tmp_path}/.venv: is not set up; run: make -C {tmp_path} setup\n"
    )


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 2)])
def test_thin_image_can_be_partly_transparent(x2: Network, shape: tuple[int, int]) -> None:
    image = np.full((*shape, 4), 200, np.uint8)
    image[shape[0] // 2 :, shape[1] // 2 :, 3] = 0
    large = restore_photo(image, [x2])
    assert large.shape == (shape[0] * 2, shape[1] * 2, 4)
    assert np.abs(large[..., :3].astype(int) - 200).max() < 12


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("width", "height", "scale"),
    [(6000, 4000, 2), (4000, 3000, 4)],
    ids=["24 megapixels at x2", "12 megapixels at x4"],
)
def test_large_photograph_is_upscaled_within_2_gigabytes(
    tmp_path: Path, width: int, height: int, scale: int
) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(colours).resize((width, height)).save(tmp_path / "photo.jpg")
    command_line = [sys.executable, "-m", "srstudy.upscale", "photo.jpg", "-o", "large.png"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen([*command_line, "--scale", str(scale)], cwd=tmp_path, env=environment)
    _, status, used = os.wait4(run.pid, 0)  # only of this process, unlike resource.getrusage
    run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0
    with Image.open(tmp_path / "large.png") as large:
        assert large.size == (width * scale, height * scale)
    assert used.ru_maxrss * 1024 < 2e9
