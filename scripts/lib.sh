# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: where things are, and how they speak.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vigie
data=$cache/data
venv=$cache/venv
jobs=${JOBS:-$(nproc)}
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 2; }

# The command as root, directly or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "root is needed for: $* (run this as root, or install sudo)"
  fi
}
