import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from srstudy.backend.checkpoints import KEPT, SECONDS_BETWEEN, Arrays, Checkpoints, fingerprint
from srstudy.common.errors import InputError
from srstudy.patches.batches import Batches
from srstudy.patches.reading import PatchFile
from tests.conftest import MakePatches
from tests.test_trainer import SHORT, train_tiny


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    return tmp_path / ".dvc/tmp/checkpoints"


def _state(value: float) -> Arrays:
    return {"weights": np.full(1000, value, "float32"), "losses": np.arange(3.0)}


def test_newest_state_is_restored_exactly_and_old_ones_are_deleted(root: Path) -> None:
    checkpoints = Checkpoints("key")
    assert checkpoints.newest() is None
    for step in range(5):
        checkpoints.save(step, _state(step / 3))
    found = Checkpoints("key").newest()
    assert found is not None
    for name, array in _state(4 / 3).items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert len(list((root / "key").iterdir())) == KEPT


def test_newest_state_is_found_after_any_number_of_steps() -> None:
    checkpoints = Checkpoints("key")
    for step in (99_999_998, 99_999_999, 100_000_000):
        checkpoints.save(step, _state(step))
    found = checkpoints.newest()
    assert found is not None
    np.testing.assert_array_equal(found["weights"], _state(100_000_000)["weights"])


def test_same_training_cannot_run_twice_at_the_same_time(root: Path) -> None:
    # In the workspace and in a temporary experiment, which share the checkpoints.
    checkpoints = Checkpoints("key")
    with (
        checkpoints.alone(),
        Checkpoints("other").alone(),
        pytest.raises(InputError, match="this training: is already running as process"),
        Checkpoints("key").alone(),
    ):
        pass
    with Checkpoints("key").alone():
        checkpoints.save(1, _state(1))
        checkpoints.clear()
    assert not (root / "key").exists()


def test_checkpoints_are_at_most_half_a_minute_apart() -> None:
    assert SECONDS_BETWEEN <= 30


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "unreadable"])
def test_damaged_checkpoint_is_ignored_and_the_previous_one_is_used(root: Path, harm: str) -> None:
    checkpoints = Checkpoints("key")
    checkpoints.save(1, _state(1))
    checkpoints.save(2, _state(2))
    newest = sorted((root / "key").iterdir())[-1]
    content = bytearray(newest.read_bytes())
    if harm == "cut":
        newest.write_bytes(content[:-100])
    elif harm == "changed":
        content[len(content) // 2] ^= 1
        newest.write_bytes(content)
    elif harm == "empty":
        newest.write_bytes(b"")
    else:
        newest.unlink()
        newest.mkdir()
    found = checkpoints.newest()
    assert found is not None and found["weights"][0] == 1


def test_nothing_is_executed_from_a_checkpoint(root: Path) -> None:
    checkpoints = Checkpoints("key")
    checkpoints.save(1, {"weights": np.array([print], dtype=object)})
    with pytest.raises(ValueError, match="pickle"):
        checkpoints.newest()


def test_fingerprint_changes_with_values_data_and_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"patches")
    first = fingerprint({"lambda": 0.1}, data)
    assert fingerprint({"lambda": 0.1}, data) == first
    assert fingerprint({"lambda": 0.2}, data) != first
    data.write_bytes(b"other patches")
    assert fingerprint({"lambda": 0.1}, data) != first
    data.write_bytes(b"patches")

    class Module:
        __file__ = str(tmp_path / "changed.py")

    Path(Module.__file__).write_text("other = code")
    monkeypatch.setitem(sys.modules, "srstudy.losses.shared.objective", Module)  # type: ignore[misc]
    assert fingerprint({"lambda": 0.1}, data) != first


def test_checkpoint_is_due_after_its_time(root: Path) -> None:
    assert not Checkpoints("key").due()
    assert Checkpoints("key", seconds=0).due()


def test_clear_deletes_the_checkpoints(root: Path) -> None:
    checkpoints = Checkpoints("key")
    checkpoints.save(1, _state(1))
    checkpoints.clear()
    assert checkpoints.newest() is None and not list(root.iterdir())


def test_unwritable_place_is_named(root: Path) -> None:
    root.parent.mkdir(parents=True)
    root.write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"checkpoints/key/.*: cannot be written: "):
        Checkpoints("key").save(1, _state(1))


class _Killed(BaseException):
    """Simulates a kill: the project's code must not catch it."""


class _Killer(Checkpoints):
    """Saves after every step and simulates a kill after the given one."""

    def __init__(self, last: int) -> None:
        super().__init__("key", seconds=0)
        self._last = last

    def save(self, step: int, arrays: Arrays) -> None:
        super().save(step, arrays)
        if step == self._last:
            raise _Killed


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_training_killed_at_any_step_ends_with_the_same_bytes(
    make_patches: MakePatches, kind: str
) -> None:
    path = make_patches()
    recipe = replace(SHORT, optimizer=kind)
    whole, curve = train_tiny(path, recipe)
    with PatchFile(path, 2) as patches:
        steps = recipe.total_steps(Batches(patches, 16, 1, True).steps_per_epoch)
    # At the first step, on and beside the curve's points, and when all steps are done.
    for last in (1, 2, steps // 2, steps // 2 + 1, steps - 1, steps):
        with pytest.raises(_Killed):
            train_tiny(path, recipe, checkpoints=_Killer(last))
    resumed, resumed_curve = train_tiny(path, recipe, checkpoints=_Killer(steps + 1))
    assert resumed_curve == curve
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_checkpoints_of_a_temporary_experiment_are_in_the_workspace(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "experiment"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    Checkpoints("key").save(1, _state(1))
    assert not list(elsewhere.iterdir())
    assert [path.name for path in root.iterdir()] == ["key"]
