# What every script here shares: where the tree is, what is said, how steps are timed.
# Source it; it changes to the root of the repository.
# shellcheck shell=bash
set -euo pipefail

INGOT_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$INGOT_ROOT"
export LC_ALL=C.UTF-8

# Processors this process may run on.
INGOT_JOBS="${INGOT_JOBS:-$(nproc)}"

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
die() {
  printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2
  exit 1
}

# Milliseconds since some fixed point.
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# 1234 -> "1.2 s"
format_ms() {
  local ms=$1
  if ((ms >= 60000)); then
    printf '%d min %02d s' $((ms / 60000)) $((ms % 60000 / 1000))
  else
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
  fi
}

# Prints the usage text: the comment at the top of the calling script.
usage() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p}' "$0"; }

# Runs a command with the system's rights: as it is for root, with sudo for others.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "must be root, or have sudo, to run: $*"
  fi
}
