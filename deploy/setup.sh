#!/bin/sh
# Installs what the tests need and is missing, on Debian: mosquitto, Chromium,
# InfluxDB 1.8, Pebble and an OpenID provider. Started services are not wanted: the tests
# start their own.
set -eu
cd "$(dirname "$0")/.."
# No Debian package of InfluxDB has /api/v2; it builds from its Go module.
if [ ! -x .tools/influxd ]; then
	echo "setup: building InfluxDB 1.8.10 into .tools (about a minute)"
	GOBIN="$PWD/.tools" GOFLAGS=-buildvcs=false go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10
fi
# A small ACME server, of Let's Encrypt, for the tests of [tls].
if [ ! -x .tools/pebble ]; then
	GOBIN="$PWD/.tools" GOFLAGS=-buildvcs=false go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.8.0
fi
# A certified OpenID provider, for the test of signing in by one.
if [ ! -x .tools/oidc-provider ]; then
	echo "setup: building an OpenID provider into .tools"
	GOBIN="$PWD/.tools/oidc" GOFLAGS=-buildvcs=false go install github.com/zitadel/oidc/v3/example/server@v3.45.4
	mv .tools/oidc/server .tools/oidc-provider
fi
missing=""
# With the race detector Go needs a C compiler.
command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
command -v mosquitto >/dev/null 2>&1 || [ -x /usr/sbin/mosquitto ] || missing="$missing mosquitto"
command -v mosquitto_pub >/dev/null 2>&1 || missing="$missing mosquitto-clients"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-noto-core"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
	echo "setup: install these and run again:$missing" >&2
	exit 1
fi
run=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || { echo "setup: run as root, or install these first:$missing" >&2; exit 1; }
	run=sudo
fi
echo "setup: installing$missing"
guard=/usr/sbin/policy-rc.d
made=""
if [ ! -e "$guard" ]; then
	printf '#!/bin/sh\nexit 101\n' | $run tee "$guard" >/dev/null
	$run chmod +x "$guard"
	made=yes
fi
trap '[ -z "$made" ] || $run rm -f "$guard"' EXIT
$run env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
