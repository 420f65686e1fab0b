#!/bin/sh
# Makes .venv and puts exactly what a lock file names into it, each file checked by its hash.
#   sandbox/environment.sh requirements.lock       what `make run` needs
#   sandbox/environment.sh requirements-dev.lock   what `make test` needs; it includes the former
# and the API document that the Stripe sandbox checks every call against (requirements-stripe-spec.lock): its package
# without the dependencies, which nothing here uses.
# Does nothing when that was done before with the same locks. PYTHON names the interpreter, uv is used where it is on PATH.
set -eu

lock=$1
cd "$(dirname "$0")/.."
spec_lock=requirements-stripe-spec.lock
stamp=.venv/.installed-$lock

have() { command -v "$1" >/dev/null 2>&1; }
works() { have "$1" && "$1" --version >/dev/null 2>&1; }
fail() { echo "$*" >&2; exit 1; }
sum() { cat "$1" "$spec_lock" | cksum; }
is_done() { [ -x .venv/bin/python ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(sum "$lock")" ]; }

is_right_python() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:-python3.11 python3 python}; do
        if is_right_python "$candidate"; then echo "$candidate"; return; fi
    done
    fail "Quaestor needs Python 3.11, and ${PYTHON:-python3} is $(${PYTHON:-python3} --version 2>&1 | head -n 1)." \
        "Say which to use: make run PYTHON=/path/to/python3.11"
}

make_environment() {
    if [ -x .venv/bin/python ]; then
        is_right_python .venv/bin/python || fail ".venv is of another Python than 3.11: remove the folder and try again."
        return
    fi
    python=$(find_python)
    echo "Making .venv with $("$python" --version 2>&1)"
    if works uv; then uv venv --quiet --no-python-downloads --python "$python" .venv && return; fi
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv"
    "$python" -m venv .venv
}

install_with_uv() {
    uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock" &&
        uv pip install --quiet --python .venv/bin/python --require-hashes --no-deps -r "$spec_lock"
}

install_with_pip() {
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip --upgrade >/dev/null
    set -- install --quiet --quiet --disable-pip-version-check --require-hashes
    .venv/bin/python -m pip "$@" -r "$lock"
    .venv/bin/python -m pip "$@" --no-deps -r "$spec_lock"
}

if is_done; then exit 0; fi
make_environment
echo "Installing what $lock names"
if works uv; then install_with_uv || { echo "uv could not; trying pip."; install_with_pip; }; else install_with_pip; fi
sum "$lock" >"$stamp"
# The locks agree on every version, so whoever has the larger set has the smaller one.
if [ "$lock" = requirements-dev.lock ]; then sum requirements.lock >.venv/.installed-requirements.lock; fi
