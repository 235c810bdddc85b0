# Targets for people and for CI. `make demo` and `make test` are all that a new user needs.
GO      ?= go
BIN     := bin
DEMO    := $(BIN)/demo
PROMPT  ?= func (r *Reader) Read(
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

.PHONY: all demo demo-web test test-all test-targets stress check bench bench-peers bench-tokenizers native-tokenizers test-native support reference parity cover fuzz quick install-tools clean

all: test

$(BIN)/tfgen: FORCE
	@mkdir -p $(BIN)
	$(GO) build -o $@ ./cmd/tfgen
FORCE:

# Compiles the model that ships with the repository, builds its program and completes a prompt.
demo: $(BIN)/tfgen
	$(BIN)/tfgen build tests/demo-model -o $(DEMO) --package gocode --title gocode-4m --weights bf16 --program --vendor
	cd $(DEMO) && CGO_ENABLED=0 $(GO) build -o ../gocode ./cmd/gocode
	$(BIN)/gocode generate --weights $(DEMO)/gocode.weights -n 64 -p '$(PROMPT)'

# Compiles the model that ships with the repository to WebAssembly, and MiniLM if its directory is there, and serves the demo
# pages on loopback.
MINILM  ?= $(HOME)/.cache/tfgen-models/all-minilm-l6-v2
ADDR    ?= 127.0.0.1:8080
demo-web: $(BIN)/tfgen
	$(BIN)/tfgen build tests/demo-model --target wasm -o $(BIN)/web/gocode --package gocode --title gocode-4m --weights bf16
	@if [ -d '$(MINILM)' ]; then $(BIN)/tfgen build '$(MINILM)' --target wasm -o $(BIN)/web/minilm --package minilm --title MiniLM --weights bf16; \
	else echo 'MiniLM is not at $(MINILM): the search page needs it (make demo-web MINILM=directory)'; fi
	$(GO) run ./targets/wasm/demo/serve -models $(BIN)/web -addr $(ADDR)

# All fast tests.
test:
	$(GO) vet ./...
	$(GO) test ./...

# All golden cases, and the suites over TFGEN_SHARED and TFGEN_MODELS where these are set; the race detector on the runtime. What
# has no larger suite is tested as by make test. The suites of other languages have a target of their own.
SUITES   = ./tests/capi ./tests/python ./tests/shipped ./targets/...
LANGUAGE = /tests/capi$$ /tests/python$$ /tests/shipped$$
test-all:
	$(GO) vet ./...
	env -u TFGEN_SHARED -u TFGEN_MODELS $(GO) test ./asm/... ./runtime/... ./generated/... $(SUITES)
	$(GO) test -race ./runtime/...
	TFGEN_ALL=1 $(GO) test -count=1 -timeout 60m ./gen/... ./cmd/... $$($(GO) list ./tests/... | grep -v $(LANGUAGE:%=-e %))

# Everything about C, Python, WebAssembly and packages that ship: valgrind, AddressSanitizer, other languages, fresh virtual
# environments, all golden cases in wazero, Node and Chromium. Takes half an hour and more; what is not installed is skipped.
test-targets:
	TFGEN_ALL=1 $(GO) test -count=1 -timeout 60m $(SUITES)

# Runs models under conditions that no one would choose (tests/stress) for so long.
STRESS  ?= 1m
stress:
	TFGEN_STRESS=$(STRESS) $(GO) test -count=1 -timeout 60m -v ./tests/stress

quick:
	$(GO) test -short ./...

check:
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || (echo 'gofmt: the files above are not formatted'; exit 1)
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	TFGEN_CHECK=1 $(GO) test -count=1 -run TestGeneratedIsFresh ./cmd/tfgen

# Verifies all golden cases, those of the project and those of TFGEN_SHARED, and writes docs/architectures.md. Takes minutes.
support: $(BIN)/tfgen
	$(BIN)/tfgen verify --json $$(ls -d gen/golden/testdata/*/ gen/verify/testdata/*coders/*/ gen/verify/testdata/sequences/*/ $(if $(TFGEN_SHARED),$(TFGEN_SHARED)/golden/hf/*/)) > $(BIN)/verify.json || true
	@{ echo '# Architectures'; echo; \
	  echo 'Written by `make support` from the specifications and the results of `tfgen verify`, on reference and all CPU levels of one machine.'; echo; \
	  $(BIN)/tfgen spec table $(BIN)/verify.json; } > $(BIN)/architectures.md
	mv $(BIN)/architectures.md docs/architectures.md

# Writes the reference of the language of specifications behind the introduction of its page.
reference: $(BIN)/tfgen
	{ sed '/^## Sections of a specification/,$$d' docs/spec-language.md; $(BIN)/tfgen spec reference; } > $(BIN)/spec-language.md
	mv $(BIN)/spec-language.md docs/spec-language.md

# Compares all targets of five models, and of MODELS, and writes docs/parity.md: the demo model, MiniLM and Gemma 3 270M where they
# are at hand, a small T5 and a small Mamba with generated weights. PYTHON names a Python with numpy.
GEMMA   ?= $(HOME)/.cache/tfgen-models/gemma-3-270m/gemma-3-270m-q4_k_m.gguf
parity: $(BIN)/tfgen
	@{ echo '# Parity'; echo; echo 'Written by `make parity`: every target of a model against the reference, on this machine. Rates are of a few tokens'; \
	  echo 'beside other work; [performance.md](performance.md) has the measured ones. Bytes are with the probe that looks into'; \
	  echo 'layers, some 0.15 MB of a C library that a build does not have; `--json` has the difference of every layer.'; \
	  for m in tests/demo-model '$(MINILM)' '$(GEMMA) --weights q8 -n 16' gen/golden/testdata/t5 gen/golden/testdata/mamba $(MODELS); do \
	  set -- $$m; [ -e "$$1" ] || continue; echo; echo '```'; $(BIN)/tfgen parity $$m 2>/dev/null; echo '```'; done; } > docs/parity.md
	@cat docs/parity.md

# Kernels, and whole models (MODELS: directories and files, FORMATS: weight formats) with their share of what the machine can do.
FORMATS ?= f32 bf16 f16 q8 q4
bench: $(BIN)/tfgen
	$(GO) test -run '^$$' -bench . ./asm/amd64/... ./runtime/...
	@for m in $(or $(MODELS),tests/demo-model); do for w in $(FORMATS); do echo; $(BIN)/tfgen bench $$m --weights $$w || exit 1; done; done

# Installs llama.cpp and ONNX Runtime (see tests/peers), runs them and tfgen alternately, and writes docs/performance-table.md,
# docs/performance.svg and the raw results.
bench-peers:
	tests/peers/compare.sh --out docs $(PEERS)

# Encodes the project's own text with tfgen and with the PyPI package tokenizers in turns, for the published tokenizers under
# TFGEN_MODELS.
TOKENIZERS ?= $(wildcard $(addprefix $(TFGEN_MODELS)/,ggml-vocab/ggml-vocab-gpt-2.gguf tokenizers/llama3_1/tokenizer.json \
  all-minilm-l6-v2/tokenizer.json tokenizers/xlmr/tokenizer.json))
VENV := $(or $(PEERS_DIR),$(HOME)/.cache/tfgen-peers)/tokenizers
bench-tokenizers: $(BIN)/tfgen
	test -x $(VENV)/bin/python || python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q tokenizers==0.23.3 gguf==0.19.0
	$(VENV)/bin/python tests/peers/bench_tokenizers.py $(BIN)/tfgen README.md $(wildcard docs/*.md runtime/*/*.go) -- $(TOKENIZERS)

# Builds the C library of github.com/daulet/tokenizers from the published crate `tokenizers` (cargo and a C compiler are needed).
NATIVE := $(CURDIR)/$(BIN)/native
native-tokenizers:
	cd gen/tokenizer/native/library && CARGO_TARGET_DIR='$(NATIVE)/target' cargo build --release --locked
	cp $(NATIVE)/target/release/libtokenizers.a $(NATIVE)/libtokenizers.a

# Compares runtime/tokenizer with that library, and builds tfgen with it (tfgen tokenizer encode --native …).
test-native: native-tokenizers
	CGO_ENABLED=1 CGO_LDFLAGS='-L$(NATIVE)' $(GO) test -count=1 -tags native_tokenizers ./gen/tokenizer/native
	CGO_ENABLED=1 CGO_LDFLAGS='-L$(NATIVE)' $(GO) build -tags native_tokenizers -o $(BIN)/tfgen-native ./cmd/tfgen

cover:
	$(GO) test -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -1

FUZZTIME ?= 10s
fuzz:
	@for pkg in $$($(GO) list ./gen/... ./runtime/...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg 2>/dev/null | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; done

install-tools:
	$(GO) install $(STATICCHECK)

clean:
	rm -rf $(BIN) cover.out
