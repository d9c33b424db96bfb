#!/bin/sh
# Makes .venv with the locked development requirements. `make` runs it when they changed.
# Needs Python 3 with venv, and a package index. Python 3.13 itself is found by uv (PATH,
# pyenv, the system) or, where there is none, downloaded by it.
set -eu
cd "$(dirname "$0")/.."

# uv brings certificate authorities of its own, a company's proxy is not among them: the system's
# are taken instead. The second name is for older releases of uv.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-1}"

fail() {
    printf '%s\n' "setup: $1" >&2
    exit 1
}

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    # The lock file says which uv; its hashes are checked like every other package's.
    bootstrap=.cache/bootstrap
    if [ ! -x "$bootstrap/bin/uv" ]; then
        python=$(command -v python3.13 || command -v python3 || command -v python) ||
            fail "no Python found; install Python 3.13"
        "$python" -m venv "$bootstrap" ||
            fail "'$python -m venv' failed; on Debian and Ubuntu: apt install python3-venv"
        awk '/^uv==/ { found = 1 } found && /^ *# via/ { exit } found' requirements-dev.txt \
            > "$bootstrap/uv.txt"
        "$bootstrap/bin/python" -m pip install --quiet --disable-pip-version-check \
            --require-hashes -r "$bootstrap/uv.txt" || fail "no package index could be reached"
    fi
    uv="$bootstrap/bin/uv"
fi

echo "setup: Python 3.13 and the locked requirements into .venv"
# Only warnings that matter: a pyenv shim of another version makes uv print a page otherwise.
"$uv" venv --quiet --clear --python 3.13 .venv || fail "no Python 3.13 found, and none could be downloaded"
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements-dev.txt ||
    fail "the requirements could not be installed"
touch .venv/.installed
