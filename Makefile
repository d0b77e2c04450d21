# Everything that a newcomer needs is set up by the target that needs it. Nothing is written outside this folder,
# except that apt-get may install Mosquitto and, for the tests, GStreamer's RTSP server where they are missing.

PYTHON ?= python3
VENV ?= .venv
VENV_ULTRALYTICS ?= .venv-ultralytics
VENV_LOWEST ?= .venv-lowest
BIN := $(VENV)/bin
ULTRALYTICS_BIN := $(VENV_ULTRALYTICS)/bin
WEIGHTS := models/yolo11n.onnx
# Two cores are what a small machine has; a third worker makes it no faster.
PYTEST_WORKERS ?= 2

export SMARTPARK_DETECTOR_MODELS_DIR := $(CURDIR)/models
# Tests and the bench find the labelled clips here; without them they say so and skip.
export SMARTPARK_CLIPS ?= $(CURDIR)/../shared/clips

# What the benchmarks need to find each other.
BENCHMARKS := PYTHONPATH="$(CURDIR)/tests$${PYTHONPATH:+:$$PYTHONPATH}"

.PHONY: help demo test test-long test-random test-busy test-ultralytics test-lowest accuracy accuracy-scenes ablation \
	sensitivity lint bench bench-capture bench-counts bench-cli bench-latency bench-memory bench-store bench-pictures \
	bench-scheduling soak wheel clean broker cameras

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

demo: $(VENV)/.done $(WEIGHTS) broker  ## Run the whole product on a desk, with simulated cameras
	$(BIN)/smartpark demo $(DEMO_OPTIONS)

# The slowest tests are printed: what is slow is seen before it is a burden.
PYTEST := -m pytest -n $(PYTEST_WORKERS) --dist load --maxschedchunk 1 --durations 25 --durations-min 1

test: $(VENV)/.done $(WEIGHTS) broker cameras  ## Run every test, those that take minutes in a small form
	$(BIN)/python $(PYTEST) $(PYTEST_OPTIONS)

test-long: $(VENV)/.done $(WEIGHTS) broker cameras  ## Run the full forms of the tests that take minutes
	RANDOM_EXAMPLES=1 $(BIN)/python $(PYTEST) -m long --timeout 3600 $(PYTEST_OPTIONS)

test-random: $(VENV)/.done $(WEIGHTS) broker cameras  ## Run every test in a random order and with a random seed of Python's hashes
	@seed=$${SEED:-$$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}; echo "SEED=$$seed"; \
	RANDOM_EXAMPLES=1 PYTHONHASHSEED=$$seed $(BIN)/python $(PYTEST) -o addopts="-ra --strict-markers --import-mode=importlib -m 'not long'" \
		-p randomly -p "no:cacheprovider" --randomly-seed $$seed $(PYTEST_OPTIONS)

# What waits for a machine's speed fails here.
test-busy: $(VENV)/.done $(WEIGHTS) broker cameras  ## Run every test three times in a row beside four busy loops
	@pids=""; for loop in 1 2 3 4; do { while :; do :; done & }; pids="$$pids $$!"; done; \
	trap 'kill $$pids' EXIT; \
	for round in 1 2 3; do \
		echo "round $$round of 3 beside four busy loops"; \
		$(BIN)/python $(PYTEST) --timeout 1200 $(PYTEST_OPTIONS) || exit 1; \
	done

test-ultralytics: $(VENV_ULTRALYTICS)/.done $(WEIGHTS) models/yolov8n.pt  ## Hold the lean run time against Ultralytics
	$(ULTRALYTICS_BIN)/python -m pytest tests/detection -m ultralytics $(PYTEST_OPTIONS)

test-lowest: $(VENV_LOWEST)/.done $(WEIGHTS) broker cameras  ## Run every test with the lowest versions that pyproject.toml allows
	$(VENV_LOWEST)/bin/python $(PYTEST) $(PYTEST_OPTIONS)

# At 10 a second the floor holds too (`ACCURACY_RATES="all 10 5"`); two rates are what a build has time for.
ACCURACY_RATES ?= all 5
ACCURACY_OPTIONS ?= --jobs 2

accuracy: $(VENV)/.done $(WEIGHTS)  ## Hold the counts of the labelled clips against tests/evaluation/baseline.toml
	@if ls "$(SMARTPARK_CLIPS)"/*.toml >/dev/null 2>&1; then \
		for rate in $(ACCURACY_RATES); do \
			echo "at $$rate frames a second:"; \
			fps=""; [ "$$rate" = all ] || fps="--fps $$rate"; \
			$(BIN)/smartpark evaluate "$(SMARTPARK_CLIPS)"/*.toml $$fps --baseline tests/evaluation/baseline.toml $(ACCURACY_OPTIONS) || exit 1; \
		done; \
	else echo "No labelled clips in $(SMARTPARK_CLIPS) (SMARTPARK_CLIPS): their counts are not checked"; fi

accuracy-scenes: $(VENV)/.done $(WEIGHTS)  ## Count the fifteen simulated scenes at each of ACCURACY_RATES
	@for rate in $(ACCURACY_RATES); do \
		echo "at $$rate frames a second:"; \
		fps=""; [ "$$rate" = all ] || fps="--fps $$rate"; \
		$(BIN)/smartpark evaluate tests/evaluation/scenes/*.toml $$fps --baseline tests/evaluation/baseline-scenes.toml $(ACCURACY_OPTIONS) \
			|| exit 1; \
	done

ablation: $(VENV)/.done $(WEIGHTS)  ## What each mechanism of tracking and counting brings, on the clips and the scenes
	$(BENCHMARKS) $(BIN)/python -m benchmarks.ablation $(ABLATION_OPTIONS)

sensitivity: $(VENV)/.done $(WEIGHTS)  ## How much the count depends on each tuned number, from recordings of the clips
	$(BENCHMARKS) $(BIN)/python -m benchmarks.sensitivity $(SENSITIVITY_OPTIONS)

lint: $(VENV)/.done  ## Style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests

bench: $(VENV_ULTRALYTICS)/.done $(WEIGHTS)  ## Speed and memory beside Ultralytics and supervision, then the other benches
	$(BENCHMARKS) $(ULTRALYTICS_BIN)/python -m benchmarks.bench $(BENCH_OPTIONS)
	$(MAKE) bench-cli
	$(MAKE) bench-capture
	$(MAKE) bench-latency
	$(MAKE) bench-memory
	$(MAKE) bench-pictures
	$(MAKE) bench-scheduling
	$(MAKE) bench-counts
	$(MAKE) bench-store

bench-cli: $(VENV)/.done  ## CPU time of commands, beside `python -c pass` and `sqlite3 -csv`
	$(BENCHMARKS) $(BIN)/python -m benchmarks.bench_cli

bench-capture: $(VENV)/.done  ## What a live camera costs: the hand-over of a frame, and the process that reads it
	$(BENCHMARKS) $(BIN)/python -m benchmarks.bench_capture

bench-latency: $(VENV)/.done $(WEIGHTS)  ## How long an event takes from a live camera to the commit, by the parts of its way
	$(BENCHMARKS) $(BIN)/python -m benchmarks.bench_latency $(BENCH_LATENCY_OPTIONS)

bench-memory: $(VENV)/.done $(WEIGHTS)  ## Memory of the daemon and all its readers with 1 and with 4 cameras of 1080p
	$(BENCHMARKS) $(BIN)/python -m benchmarks.bench_memory $(BENCH_MEMORY_OPTIONS)

bench-counts: $(VENV_ULTRALYTICS)/.done $(WEIGHTS)  ## How right the counts are on all labelled clips, beside theirs
	$(BENCHMARKS) $(ULTRALYTICS_BIN)/python -m benchmarks.bench_counts $(BENCH_COUNTS_OPTIONS)

bench-scheduling: $(VENV_ULTRALYTICS)/.done $(WEIGHTS)  ## What gating and region save, and four cameras at one detector
	$(BENCHMARKS) $(ULTRALYTICS_BIN)/python -m benchmarks.bench_scheduling $(BENCH_SCHEDULING_OPTIONS)

bench-pictures: $(VENV)/.done  ## What the checks of pictures find on the clips, how soon, and what they cost
	$(BENCHMARKS) $(BIN)/python -m benchmarks.bench_pictures

bench-store: $(VENV)/.done  ## Speed of the database at ten million events, beside bare sqlite3
	$(BENCHMARKS) $(BIN)/python -m benchmarks.bench_store $(BENCH_STORE_OPTIONS)

SOAK_MINUTES ?= 30

soak: $(VENV)/.done $(WEIGHTS) broker  ## Count for SOAK_MINUTES (30) with cameras that fail and a broker that restarts
	$(BENCHMARKS) $(BIN)/python -m benchmarks.soak --minutes $(SOAK_MINUTES) $(SOAK_OPTIONS)

wheel: $(VENV)/.done  ## Build the wheel and the sdist into dist/
	$(BIN)/python -m build --outdir dist .

# A virtual environment counts as made only when all of it was installed.
$(VENV)/.done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11 to 3.13 is needed; name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV_ULTRALYTICS)/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV_ULTRALYTICS)
	# Torch first and pinned, so that nothing that follows chooses another build of it. Then what the bench compares with:
	# ObjectCounter wants shapely and lap, LineZone is supervision's and takes its tracks from trackers.
	$(ULTRALYTICS_BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch torchvision
	$(ULTRALYTICS_BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,ultralytics]' \
		shapely lap supervision trackers
	@touch $@

# pip cannot choose the lowest versions, uv can. The tools of the tests stay those of constraints.txt.
$(VENV_LOWEST)/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV_LOWEST)
	$(VENV_LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(VENV_LOWEST)/bin/uv pip install --quiet --python $(VENV_LOWEST)/bin/python --resolution lowest-direct -e '.[postgresql]'
	$(VENV_LOWEST)/bin/uv pip freeze --quiet --python $(VENV_LOWEST)/bin/python --exclude-editable > $(VENV_LOWEST)/lowest.txt
	$(VENV_LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c $(VENV_LOWEST)/lowest.txt \
		pytest pytest-timeout pytest-xdist hypothesis psutil
	@touch $@

models/%.onnx: | $(VENV)/.done
	$(BIN)/smartpark models pull --dir models $*

models/%.pt: | $(VENV)/.done
	$(BIN)/smartpark models pull --dir models $*

# The demo and the tests use Mosquitto. Where it cannot be installed the demo says what to do, and the tests skip.
broker:
	@command -v mosquitto >/dev/null || test -x /usr/sbin/mosquitto || { \
		echo "Mosquitto is missing; trying to install it"; \
		run=""; [ "$$(id -u)" = 0 ] || run="sudo -n"; \
		{ $$run apt-get update -qq && $$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq mosquitto; } >/dev/null 2>&1 \
		|| echo "Mosquitto could not be installed; install it yourself: sudo apt-get install mosquitto"; }

# GStreamer's RTSP server is a camera for the tests. Where it cannot be installed they skip.
GSTREAMER := gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly

cameras:
	@/usr/bin/python3 -c "import gi; gi.require_version('GstRtspServer', '1.0')" 2>/dev/null || { \
		echo "GStreamer's RTSP server is missing; trying to install it"; \
		run=""; [ "$$(id -u)" = 0 ] || run="sudo -n"; \
		{ $$run apt-get update -qq && $$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			$(GSTREAMER); } >/dev/null 2>&1 \
		|| echo "It could not be installed; install it yourself: sudo apt-get install $(GSTREAMER)"; }

clean:  ## Remove what the other targets made
	rm -rf $(VENV) $(VENV_ULTRALYTICS) $(VENV_LOWEST) build dist models/*.onnx models/*.pt .mypy_cache .ruff_cache .pytest_cache .hypothesis
