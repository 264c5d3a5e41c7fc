# The make commands. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.venv/bin:$(PATH)

# A relative mirror is relative to this folder, also if a command runs in another folder.
ifneq ($(SR_MIRROR),)
ifeq ($(findstring ://,$(SR_MIRROR))$(filter /% ~%,$(SR_MIRROR)),)
export SR_MIRROR := $(CURDIR)/$(SR_MIRROR)
endif
endif

# `dvc exp run` commits; it must also work if git has no user name.
ifeq ($(and $(shell git config user.name),$(shell git config user.email)),)
export GIT_AUTHOR_NAME ?= sr-study
export GIT_AUTHOR_EMAIL ?= sr-study@localhost
export GIT_COMMITTER_NAME ?= sr-study
export GIT_COMMITTER_EMAIL ?= sr-study@localhost
endif

# Long commands run the set-up automatically. Commands that take only seconds ask for the set-up
# instead of starting an installation of some minutes.
define ready
@$(if $(shell test -e .venv/installed || echo missing),$(error .venv: is not set up; run: make setup))
endef

.PHONY: help setup cluster demo test test-all repro check source-study below-bicubic long networks ablation mnist-seeds four-sets seeds training-data bench large-data verify torture readme weights wheel compare graph lint lock photo fast robustness speed

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

ifneq ($(filter-out 1,$(GPU)),)
$(error GPU: found '$(GPU)'; allowed: 1, or no GPU)
endif

setup: .venv/installed $(if $(filter 1,$(GPU)),.venv/gpu) ## Install everything, at pinned versions, into .venv; GPU=1: CUDA's packages too

.venv/installed: requirements.lock
	@bin/setup

cluster: setup .venv/cluster ## Install Dask too: the data stages over several machines (docs/scaling.md)

.venv/gpu .venv/cluster: .venv/%: requirements-%.lock | .venv/installed
	@bin/setup $<
	@touch $@

demo: setup ## The whole pipeline on embedded photographs, in minutes, without a download; OPEN=1 opens the report
	@python -m tools.demo $(if $(OPEN),--open)

test: setup ## The quick tests
	@pytest -m "not slow" --numprocesses 2 --dist loadfile

test-all: cluster ## The slow tests: real data, real DVC runs
	@pytest -m slow --numprocesses 2 --dist loadfile

check: ## Check every value of params.yaml
	$(ready)
	@python -m stages.validate

graph: ## Show which stages each stage depends on
	$(ready)
	@python -m tools.graph

repro: setup ## The real study: training on T91, tests on Set5 and Set14; JOBS=3: three trainings at a time
	@python -m stages.validate
	@python -m tools.repro "$${JOBS:-1}"

source-study: setup ## The student project's setting, compared with its own figures (docs/source-study.md)
	@python -m tools.source_study

below-bicubic: setup ## Which changes make an SRCNN worse than bicubic (docs/below-bicubic.md)
	@dvc repro --quiet download@t91 download@set5
	@python -m tools.below_bicubic

long: setup ## The strongest plain networks, on 290 images (docs/long-recipe.md)
	@python -m tools.long_recipe

photo: setup ## Networks for JPEG files and noisy photographs (docs/photo-recipe.md)
	@python -m tools.photo_recipe

fast: setup ## Small, fast networks (docs/fast-recipe.md)
	@python -m tools.fast_recipe

networks: setup ## Every network compared with its paper, at equal training time (docs/networks.md)
	@python -m tools.networks

robustness: setup ## Networks on compressed and noisy photographs (docs/photographs.md and .png)
	@python -m tools.robustness_picture
	@python -m tools.robustness

speed: setup ## The models of upscale compared with OpenCV's FSRCNN, on an idle machine (docs/speed.md)
	@python -m tools.speed

mnist-seeds: setup ## The MNIST warm-up with three seeds (docs/mnist-seeds.csv)
	@python -m tools.mnist_seeds

four-sets: setup ## The study's networks on Set5, Set14, BSD100 and Urban100 (docs/four-sets.md)
	@python -m tools.four_sets

seeds: setup ## How large are chance differences? The default recipe with several seeds (docs/seeds.md)
	@python -m tools.seeds

training-data: setup ## The effect of more training images, and of a leak (docs/data.md)
	@python -m tools.training_data

ablation: setup ## Does regularization help? PSNR over lambda (docs/ablation.csv and .png)
	@python -m tools.ablation

compare: ## The experiments side by side: their differences, and one METRIC (psnr) on the first test set
	$(ready)
	@python -m tools.compare $${METRIC:+--metric "$$METRIC"}

bench: setup ## Speed: ratios (docs/benchmarks.md), and the cost of larger data (docs/scaling.md)
	@python -m tools.bench

large-data: setup ## Time and memory for 400 images of 2040 x 1356: the data stages and 200 training steps
	@python -m tools.large_data

verify: repro ## Run all missing stages; compare this machine's scores with the committed ones
	@python -m tools.verify

torture: setup ## Kill the pipeline at random moments, and compare every byte
	@python -m tests.torture

weights: setup ## Export the trained networks that come with upscale (weights/, docs/example.png)
	@python -m tools.weights
	@python -m tools.example

wheel: ## upscale as a separate package for pip (dist/); needs no setup
	@python3 -m tools.wheel

readme: ## Update the results and times in the README from metrics/ and docs/
	$(ready)
	@python -m tools.readme

lint: ## Style and types
	$(ready)
	@ruff check .
	@ruff format --check .
	@mypy srstudy stages tests tools
	@python -m tools.readme --check

lock: ## Update the lock files from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev $(compiled) --output-file requirements.lock
	$(call extra,cluster)
	$(call extra,gpu)

compiled := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

# Only the packages that an extra adds, at the versions of requirements.lock.
define extra
	python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$1"], sep="\n")' \
		| uv pip compile - --constraint requirements.lock $(compiled) --output-file requirements-$1.lock
endef
