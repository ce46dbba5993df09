# Two commands for everybody: `make demo` and `make test`. Each sets everything up by itself.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
VIDEO ?=
LIGHT_ASD ?= $(wildcard ../shared/weights/light-asd)
JOBS ?= 2
STAMP := $(VENV)/.installed
# Where the environment forbids compiled modules, every process would compile everything anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test fast slow check format bench docs screens models clean help

help:
	@echo "make demo [VIDEO=path]  set up and clip a sample, or your own recording"
	@echo "make test               set up and run what CI runs"
	@echo "make check              format, lint, types, layers"
	@echo "make bench              measure speed and quality against floors and a peer"
	@echo "make docs               write the command reference anew"
	@echo "make screens            take the pictures of the review session anew"
	@echo "make clean              remove what these targets made"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --no-compile -c constraints.txt -e '.[dev,speaker,editors,url,review]'
	./deploy/system-libraries.sh $(BIN)/python
	@touch $@

models: $(STAMP)
	$(BIN)/reelremix models install base blazeface minilm yamnet campplus
	$(BIN)/reelremix models install light-asd $(if $(LIGHT_ASD),--from '$(LIGHT_ASD)') || \
		echo 'without light-asd, who speaks is judged by how mouths move'

demo: models
ifeq ($(VIDEO),)
	$(PIP) install --quiet --no-compile -c constraints.txt -r demo/requirements.txt
	@mkdir -p .demo
	@test -f .demo/conversation.mp4 || $(BIN)/python demo/make_sample.py .demo/conversation.mp4
	$(BIN)/reelremix clip .demo/conversation.mp4 --count 3 --out .demo/clips --overwrite
else
	$(BIN)/reelremix clip '$(VIDEO)' --out .demo/clips
endif

test: $(STAMP)
	$(MAKE) --jobs $(JOBS) check models
	$(BIN)/reelremix models install tiny.en
	$(PIP) install --quiet --no-compile -c constraints.txt -r demo/requirements.txt
	$(PIP) install --quiet --no-compile --no-deps -c constraints.txt -r tests/judge/requirements.txt
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'not slow and not gpu and not network' --durations=10
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'slow and not alone and not gpu and not network' --durations=10
	$(BIN)/python -m pytest -m 'slow and alone and not gpu and not network' --durations=10

fast: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'not slow and not gpu and not network'

check: $(STAMP)
	$(BIN)/ruff format --check reelremix tests benchmarks demo
	$(BIN)/ruff check reelremix tests benchmarks demo
	$(BIN)/mypy --num-workers $(JOBS)
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix reelremix tests benchmarks demo
	$(BIN)/ruff format reelremix tests benchmarks demo

bench: models
	$(PIP) install --quiet --no-compile -c constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/tui.py
	$(BIN)/python benchmarks/transcription.py
	$(BIN)/python benchmarks/framing.py
	$(BIN)/python benchmarks/speaker.py
	$(BIN)/python benchmarks/camera.py
	$(BIN)/python benchmarks/faces.py
	$(BIN)/python benchmarks/captions.py
	$(BIN)/python benchmarks/cues.py
	$(BIN)/python benchmarks/listen.py
	$(BIN)/python benchmarks/diarization.py
	$(BIN)/python benchmarks/selection.py --leave-one-out
	$(BIN)/python benchmarks/calibration.py
	$(BIN)/python benchmarks/train_kinds.py
	$(BIN)/python benchmarks/topics.py
	$(BIN)/python benchmarks/feedback.py
	$(BIN)/python benchmarks/ask.py
	$(BIN)/python benchmarks/library.py
	$(PIP) install --quiet --no-compile -c constraints.txt -r demo/requirements.txt
	@mkdir -p .demo
	$(BIN)/python demo/make_sample.py .demo/conversation.mp4
	$(BIN)/python benchmarks/word_times.py
	$(BIN)/python benchmarks/alignment.py
	$(BIN)/python benchmarks/tighten.py
	$(BIN)/python benchmarks/sound.py
	$(BIN)/python benchmarks/speed.py --long
	$(BIN)/python benchmarks/kill.py
	$(BIN)/python benchmarks/daemon.py

docs: $(STAMP)
	$(BIN)/python docs/make_reference.py

screens: demo
	$(BIN)/python docs/make_screens.py

clean:
	rm -rf $(VENV) .demo .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
