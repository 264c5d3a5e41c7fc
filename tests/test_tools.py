import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc.exceptions import OutputNotFoundError
from dvc.utils.hydra import apply_overrides

from srstudy.common import choices
from srstudy.common.errors import InputError
from srstudy.common.yaml_file import load_yaml
from srstudy.imagefiles.reading import read_image
from srstudy.networks.shared.sizes import sizes
from srstudy.study.settings import read_study
from srstudy.training.settings import FRESH
from tests.imports import ROOT
from tools import (
    ablation,
    example,
    experiments,
    fast_recipe,
    four_sets,
    long_recipe,
    mnist_seeds,
    networks,
    photo_recipe,
    readme,
    seeds,
    source_study,
    training_data,
    verify,
)
from tools.experiments import at_scales, overrides
from tools.memory import measured
from tools.published import student
from tools.source_study import table


def test_source_table_has_their_figures_and_ours_with_the_mean() -> None:
    printed = {"bicubic": {"a": 30.0, "b": 32.0}, "plain": {"a": 28.0, "b": 29.0}}
    images = {
        "a_GT": {"psnr": {"bicubic": 30.5, "plain": 33.0}},
        "b_GT": {"psnr": {"bicubic": 32.5, "plain": 35.0}},
    }
    assert table(printed, images).splitlines()[2:] == [
        "| a | 30.00 -> 30.50 | 28.00 -> 33.00 |",
        "| b | 32.00 -> 32.50 | 29.00 -> 35.00 |",
        "| mean | 31.00 -> 31.50 | 28.50 -> 34.00 |",
    ]


def test_student_figures_are_those_that_were_printed() -> None:
    means = {method: sum(row.values()) / 5 for method, row in student().items()}
    # From the table in the presentation: 165.07, 144.90 and 149.96 over five images.
    assert means == pytest.approx({"bicubic": 33.014, "plain": 28.98, "regularized": 29.992})


def test_ablation_draws_the_same_bytes_from_the_same_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"budget": b, "network": n, "scale": s, "seed": 1, "lambda": w, "psnr": 30 - w, "steps": 9}
        for b in ablation.BUDGETS
        for n in ablation.NETWORKS
        for s in ablation.SCALES
        for w in ablation.LAMBDAS
    ]
    drawn = []
    for name in ("one.png", "two.png"):
        monkeypatch.setattr(ablation, "CHART", tmp_path / name)
        ablation.draw(pd.DataFrame(rows))
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]


def test_finding_names_the_best_lambda_and_its_gain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = {0.0: 0.0, 1e-5: -0.01, 1e-3: 0.02, 1.0: -2.0}
    rows = [
        {"budget": "short", "network": "espcn", "scale": s, "seed": 1, "lambda": w, "psnr": 30 + g}
        for s in (2, 4)
        for w, g in gains.items()
    ]
    (tmp_path / "docs").mkdir()
    pd.DataFrame(rows).assign(steps=5).to_csv(tmp_path / "docs/ablation.csv", index=False)
    (tmp_path / "params.yaml").write_text("lambda: 0.001\n")
    monkeypatch.chdir(tmp_path)
    text = readme.regularization()
    assert "networks espcn, from fresh weights" in text
    assert "the best non-zero lambda is 0.001, +0.020 dB" in text
    assert "lambda = 1 changes PSNR by -2.00 dB" in text


def test_verify_names_every_score_that_differs_and_the_largest_difference() -> None:
    committed = verify.scores({"set5": {"x2": {"plain": 37.4, "bicubic": 33.67}}, "a": {"b": None}})
    assert committed == {"psnr.set5.x2.plain": 37.4, "psnr.set5.x2.bicubic": 33.67}
    same = verify.report(committed, committed)
    assert same == "2 of 2 scores equal, largest difference 0.0000 dB"
    here = {"psnr.set5.x2.plain": 37.38, "psnr.set5.x4.plain": 31.0, "psnr.set5.x2.bicubic": 33.67}
    assert verify.report(committed, here).splitlines() == [
        "psnr.set5.x2.plain: 37.4000 -> 37.3800 dB (-0.0200)",
        "psnr.set5.x4.plain: only here",
        "1 of 2 scores equal, largest difference 0.0200 dB",
    ]


OWN_RECIPES = ("long", "photo", "fast", "network", "source", "ablation")
# The number of steps of a network depends on a measurement.
ONE_STEP = {"pretrain_steps": 1, **{f"steps.x{scale}": 1 for scale in networks.SCALES}}
STUDIES: dict[str, Mapping[str, object]] = {
    # The weights of the part before exist only when that part is done.
    **{
        f"{study.name}-{name}": {**study.settings(name), "start_from": FRESH}
        for study in (long_recipe.STUDY, photo_recipe.STUDY, fast_recipe.STUDY)
        for name in study.parts
    },
    **{
        f"network-{name}": {**networks.settings(name), **ONE_STEP}
        for name in choices.names("networks")
    },
    "mnist-seeds": mnist_seeds.SETTINGS,
    "four-sets": four_sets.SETTINGS,
    "seeds": seeds.settings(5),
    "training-data": training_data.settings("t290", 3),
    **{
        f"source-{network}": {**source_study.SETTING, **settings}
        for network, settings in source_study.NETWORKS.items()
    },
    **{
        f"ablation-{budget}-{network}-{weight:g}": {**fixed, "network": network, "lambda": weight}
        for budget, fixed in ablation.BUDGETS.items()
        for network in ablation.NETWORKS
        for weight in (min(filter(None, ablation.LAMBDAS)), max(ablation.LAMBDAS))
    },
}


@pytest.mark.parametrize("settings", STUDIES.values(), ids=STUDIES)
def test_settings_of_a_study_are_accepted_by_dvc_and_allowed(
    settings: Mapping[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "params.yaml"
    shutil.copy("params.yaml", path)
    apply_overrides(path, overrides(settings))  # what `dvc exp run -S` does
    read_study(path)
    values = load_yaml(path)
    for key, value in settings.items():
        found: Any = values
        for name in key.split("."):
            found = found[name]
        # Values for some scales do not change those of other scales.
        wanted = yaml.safe_load(str(value)) if isinstance(value, str) else value
        merged = {**found, **wanted} if isinstance(wanted, dict) else wanted
        assert found == merged, key


@pytest.mark.parametrize(
    "name", [f"long-{next(iter(long_recipe.PARTS))}", "fast-x4", "network-edsr"]
)
def test_sizes_of_a_study_are_merged_with_empty_entries(name: str, tmp_path: Path) -> None:
    path, wanted = tmp_path / "params.yaml", yaml.safe_load(Path("params.yaml").read_text())
    wanted["network_size"] = {network: {} for network in wanted["network_size"]}
    path.write_text(yaml.safe_dump(wanted))
    apply_overrides(path, overrides(STUDIES[name]))
    study = read_study(path)
    (sizes_said,) = (v for k, v in STUDIES[name].items() if k == f"network_size.{study.network}")
    assert study.size == yaml.safe_load(str(sizes_said))


@pytest.mark.parametrize("name", [name for name in STUDIES if name.startswith(OWN_RECIPES)])
def test_study_with_its_own_recipe_does_not_depend_on_the_default_schedule(
    name: str,
) -> None:
    schedule = {"learning_rate", "final_rate_share", "warmup_share", "pretrain_epochs", "epochs"}
    schedule |= {"start_from", "pretrain_steps", "steps", "validation_share"}
    assert schedule <= {key.partition(".")[0] for key in STUDIES[name]} | set(STUDIES[name])


def test_each_scale_has_one_value() -> None:
    assert at_scales(0.002, (2, 8)) == "{x2: 0.002, x8: 0.002}"


def test_card_of_the_weights_has_every_size() -> None:
    from tools.weights import in_words  # starts TensorFlow

    assert in_words({"channels": 32, "equivariant": True}) == "32 channels, equivariant"
    assert in_words({"channels": 8, "equivariant": False}) == "8 channels"
    params = load_yaml(Path("params.yaml"))
    network = params["network"]
    words = in_words(sizes(network, params["network_size"][network]))
    assert f"`{network}` ({words})" in Path("weights/README.md").read_text("utf-8")


HELD = 64  # MiB


def test_own_memory_includes_child_processes_but_no_file_pages(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(HELD << 20))
    holds = f"import time; held = b'x' * ({HELD} << 20); time.sleep(0.5)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {holds!r}], check=True)"
    maps = (
        "import mmap, time; file = open('file', 'rb')\n"
        "view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)\n"
        "print(sum(memoryview(view)[::4096])); time.sleep(0.5)"
    )
    with_child = measured([sys.executable, "-c", child], tmp_path, os.environ)
    with_map = measured([sys.executable, "-c", maps], tmp_path, os.environ)
    assert HELD < with_child.own_mib < 2 * HELD
    assert 0 < with_map.own_mib < HELD
    assert with_map.output == "0\n"
    assert min(with_child.seconds, with_map.seconds) > 0.5


def test_measured_command_that_fails_ends_with_its_output(tmp_path: Path) -> None:
    fails = "import sys; print('begun'); sys.exit('no good')"
    with pytest.raises(SystemExit, match="status 1\nbegun\nno good"):
        measured([sys.executable, "-c", fails], tmp_path, os.environ)


def test_existing_experiment_with_another_params_yaml_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy("params.yaml", tmp_path / "then.yaml")
    apply_overrides(tmp_path / "then.yaml", ["seed=7", "steps.x2=9"])
    then = (tmp_path / "then.yaml").read_text("utf-8")
    monkeypatch.setattr(experiments, "experiments", lambda: ["mine"])
    monkeypatch.setattr(experiments, "read_from", lambda name, path: {"params.yaml": then}[path])
    experiments.run_experiment("mine", {"seed": 7, "steps": "{x2: 9}"}, [])
    assert capsys.readouterr().out == "mine: exists already\n"
    line = (
        "experiment mine: exists already, with another lambda, steps than params.yaml has; "
        "to run it again: dvc exp remove mine"
    )
    with pytest.raises(InputError) as caught:
        experiments.run_experiment("mine", {"seed": 7, "lambda": 0.5}, [])
    assert str(caught.value) == line


def test_experiments_of_the_current_commit_are_listed_here_and_on_a_git_remote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=Tester", "-c", "user.email=tester@localhost")
        return experiments.output("git", *who, *arguments).strip()

    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--bare", "there")
    git("init", "--quiet", "here")
    monkeypatch.chdir("here")
    git("remote", "add", "origin", "../there")
    places = []
    for text in ("first", "second"):
        Path("file").write_text(text)
        git("add", "file")
        git("commit", "--quiet", "-m", text)
        head = git("rev-parse", "HEAD")
        places.append(f"refs/exps/{head[:2]}/{head[2:]}")
    git("update-ref", f"{places[0]}/of-another-commit", "HEAD")
    git("update-ref", f"{places[1]}/mine", "HEAD~")
    git("push", "--quiet", "origin", f"HEAD:{places[1]}/theirs")
    assert experiments.experiments() == ["mine"]
    assert experiments.experiments("origin") == ["theirs"]
    assert experiments.read_from("mine", "file") == "first"
    line = r"^git show refs/exps/.*/none:file: ended with status 128: fatal: .*$"
    with pytest.raises(InputError, match=line):
        experiments.read_from("none", "file")


def test_result_from_dvcs_cache_adds_no_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dvc(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", "dvc", *arguments, "--quiet"], check=True)

    monkeypatch.chdir(tmp_path)
    dvc("init", "--no-scm")
    Path("in").write_text("1")
    stage = "{cmd: echo . >> runs; cp in out, deps: [in], outs: [out]}"
    Path("dvc.yaml").write_text(f"stages: {{one: {stage}}}")
    kept = []
    for _ in range(2):
        dvc("repro")
        kept.append(experiments.results_kept())
        Path("out").unlink()
        Path("dvc.lock").unlink()
    assert kept == [1, 1] and Path("runs").read_text() == ".\n"


def test_line_of_the_strongest_networks_is_left_out_before_they_are_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert readme.strongest() == ""
    Path("docs").mkdir()
    heading = "run,test_set,scale,psnr,ssim\npretrained-1,held-out,2,33.9,\n"
    Path("docs/long-recipe.csv").write_text(heading)
    assert readme.strongest() == ""
    Path("docs/long-recipe.csv").write_text(f"{heading}x2,set5,2,37.731,0.96\n")
    assert "290 images, reach set5 37.73 (x2). Beside" in readme.strongest()


def test_committed_picture_equals_the_one_that_the_tool_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example, "PICTURE", tmp_path / "example.png")
    example.main()
    drawn, committed = (read_image(p) for p in (example.PICTURE, ROOT / "docs/example.png"))
    assert drawn.shape == committed.shape
    # Another processor may round differently.
    assert np.abs(drawn / 1.0 - committed).mean() < 0.01


def test_experiment_that_fails_in_dvc_is_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dvc = tmp_path / "dvc"
    dvc.write_text("#!/bin/sh\nexit 1\n")
    dvc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    command = r"dvc exp run --temp --name mine -S \+\+lambda=1 summarize"
    line = rf"^experiment mine: DVC failed; .*: {command}$"
    with pytest.raises(InputError, match=line):
        experiments.run_experiment("mine", {"lambda": 1}, ["summarize"])


def test_result_that_is_no_longer_in_dvcs_cache_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **options: object) -> None:
        raise OutputNotFoundError("models/x2-plain.weights.h5")

    monkeypatch.setattr(experiments.dvc.api, "read", gone)
    for read in (experiments.read_output, experiments.read_bytes):
        with pytest.raises(InputError, match=r"^experiment mine: models/x2\.h5: DVC cannot read"):
            read("mine", "models/x2.h5")
