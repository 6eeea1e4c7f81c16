#!/bin/sh
# Makes the environment `.venv` from uv.lock, with nothing but a Python. Run by `make setup`.
set -eu
cd "$(dirname "$0")/../.."

say() { printf 'setup: %s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=""
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    say "no Python 3.11 or newer; install one (Debian, Ubuntu: apt-get install python3 python3-venv)" \
        "or name it: make setup PYTHON=/path/to/python3.11"
    exit 1
fi

# uv of the machine, else one of our own inside the environment, which `uv sync` leaves alone.
if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.venv/share/uv/bin/uv
    if ! [ -x "$uv" ]; then
        say "fetching uv"
        if ! { [ -x .venv/bin/python ] || "$python" -m venv --without-pip .venv; } ||
            ! "$python" -m venv .venv/share/uv >/dev/null; then
            say "this Python cannot make environments; install its venv module" \
                "(Debian, Ubuntu: apt-get install python3-venv)"
            exit 1
        fi
        .venv/share/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
    fi
fi

say "making .venv from uv.lock"
# A network that inspects TLS is known to the machine's own certificates alone. Where there are none
# uv goes by those it brings; the first name is that of older versions of uv.
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [ -e "$bundle" ]; then
        export UV_NATIVE_TLS=1 UV_SYSTEM_CERTS=1
        break
    fi
done
UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never \
    "$uv" sync --quiet --locked --python "$python"
