# kycd: make run, make test; make help lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
DATA ?= data
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.PHONY: system
system: ## Install the system packages that are missing (Debian)
	@.ci/packages run

.PHONY: build
build: system ## Build both programs into bin/
	@mkdir -p bin
	@echo "==> building kycd (pure Go)"
	@CGO_ENABLED=0 go build -ldflags "-X main.version=$(VERSION)" -o bin/kycd ./cmd/kycd
	@echo "==> building kycd-vision (OpenCV, dlib, Tesseract, ZXing; the first time takes a few minutes)"
	@go build -ldflags "-X main.version=$(VERSION)" -o bin/kycd-vision ./cmd/kycd-vision

.PHONY: run
run: build ## Set everything up and serve on 127.0.0.1:8080
	@exec bin/kycd serve --data $(DATA)

.PHONY: models
models: build ## Fetch the weights and say what each is for
	@bin/kycd models --fetch --models $(DATA)/models

.PHONY: demo
demo: build ## Verify a person through the REST API, recognise them again, and refuse whom it must
	@bin/kycd demo

.PHONY: test
test: ## Run all tests, with a PostgreSQL and a Redis of their own
	@.ci/test

.PHONY: hostile
hostile: build ## Damage 10,000 pictures: the sidecar must live through all of them, in the same memory
	@.ci/hostile

.PHONY: bench
bench: build ## Measure speed against baselines in the same run
	@.ci/bench

.PHONY: eval
eval: build ## Measure accuracy over ../shared/testdata; eval-faces, eval-liveness, eval-replay, eval-documents: a part
	@.ci/eval

.PHONY: eval-faces eval-liveness eval-replay eval-documents
eval-faces eval-liveness eval-replay eval-documents: build ## Measure one part of it again
	@.ci/eval --only $(@:eval-%=%)

.PHONY: generate
generate: ## Generate ent, the REST server and the Go client anew
	@go generate ./ent ./rest ./clients/go

.PHONY: migration
migration: ## Write the next migration: make migration NAME=what_changes
	@.ci/migration "$(NAME)"

.PHONY: lint
lint: ## Check style, and the arrows between the packages
	@.ci/lint/run

.PHONY: clean
clean: ## Remove what was built; the data folder stays
	@rm -rf bin
