# What there is to do; `make` alone lists it.
SWIFT ?= swift
BUILD := $(SWIFT) build --configuration release
FUZZ_COUNT ?= 1000000
COUNT ?= 2000
RACE_COUNT ?= 10000
BROKER_COUNT ?= 1000
BROKER_TESTS := CarrierConformance|Broker|RabbitMQ|ActiveMQ|STOMP|NATS|IronMQ
SEED ?= $(shell date +%s)

.PHONY: help deps deps-brokers build lint test test-brokers demo bench crash-test race-test simulate fuzz proto reference clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## installs the system libraries that are missing (as root, or with sudo)
	@scripts/install-dependencies

deps-brokers: ## installs the brokers and web servers that some tests talk to, and are skipped without
	@scripts/install-dependencies --brokers

build: deps ## builds .build/release/distro
	$(BUILD) --product distro

lint: ## swift format, strict
	$(SWIFT) format lint --strict Package.swift \
	  $$(find Sources Tests -name '*.swift' -not -path '*/Generated/*')

test: deps ## set-up, lint and all tests
	@scripts/test

test-brokers: deps-brokers ## all tests that talk to a broker, BROKER_COUNT messages through each cluster
	DISTRO_BROKER_COUNT=$(BROKER_COUNT) $(SWIFT) test --configuration release --filter '$(BROKER_TESTS)'

demo: build ## a signer, a relay, two machines, and what is refused, on this machine
	@scripts/demo

bench: build ## speed as ratios, side by side in one run
	$(BUILD) --product distro-bench
	.build/release/distro-bench

crash-test: build ## kills every role COUNT times (as SEED has it), and compares all checkouts
	$(BUILD) --product distro-crash
	.build/release/distro-crash --count $(COUNT) --seed $(SEED)

race-test: deps ## RACE_COUNT rounds of each program that works in a checkout beside us
	DISTRO_RACE_COUNT=$(RACE_COUNT) DISTRO_RACE_SEED=$(SEED) $(SWIFT) test --filter CheckoutRaceTests

simulate: deps ## a whole fleet's days in seconds, with faults, for COUNT seeds from SEED on
	$(BUILD) --product distro-simulate
	.build/release/distro-simulate --count $(COUNT) --seed $(SEED) --jobs $(shell nproc)

fuzz: deps ## the parsers on FUZZ_COUNT mutated inputs
	DISTRO_FUZZ_COUNT=$(FUZZ_COUNT) $(SWIFT) test --configuration release --filter 'Fuzz|Mutation'

proto: ## generates the Swift code of Sources/Messages/MessageFormat/proto (protoc, protoc-gen-swift 1.39)
	cd Sources/Messages/MessageFormat/proto && protoc --swift_out=../Generated \
	  --swift_opt=Visibility=Internal --swift_opt=UseAccessLevelOnImports=true *.proto

reference: build ## writes docs/reference from the program
	for page in commands configuration events refusals; do \
	  .build/release/distro reference $$page >docs/reference/$$page.md || exit 1; done

clean: ## removes what was built
	rm -rf .build
