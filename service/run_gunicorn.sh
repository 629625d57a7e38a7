#!/bin/sh
# Production server, from any directory: service/run_gunicorn.sh [gunicorn options]
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
# All threads of a worker share one heap. By default, glibc gives each thread a heap of its own, and each grows to the
# most that any photo needed there: 4 workers had 580 MB after 700 requests, with one heap each 500 MB.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-1}"
if [ -x .venv/bin/python ]; then
    set -- .venv/bin/python -m gunicorn -c service/gunicorn.conf.py "service:create_app()" "$@"
elif command -v gunicorn >/dev/null; then
    set -- gunicorn -c service/gunicorn.conf.py "service:create_app()" "$@"
else
    echo "gunicorn not found, neither in .venv nor on the PATH: pip install -r service/requirements.txt" >&2
    exit 1
fi
exec "$@"
