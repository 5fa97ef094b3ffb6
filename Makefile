# make demo needs only Go; make test sets up what it needs.
export CGO_ENABLED ?= 1

.PHONY: demo build setup test check bench endure ui

demo: ## a living province on this machine
	go run ./cmd/haidang demo $(ARGS)

build: ## the programs into bin/
	go build -o bin/ ./cmd/...

setup: ## what the tests need: mosquitto, Chromium
	sh deploy/setup.sh

test: setup ## everything, with the race detector
	HAIDANG_REQUIRE_SERVICES=1 go test -race -timeout 30m ./...

check: ## form: gofmt, vet, modules
	@test -z "$$(gofmt -l alerts cmd deploy devices firmware-sim ingest web)" || { gofmt -l alerts cmd deploy devices firmware-sim ingest web; echo "run gofmt -w on these"; exit 1; }
	go vet ./...

bench: ## figures beside peers, in one run
	go run ./deploy/bench $(ARGS)

endure: setup ## ten minutes of kills, restarts, outages and a full disk, then counting
	HAIDANG_REQUIRE_SERVICES=1 go test -v -timeout 2h ./deploy/endure -args $(or $(ARGS),-for 10m -kills 50 -rate 5000 -influx-away 2m -disk-full 15s)

ui: ## build the pages anew (needs Node)
	cd web/ui && npm ci --ignore-scripts && npx tsc --noEmit
	go run ./web/ui/build
