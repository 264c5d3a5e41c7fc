"""Every command of the documentation: run by a test, or listed with the reason why not.

A command that is new on a page, or no longer there, fails here until the lists below say so. What
can be checked without running is checked of all: options, targets, modules, values of params.yaml.
"""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml
from dvc.cli.parser import get_main_parser
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
from numpy.typing import NDArray
from PIL import Image

from srstudy.common.yaml_file import load_yaml
from srstudy.study.settings import read_study
from tests.described import write_description
from tests.documented import PAGES, commands, scripts
from tests.tiny import ROOT, Study, every_scale

# Run by these tests: as they stand, or in the form that fits a tiny study: with its data sets, its
# targets, a server of the test's own.
RUN = {
    "tests/test_documented_commands.py::test_the_tutorial_is_followed": [
        "git switch -c my-study",
        "dvc exp run --quiet -S 'datasets=[sample,sample-test]' -S train_set=sample "
        "-S 'test_sets=[sample-test]' -S 'downscaled_copies=[]' -S 'scales=[2]' "
        "-S 'cascade_scales=[]' -S 'mnist.seeds=[]' -S pretrain_steps=274 -S steps.x2=137",
        "cat metrics/table.txt",
        "git add -A",
        'git commit -q -m "My study: embedded photographs, x2"',
        "dvc exp run -S lambda=0.1,1 --queue",
        "dvc queue start",
        "dvc queue status",
        "make compare",
        "dvc exp apply unapt-love",
        "dvc metrics diff HEAD",
        "dvc exp branch unapt-love smoother",
        "dvc metrics diff my-study smoother",
        "python -m srstudy.upscale data/raw/sample-test -o large/ "
        "--weights models/x2-plain.weights.h5",
        "git restore -SW . && dvc checkout --allow-missing",
        "git switch main && dvc checkout --allow-missing",
    ],
    "tests/test_documented_commands.py::test_results_are_looked_at_as_the_pages_say": [
        "make check",
        "make graph",
        "dvc exp show --only-changed --drop '.*/'",
        "dvc repro train-plain@4",
        "dvc metrics diff main my-branch",
        "dvc metrics show metrics/images/set5.json",
        "dvc plots show",
        "dvc plots diff main my-branch",
        "dvc status",
        "dvc exp list --all-commits",
        "dvc exp remove NAME",
    ],
    "tests/test_documented_commands.py::test_photographs_are_enlarged_as_the_pages_say": [
        "bin/upscale photo.jpg -o large.png",
        "bin/upscale photo.jpg -o large.png --scale 4",
        "bin/upscale photo.jpg -o large.png --model plain",
        "bin/upscale photo.jpg -o large.png --self-ensemble",
        "bin/upscale photos/ scan.tif -o large/",
        "bin/upscale albums/ -o larger/ --recursive",
        "bin/upscale photos/ -o large/ --skip-existing",
        "bin/upscale photos/ -o large/ --format jpg --quality 90",
    ],
    "tests/test_upscale_alone.py::test_wheel_works_by_itself_and_gives_the_bytes_of_bin_upscale": [
        "make wheel && pip install dist/*.whl",
    ],
    "tests/test_comparison.py::test_table_of_a_branch_as_the_experiments_page_says": [
        "python -m tools.table --format latex --rev my-branch",
    ],
    "tests/test_compare_runs.py::"
    "test_queued_running_killed_and_failed_runs_show_their_state_and_no_score": [
        "dvc queue kill --force",
    ],
    "tests/test_experiments_page.py::"
    "test_a_killed_experiment_is_left_for_the_branch_as_it_was_committed": [
        "git status",
        "git switch --discard-changes my-branch",
        "dvc checkout --force",
    ],
    "tests/test_experiments_page.py::test_what_a_killed_experiment_staged_is_taken_back": [
        "git clean -fq metrics",
    ],
    "tests/test_experiments_page.py::"
    "test_a_killed_experiment_given_again_ends_well_and_goes_onto_the_branch": [
        "git switch my-branch",
    ],
    "tests/test_experiments_page.py::test_two_branches_are_merged_by_parameters_and_made_again": [
        "git switch main",
        "git merge my-branch",
        "git add params.yaml",
        "git reset -q -- dvc.lock metrics && git restore dvc.lock metrics",
        'git commit -m "Merge my-branch"',
    ],
    "tests/test_experiments.py::test_a_queued_sweep_finishes_and_is_compared_side_by_side": [
        "dvc exp run -S lambda=0.001,0.01,0.1 --queue",
    ],
    "tests/test_pipeline.py::test_training_goes_on_from_a_file_of_weights": [
        "dvc exp run -S start_from=before.weights.h5",
    ],
    "tests/test_experiments.py::test_every_network_trains_and_is_scored": [
        "dvc exp run -S network=srcnn -S learning_rate.x8=0.002",
    ],
    "tests/test_experiments.py::test_own_images_are_an_experiment_as_the_page_writes_it": [
        "dvc exp run -S 'datasets=[]' -S '+own_images.mine=\"/home/me/Été 2024\"' "
        "-S '+own_images.mine-test=\"/home/me/test\"' -S train_set=mine "
        "-S 'test_sets=[mine-test]' -S 'mnist.seeds=[]'",
    ],
    "tests/test_pipeline.py::test_lambda_reaches_the_regularized_models_alone": [
        "dvc exp run -S lambda=0.1",
    ],
    "tests/test_pipeline.py::test_self_ensemble_is_scored_beside_the_single_pass": [
        "dvc exp run -S 'self_ensemble=[plain]'",
    ],
    "tests/test_pipeline.py::test_a_second_repro_does_nothing_and_the_summary_has_every_method": [
        "dvc repro",
    ],
    "tests/test_export.py::test_without_a_name_every_model_is_exported": [
        "python -m srstudy.export -o exported/",
    ],
    "tests/test_sharing.py::test_what_one_pushes_another_pulls": [
        "dvc remote modify home url ssh://user@host/path",
        "dvc remote modify --local home url ...",
        "dvc remote modify --local home keyfile ~/.ssh/id_ed25519",
        "dvc push",
        "dvc pull",
    ],
    "tests/test_sharing.py::test_run_cache_saves_another_the_work": ["dvc push --run-cache"],
    "tests/test_sharing.py::test_an_experiment_is_shared_with_its_data": [
        "dvc exp push origin my-experiment",
        "dvc exp pull origin my-experiment",
        "dvc exp apply my-experiment",
    ],
    "tests/test_sharing.py::test_a_stranger_gets_what_git_holds_and_the_rest_after_a_push": [
        "dvc get https://example.org/sr-study.git weights/x2-plain.onnx",
        "dvc get https://example.org/sr-study.git models/x2-plain.weights.h5",
    ],
    "tests/test_extending.py::test_a_network_trains_and_stands_in_the_table": [
        "dvc exp run -S network=imdn -S +network_size.imdn.blocks=2 -S learning_rate.x8=0.002 "
        "compare report",
        'pytest -m "not slow" tests/test_every_network.py tests/test_every_degradation.py '
        "tests/test_every_loss.py",
        "rm srstudy/networks/imdn.py",
        "git restore -SW .",
        "dvc checkout --allow-missing",
    ],
    "tests/test_photo_degradation.py::test_study_runs_with_it_as_with_any_other": [
        "dvc exp run -S degradation=photo",
    ],
    "tests/test_extending.py::test_a_degradation_is_described_truly_and_scored": [
        "dvc exp run -S degradation=blur compare report",
    ],
    "tests/test_extending.py::test_a_loss_is_trained_with": [
        "dvc exp run -S loss=l1 compare report",
    ],
    "tests/test_extending.py::test_a_data_set_is_registered_and_scored_and_trains_nothing": [
        "printf 'package:skimage/data/%s\\n' coins.png grass.png moon.png > grey-test.txt",
        "python -m tools.register grey-test grey-test.txt",
        "dvc exp run -S 'datasets=[sample,sample-test,grey-test]' -S train_set=sample "
        "-S 'test_sets=[sample-test,grey-test]' compare report",
    ],
    "tests/test_register.py::test_folder_with_its_address_is_registered_and_downloads_from_there": [
        "python -m tools.register photos ~/photos --url https://example.org/photos",
    ],
    "tests/test_register.py::"
    "test_folder_without_address_says_so_and_downloads_from_a_mirror_alone": [
        "python -m tools.register photos ~/photos",
    ],
    "tests/test_extending.py::test_a_metric_is_everywhere_and_trains_nothing": [
        "dvc repro compare report",
        "METRIC=psnr_rgb make compare",
    ],
    "tests/test_sweep_runs.py::"
    "test_two_clones_share_a_sweep_and_the_points_of_a_killed_one_are_made": [
        "python -m tools.sweep sweep.yaml",
        "python -m tools.sweep sweep.yaml --part 1/2 --share",
        "python -m tools.sweep sweep.yaml --part 2/2 --share",
        "python -m tools.sweep sweep.yaml --share",
        "dvc remote modify home url /shared/dvc-store",
        "dvc exp pull origin NAME",
        "dvc exp apply NAME",
    ],
    "tests/test_sweep_runs.py::test_point_of_a_killed_dask_worker_is_made_by_another": [
        "dask scheduler --host 10.0.0.1",
        "dask worker tcp://10.0.0.1:8786 --nthreads 1",
        "python -m tools.sweep sweep.yaml --cluster tcp://10.0.0.1:8786",
    ],
    "tests/test_repro.py::test_trainings_side_by_side_give_the_bytes_of_one_after_the_other": [
        "make repro JOBS=3",
    ],
}
# Not run by any test, each for the reason that stands before it.
NOT_RUN = {
    "concerns this machine's own disks": [
        "dvc config --local cache.type reflink,hardlink,symlink",
        "dvc checkout --relink",
        "dvc cache dir --local /large/dvc-cache",
    ],
    "installs 2.5 GB; .ci/run begins with it": ["make setup", ". .venv/bin/activate"],
    "needs an NVIDIA GPU": ["make setup GPU=1"],
    "a step of .ci/run, or all of them": [
        *(".ci/run", "make cluster", "make demo", "make lint", "make test", "make test-all"),
    ],
    "takes the real study, or a part of it: long trainings on images from the internet": [
        *("make repro", "SR_MIRROR=/data/sr-mirror make repro", "make verify", "make weights"),
        *("make source-study", "make below-bicubic", "make long", "make networks"),
        "make photo",
        "make fast",
        "make mnist-seeds",
        *("make four-sets", "make seeds", "make training-data"),
        "python -m tools.held_out models/x2-plain.weights.h5",
        "python -m tools.verify_weights",
        *("make robustness", "make speed"),
        *("python -m tools.jpeg_traces", "python -m tools.chroma"),
        *("make ablation", "make bench", "make large-data", "make torture"),
        "dvc exp run -S 'scales=[2]' -S 'cascade_scales=[]' -S 'mnist.seeds=[]' "
        "-S pretrain_steps=1000 -S steps.x2=200",
        "dvc exp run -S steps.x8=200",
        "dvc exp run -S epochs.x2=1 -S steps.x2=null",
        "dvc exp run -S 'datasets=[t290,set5,set14,bsd100,urban100]' -S train_set=t290 "
        "-S 'test_sets=[set5,set14,bsd100,urban100]'",
    ],
    "would empty the cache that the tests share": [
        "rm -rf .dvc/tmp/exps/tmp* .dvc/tmp/exps/standalone/tmp*",
        "dvc gc --workspace --all-branches --all-experiments",
    ],
    "an ordinary commit, push or pull": [
        'git commit .dvc/config -m "Share on host"',
        'git commit -q .dvc/config -m "Share in a folder"',
        'git add sweep.yaml && git commit -q -m "A sweep"',
        *("git push", "git pull", "git config user.name", "git config user.email"),
        'git config --global user.name "Your Name"',
        "git config --global user.email you@example.org",
    ],
    "needs SLURM; a part in a clone is run by the test of two clones": [
        "#!/bin/bash",
        "#SBATCH --array=1-8",
        ". /shared/sr-study/.venv/bin/activate",
        'git clone -q ssh://host/sr-study.git "$TMPDIR/study" && cd "$TMPDIR/study"',
        'python -m tools.sweep sweep.yaml --part "$SLURM_ARRAY_TASK_ID/8" --share',
    ],
    "named in a sentence, without its arguments": [
        "dvc checkout",
        "dvc dag",
        "dvc exp push",
        "dvc exp run",
        "dvc exp show",
        "dvc get",
        "dvc plots",
        "dvc remote modify --global",
        "git add",
        "git restore .dvc/config",
    ],
}
LISTED = {command: where for lists in (RUN, NOT_RUN) for where in lists for command in lists[where]}
DOCUMENTED = sorted({command for page in PAGES for command in commands(page)})
NAMED_ONLY = NOT_RUN["named in a sentence, without its arguments"]


def test_every_documented_command_is_run_or_says_why_not() -> None:
    assert not set(DOCUMENTED) - set(LISTED), "on a page, and in no list of this file"


def test_every_listed_command_is_on_a_page() -> None:
    assert not set(LISTED) - set(DOCUMENTED), "in a list of this file, and on no page"


@pytest.mark.parametrize("where", RUN)
def test_the_tests_that_run_commands_exist(where: str) -> None:
    path, _, name = where.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)


# --- Without running: options, targets, modules, values ------------------------------------------


def _fault(command: str) -> str:
    """What is wrong with a command that can be seen without running it; nothing: ""."""
    faults = [_fault_of_one(part) for part in command.split(" && ")]
    return "; ".join(filter(None, faults))


def _fault_of_one(command: str) -> str:
    words = [word for word in shlex.split(command) if not re.fullmatch(r"[A-Z_]+=\S+", word)]
    match words:
        case ["dvc", *arguments]:
            return _fault_of_dvc(arguments)
        case ["make", *targets]:
            named = (target for target in targets if "=" not in target)
            return "".join(f"no target {target}" for target in named if target not in _targets())
        case ["python", "-m", module, *arguments]:
            return _fault_of_module(module, arguments)
        case ["bin/upscale", *arguments]:
            return _fault_of_module("srstudy.upscale", arguments)
        case ["pytest", *arguments]:
            paths = [argument for argument in arguments if argument.startswith("tests/")]
            return "".join(f"no file {path}" for path in paths if not (ROOT / path).is_file())
    return ""


def _fault_of_dvc(arguments: list[str]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            parsed = get_main_parser().parse_args(arguments)
        except (SystemExit, Exception) as error:
            return f"DVC does not know it: {error!r} {said.getvalue()}"
    if arguments[0] not in ("repro", "exp") or not getattr(parsed, "targets", None):
        return ""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    return "".join(
        f"no stage {name}" for name in parsed.targets if name.split("@")[0] not in stages
    )


@cache
def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def _fault_of_module(module: str, arguments: list[str]) -> str:
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        return f"no module {module}"
    known = re.findall(r"(?<![\w-])--?[a-z][\w-]*", _help(module))
    options = [argument for argument in arguments if argument.startswith("-")]
    return "".join(f"{module} has no option {option}" for option in options if option not in known)


@cache
def _help(module: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("command", [c for c in DOCUMENTED if c not in NAMED_ONLY])
def test_options_targets_and_modules_of_a_command_exist(command: str) -> None:
    assert _fault(command) == ""


@pytest.mark.parametrize(
    "command",
    [
        "dvc metrics show --targets metrics/images/set5.json",
        "dvc exp runs",
        "dvc repro training",
        "git restore -SW . && dvc checkout --hard",
        "make nothing",
        "METRIC=psnr make comparison",
        "python -m tools.nothing",
        "python -m tools.register photos ~/photos --address x",
        "bin/upscale photo.jpg --out large.png",
        "pytest tests/test_nothing.py",
    ],
)
def test_a_wrong_command_is_noticed(command: str) -> None:
    assert _fault(command)


# Those of docs/guide/extending.md need the files that the page writes first; its tests run them.
EXPERIMENTS = [
    command
    for command in DOCUMENTED
    if command.startswith("dvc exp run ") and "extending" not in LISTED.get(command, "")
]


@pytest.mark.parametrize("command", EXPERIMENTS)
def test_values_of_an_experiment_are_taken_by_dvc_and_allowed(command: str, tmp_path: Path) -> None:
    if "own_images" in command:
        for folder in ("/home/me/Été 2024", "/home/me/test"):
            (tmp_path / folder[1:]).mkdir(parents=True)
        command = command.replace("/home/me", f"{tmp_path}/home/me")
    if "before.weights.h5" in command:
        params = load_yaml(ROOT / "params.yaml")
        before = tmp_path / "before.weights.h5"
        write_description(before, params["network"], params["network_size"][params["network"]])
        command = command.replace(before.name, str(before))
    arguments = shlex.split(command)[1:]
    given = to_path_overrides(get_main_parser().parse_args(arguments).set_param)
    path = tmp_path / "params.yaml"
    for overrides in get_hydra_sweeps(given):
        shutil.copy(ROOT / "params.yaml", path)
        apply_overrides(path, overrides["params.yaml"])
        read_study(path)
        assert path.read_text("utf-8") != (ROOT / "params.yaml").read_text("utf-8")


# --- Run ------------------------------------------------------------------------------------------

# The command's interpreter is on the PATH; nothing is to be installed into a copy.
INSTALLED = ("make ", "make --no-print-directory ready= ")


def test_photographs_are_enlarged_as_the_pages_say(
    tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    for name in ("srstudy", "weights"):
        (tmp_path / name).symlink_to(ROOT / name)
    # No link: the command follows it, to the project that it lies in.
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("photo.jpg", "scan.tif", "photos/one.png", "albums/2024/two.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo[:24, :32]).save(tmp_path / name)
    for command in (c for c in DOCUMENTED if c.startswith("bin/upscale")):
        ended = subprocess.run(
            ["bash", "-euc", command], cwd=tmp_path, capture_output=True, text=True, timeout=100
        )
        assert ended.returncode == 0, ended.stderr
        side = 128 if "--scale 4" in command else 64
        if "large.png" in command:
            assert Image.open(tmp_path / "large.png").size == (side, side * 3 // 4)
            (tmp_path / "large.png").unlink()
        elif "larger" not in command:
            expected = {"one.jpg"} if "--format jpg" in command else {"one.png"}
            expected |= {"scan.png"} if "scan.tif" in command else set()
            assert {p.name for p in (tmp_path / "large").iterdir()} == expected
            shutil.rmtree(tmp_path / "large")
    assert [p.name for p in (tmp_path / "larger").rglob("*.png")] == ["two.png"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tutorial_is_followed(tmp_path: Path) -> None:
    study = Study.of_working_tree(tmp_path / "study", tmp_path / "shared")
    # In steps, as the real params.yaml is: the tutorial changes those.
    study.set(pretrain_epochs=None, pretrain_steps=1)
    study.set(epochs=every_scale(None), steps=every_scale(1))
    study.commit("a budget in steps")
    study("git", "branch", "-M", "main")
    said, name = dict[str, str](), ""
    lines = "\n".join(scripts("docs/guide/tutorial.md")).replace("\\\n", " ").splitlines()
    try:
        for line in (" ".join(line.split()) for line in lines):
            if LISTED[line] in NOT_RUN:
                continue
            command = line.replace("unapt-love", name).replace(*INSTALLED)
            said[line] = study("bash", "-euc", command).text
            if line == "dvc queue start":
                status = study.wait_for_queue(seconds=400)
                assert status.count("Success") == 2, status
                name = status.splitlines()[1].split()[1]
            if line.startswith("git restore"):
                assert study("git", "status", "--porcelain").text == ""
    finally:
        study.end_queue()
    assert "PSNR in dB bicubic plain regularized" in said["cat metrics/table.txt"]
    columns = said["make compare"].splitlines()[0].split()
    assert columns[-2:] == ["x2.regularized", "lambda"]
    for difference in ("dvc metrics diff HEAD", "dvc metrics diff my-study smoother"):
        assert "psnr.sample-test.x2.regularized" in said[difference]
    *written, last = said[next(c for c in said if "srstudy.upscale" in c)].splitlines()
    assert written == [
        "large/astronaut.png: 1024 x 1024 pixels",
        "large/camera.png: 1024 x 1024 pixels",
        "large/coffee.png: 1200 x 800 pixels",
    ]
    assert last.startswith("3 files, 3.06 megapixels, ")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_results_are_looked_at_as_the_pages_say(tmp_path: Path) -> None:
    study = Study.of_working_tree(tmp_path / "study", tmp_path / "shared")
    study.set(scales=[4], cascade_from=4, cascade_scales=[])
    study.repro()
    study.commit("results")
    study("git", "branch", "-M", "main")
    study("git", "switch", "-c", "my-branch")
    study.experiment("-S", "lambda=0.1", "summarize")
    study.commit("lambda")
    where = "tests/test_documented_commands.py::test_results_are_looked_at_as_the_pages_say"
    said, (name,) = dict[str, str](), _experiments(study)
    for line in RUN[where]:
        command = line.replace("set5", "sample-test").replace("NAME", name).replace(*INSTALLED)
        said[line.partition(" main")[0]] = study("bash", "-euc", command).text
        page = study.root / "dvc_plots/index.html"
        if "plots" in line:
            text = page.read_text("utf-8")
            page.unlink()
            assert "<img src=" in text and "x4-regularized_csv" in text
            assert ("my-branch" in text) == ("diff" in line)
    assert "every value is allowed" in said["make check"]
    assert "Data and pipelines are up to date" in said["dvc repro train-plain@4"]
    assert "psnr.sample-test.x4.regularized" in said["dvc metrics diff"]
    assert "astronaut" in said["dvc metrics show metrics/images/set5.json"]
    assert name in said["dvc exp list --all-commits"]
    assert not _experiments(study)


def _experiments(study: Study) -> list[str]:
    """The names of all experiments."""
    return study("dvc", "exp", "list", "--all-commits", "--name-only").text.split()
