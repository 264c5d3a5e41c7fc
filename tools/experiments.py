"""Named DVC experiments outside the workspace: run them if they are missing, read their files."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dvc.api
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.hydra import apply_overrides

from srstudy.common.errors import InputError
from srstudy.common.machine import end_with
from srstudy.common.params import PARAMS_FILE
from srstudy.common.yaml_file import load_yaml
from tools.commands import output


def run_experiment(
    name: str,
    settings: Mapping[str, object],
    targets: Sequence[str],
    copied: Sequence[Path] = (),
    options: Sequence[str] = (),
) -> bool:
    """Run an experiment of the current commit in a temporary folder, unless it exists already.

    Returns whether it was run now: an experiment that exists may be of another machine.

    copied: files that it needs but that git may not have yet, in folders that git has; options: for
    `dvc exp run`. The workspace is not changed. DVC ends with this process; a killed run leaves no
    experiment, so it is run again. Raises `InputError` if DVC fails, or if the existing experiment
    has another params.yaml than this one would have.
    """
    if name in experiments():
        if keys := _other_params(name, settings):
            raise InputError(
                f"experiment {name}: exists already, with another {', '.join(keys)} than "
                f"{PARAMS_FILE} has; to run it again: dvc exp remove {name}"
            )
        print(f"{name}: exists already")
        return False
    changes = [word for change in overrides(settings) for word in ("-S", change)]
    changes += [word for path in copied for word in ("--copy-paths", str(path))]
    command = ["dvc", "exp", "run", "--quiet", "--temp", "--name", name]
    command += [*options, *changes, *targets]
    bound = partial(end_with, os.getpid())
    if subprocess.run(command, check=False, preexec_fn=bound).returncode:
        again = shlex.join([word for word in command if word != "--quiet"])
        raise InputError(f"experiment {name}: DVC failed; to see its messages, run: {again}")
    return True


def _other_params(name: str, settings: Mapping[str, object]) -> list[str]:
    """The keys of params.yaml whose values in an experiment differ from those it would have now.

    params.yaml can change without a commit, but an experiment is found by its commit and name.
    """
    with changed_params(settings) as wanted:
        asked, had = load_yaml(wanted), params_of(name)
    return [key for key in {**asked, **had} if asked.get(key) != had.get(key)]


@contextmanager
def changed_params(settings: Mapping[str, object]) -> Iterator[Path]:
    """A changed copy of params.yaml, in a temporary folder."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / PARAMS_FILE
        shutil.copy(PARAMS_FILE, path)
        apply_overrides(path, overrides(settings))
        yield path


def params_of(name: str) -> dict[str, Any]:
    """The params.yaml of an experiment of the current commit."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / PARAMS_FILE
        path.write_text(read_from(name, str(PARAMS_FILE)), encoding="utf-8")
        return load_yaml(path)


def overrides(settings: Mapping[str, object]) -> list[str]:
    """The changes to params.yaml, in the form for `dvc exp run -S`.

    With `++`, because a key can be missing there: an entry of network_size may be {}.
    """
    return [f"++{key}={value}" for key, value in settings.items()]


def at_scales(value: object, scales: Iterable[int]) -> str:
    """The same value for each of some scales, to be merged into a mapping of params.yaml."""
    return f"{{{', '.join(f'x{scale}: {value}' for scale in scales)}}}"


def experiments(remote: str = ".") -> list[str]:
    """The names of the experiments of the current commit, here or on a git remote."""
    place = _place()
    listed = output("git", "ls-remote", remote, f"{place}*")
    return [line.partition(place)[2] for line in listed.splitlines()]


def read_from(name: str, path: str) -> str:
    """The text of a file that git tracks, from an experiment of the current commit."""
    return output("git", "show", f"{_place()}{name}:{path}")


def _place() -> str:
    """Where git has the experiments of the current commit."""
    head = output("git", "rev-parse", "HEAD").strip()
    return f"refs/exps/{head[:2]}/{head[2:]}/"


def read_output(name: str, path: str) -> str:
    """The text of a stage's output in DVC's cache, from an experiment of the current commit."""
    return str(_read(name, path, "r"))


def read_bytes(name: str, path: str) -> bytes:
    """Like `read_output`, for a binary file."""
    return bytes(_read(name, path, "rb"))


def results_kept() -> int:
    """The number of results in DVC's run cache, of all commits.

    Running a stage adds one; a stage whose result comes from the run cache adds none.
    """
    with Repo() as repo:
        folder = Path(repo.stage_cache.cache_dir)
    return sum(path.is_file() for path in folder.rglob("*"))


def _read(name: str, path: str, mode: str) -> Any:
    try:
        return dvc.api.read(path, rev=name, mode=mode)
    except (DvcException, OSError) as error:
        why = str(error).partition("\n")[0]
        raise InputError(
            f"experiment {name}: {path}: DVC cannot read it: {why}; to run the experiment again: "
            f"dvc exp remove {name}"
        ) from error
