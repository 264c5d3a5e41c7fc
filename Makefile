# The make commands. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.venv/bin:$(PATH)

# A relative mirror is meant from here, also where a command runs in another folder.
ifneq ($(SR_MIRROR),)
ifeq ($(findstring ://,$(SR_MIRROR))$(filter /% ~%,$(SR_MIRROR)),)
export SR_MIRROR := $(CURDIR)/$(SR_MIRROR)
endif
endif

# `dvc exp run` commits; it must also work where git was never told who its user is.
ifeq ($(and $(shell git config user.name),$(shell git config user.email)),)
export GIT_AUTHOR_NAME ?= sr-study
export GIT_AUTHOR_EMAIL ?= sr-study@localhost
export GIT_COMMITTER_NAME ?= sr-study
export GIT_COMMITTER_EMAIL ?= sr-study@localhost
endif

# What works for long sets up by itself. What only looks at what is there, and is over in seconds,
# asks for the set-up instead of beginning an installation of minutes.
define ready
@$(if $(shell test -e .venv/installed || echo missing),$(error .venv: is not set up; run: make setup))
endef

.PHONY: help setup cluster demo test test-all repro check source-study below-bicubic long networks ablation mnist-seeds four-sets seeds training-data bench large-data verify torture readme weights wheel compare graph lint lock photo fast robustness speed

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/installed $(if $(filter 1,$(GPU)),.venv/gpu) ## Install everything, at pinned versions, into .venv; GPU=1: CUDA's packages too

.venv/installed: requirements.lock
	@bin/setup

cluster: setup .venv/cluster ## Install Dask too: the data stages over several machines (docs/scaling.md)

.venv/gpu .venv/cluster: .venv/%: requirements-%.lock | .venv/installed
	@bin/setup $<
	@touch $@

demo: setup ## The whole pipeline on embedded photographs, in minutes, without a download; OPEN=1 shows its page
	@python -m tools.demo $(if $(OPEN),--open)

test: setup ## The quick tests
	@pytest -m "not slow" --numprocesses 2 --dist loadfile

test-all: cluster ## The slow tests: real data, real DVC runs
	@pytest -m slow --numprocesses 2 --dist loadfile

check: ## Is every value of params.yaml allowed?
	$(ready)
	@python -m stages.validate

graph: ## What each stage waits for
	$(ready)
	@python -m tools.graph

repro: setup ## The real study: T91 to Set5 and Set14; JOBS=3: three trainings at a time
	@python -m stages.validate
	@python -m tools.repro '$(or $(JOBS),1)'

source-study: setup ## The student project's setting, beside its own figures (docs/source-study.md)
	@python -m tools.source_study

below-bicubic: setup ## What brings an SRCNN below bicubic (docs/below-bicubic.md)
	@dvc repro --quiet download@t91 download@set5
	@python -m tools.below_bicubic

long: setup ## The strongest plain networks, on 290 images (docs/long-recipe.md)
	@python -m tools.long_recipe

photo: setup ## Networks for JPEG files and noisy photographs (docs/photo-recipe.md)
	@python -m tools.photo_recipe

fast: setup ## Small networks where time counts (docs/fast-recipe.md)
	@python -m tools.fast_recipe

networks: setup ## Every network beside its paper, in equal time (docs/networks.md)
	@python -m tools.networks

robustness: setup ## Networks on compressed and noisy photographs (docs/photographs.md and .png)
	@python -m tools.robustness_picture
	@python -m tools.robustness

speed: setup ## The models of upscale beside FSRCNN by OpenCV, on an idle machine (docs/speed.md)
	@python -m tools.speed

mnist-seeds: setup ## The MNIST warm-up with three seeds (docs/mnist-seeds.csv)
	@python -m tools.mnist_seeds

four-sets: setup ## The study's networks on Set5, Set14, BSD100 and Urban100 (docs/four-sets.md)
	@python -m tools.four_sets

seeds: setup ## How large is chance? The default recipe with several seeds (docs/seeds.md)
	@python -m tools.seeds

training-data: setup ## What more training images, and a leak, are worth (docs/data.md)
	@python -m tools.training_data

ablation: setup ## Does regularization help? PSNR over lambda (docs/ablation.csv and .png)
	@python -m tools.ablation

compare: ## The experiments side by side: what differs, and one METRIC (psnr) on the first test set
	$(ready)
	@python -m tools.compare $(if $(METRIC),--metric '$(METRIC)')

bench: setup ## How fast it is: ratios (docs/benchmarks.md), and what larger data take (docs/scaling.md)
	@python -m tools.bench

large-data: setup ## 400 images of 2040 x 1356 through the data stages and 200 steps: time and memory
	@python -m tools.large_data

verify: repro ## Run what is missing: how far are this machine's scores from the committed ones?
	@python -m tools.verify

torture: setup ## Kill it at random moments, and compare every byte
	@python -m tests.torture

weights: setup ## The networks that upscale brings along, of the trained ones (weights/, docs/example.png)
	@python -m tools.weights
	@python -m tools.example

wheel: ## upscale as a package of its own, for pip (dist/); needs no setup
	@python3 -m tools.wheel

readme: ## Bring the README's results up to date with metrics/
	$(ready)
	@python -m tools.readme

lint: ## Style and types
	$(ready)
	@ruff check .
	@ruff format --check .
	@mypy srstudy stages tests tools
	@python -m tools.readme --check

lock: ## Renew the locks from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev $(compiled) --output-file requirements.lock
	$(call extra,cluster)
	$(call extra,gpu)

compiled := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

# What an extra adds, by itself, at the versions of requirements.lock.
define extra
	python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$1"], sep="\n")' \
		| uv pip compile - --constraint requirements.lock $(compiled) --output-file requirements-$1.lock
endef
