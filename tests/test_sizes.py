from pathlib import Path
from typing import Any

import pytest

from srstudy.common import choices
from srstudy.networks.shared.sizes import sizes, words

HEAD = "SOURCE = ''\nBFLOAT16 = True\n"
PLAIN = """
SIZES = {"layers": range(1, 9), "kernel": (1, 3, 5), "wide": (False, True), "kind": ("a", "b")}
def network(scale, interpolation, layers=2, kernel=3, wide=False, kind="a"): ...
def fault(layers, kernel, wide, kind):
    return f"layers: found {layers}; allowed where wide: even ones" if wide and layers % 2 else None
"""


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes the file of a network named `tiny`, which is then the only network."""

    def write(text: str) -> None:
        library = tmp_path / f"library_of_{tmp_path.name}"
        (library / "networks").mkdir(parents=True)
        (library / "networks/tiny.py").write_text(HEAD + text, "utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(choices, "LIBRARY", library)

    return write


@pytest.mark.parametrize("name", choices.names("networks"))
def test_defaults_of_every_network_are_its_full_sizes(name: str) -> None:
    defaults = sizes(name, {})
    assert list(defaults) == list(choices.chosen("networks", name, ("SIZES",)).SIZES)
    assert sizes(name, defaults) == defaults


def test_missing_size_has_its_default(network: Any) -> None:
    network(PLAIN)
    assert sizes("tiny", {}) == {"layers": 2, "kernel": 3, "wide": False, "kind": "a"}
    given = {"kind": "b", "layers": 8, "wide": True}
    assert sizes("tiny", given) == {"layers": 8, "kernel": 3, "wide": True, "kind": "b"}
    assert list(sizes("tiny", given)) == ["layers", "kernel", "wide", "kind"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"layers": 0}, "layers: found 0; allowed: a whole number from 1 to 8"),
        ({"layers": 9}, "layers: found 9; allowed: a whole number from 1 to 8"),
        ({"layers": True}, "layers: found true; allowed: a whole number from 1 to 8"),
        ({"layers": 2.0}, "layers: found 2.0; allowed: a whole number from 1 to 8"),
        ({"layers": None}, "layers: found null; allowed: a whole number from 1 to 8"),
        ({"layers": [1]}, "layers: found [1]; allowed: a whole number from 1 to 8"),
        ({"kernel": 2}, "kernel: found 2; allowed: 1, 3 or 5"),
        ({"kernel": True}, "kernel: found true; allowed: 1, 3 or 5"),
        ({"kernel": 1.0}, "kernel: found 1.0; allowed: 1, 3 or 5"),
        ({"wide": 1}, "wide: found 1; allowed: true or false"),
        ({"wide": "yes"}, "wide: found 'yes'; allowed: true or false"),
        ({"kind": "c"}, "kind: found 'c'; allowed: a or b"),
        ({"layer": 1}, "layer: unknown key; did you mean 'layers'?; known: kernel, kind, layers, "),
        ({2: 1}, "2: unknown key; known: kernel, kind, layers, wide"),
        ({"wide": True, "layers": 3}, "layers: found 3; allowed where wide: even ones"),
    ],
)
def test_wrong_size_is_refused_in_one_line(network: Any, given: Any, message: str) -> None:
    network(PLAIN)
    with pytest.raises(ValueError) as caught:
        sizes("tiny", given)
    assert str(caught.value).startswith(f"network_size.tiny.{message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SIZES = {}", "networks/tiny.py: has no network; a file in networks must have network, S"),
        ("def network(): ...", "networks/tiny.py: has no SIZES; a file in networks must have"),
        ("SIZES = 5\ndef network(s, i): ...", "tiny.py: SIZES: found 5; allowed: a mapping"),
        ("SIZES = {}\nnetwork = 5", "tiny.py: network: found 5; allowed: a function"),
        ("SIZES = {}\ndef network(s, i, a=1): ...", "found the sizes a after scale, interpolation"),
        ("SIZES = {'a': range(3)}\ndef network(s, i): ...", "found the sizes none"),
        ("SIZES = {'a': range(3)}\ndef network(s, i, a): ...", "found no as default of a; allowed"),
        (
            "SIZES = {'a': range(3)}\ndef network(s, i, a=3): ...",
            "found 3 as default of a; allowed",
        ),
        ("SIZES = {'a': [1]}\ndef network(s, i, a=1): ...", "SIZES: found [1] for a; allowed: a "),
        ("SIZES = {'a': ()}\ndef network(s, i, a=1): ...", "SIZES: found () for a; allowed: a "),
        ("import no_such_module", "tiny.py line 3: cannot be imported: ModuleNotFoundError: No mo"),
        ("x = (", "tiny.py line 3: cannot be imported: SyntaxError: "),
    ],
)
def test_incomplete_network_file_is_refused_in_one_line(
    network: Any, text: str, message: str
) -> None:
    network(text)
    with pytest.raises(ValueError) as caught:
        sizes("tiny", {})
    assert str(caught.value).startswith("network_size.tiny: ") and message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sizes_that_are_not_a_mapping_are_refused(network: Any) -> None:
    network(PLAIN)
    with pytest.raises(ValueError, match=r"tiny: found 5; allowed: a mapping of layers, kernel, "):
        sizes("tiny", 5)  # type: ignore[arg-type]


def test_unknown_network_is_refused_with_the_allowed_names(network: Any) -> None:
    network(PLAIN)
    with pytest.raises(ValueError, match=r"found 'unet'; allowed: tiny"):
        sizes("unet", {})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (range(8, 65, 8), "a whole number from 8 to 64, in steps of 8"),
        (range(3), "a whole number from 0 to 2"),
        ((3,), "3"),
        ((0.5, 1), "0.5 or 1"),
        ((True,), "true"),
    ],
)
def test_allowed_values_in_words(values: range | tuple[Any, ...], expected: str) -> None:
    assert words(values) == expected


@pytest.mark.parametrize("name", ["edsr", "progressive"])
def test_channels_of_equivariant_layers_must_form_fields(name: str) -> None:
    assert sizes(name, {"channels": 12, "equivariant": False})["channels"] == 12
    with pytest.raises(ValueError, match=r"channels: found 12; allowed where equivariant: mult"):
        sizes(name, {"channels": 12, "equivariant": True})
