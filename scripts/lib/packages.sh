# System packages (Debian 12, Ubuntu 24.04). Source common.sh first.
# shellcheck shell=bash

base_packages=(
  build-essential g++ cmake ninja-build pkg-config git ca-certificates ccache
  libflatbuffers-dev flatbuffers-compiler libxxhash-dev liburing-dev libssl-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  libcli11-dev nlohmann-json3-dev libfmt-dev
  python3 python3-venv python3-pip
)
# What only `scripts/test --all` needs beside them; clang is added by clang_packages.
all_packages=(strace valgrind)

# The version of clang whose packages are installed or to be had: 14 where it exists, because the
# layout of the code is checked with that one.
clang_version() {
  local version
  for version in 14 15 16 17 18; do
    if command -v "clang-format-$version" >/dev/null && command -v "clang++-$version" >/dev/null; then
      echo "$version"
      return
    fi
  done
  for version in 14 15 16 17 18; do
    if [[ -n "$(apt-cache search --names-only "^clang-$version\$" 2>/dev/null)" ]]; then
      echo "$version"
      return
    fi
  done
  echo 14
}

clang_packages() {
  local version
  version="$(clang_version)"
  echo "clang-$version" "clang-tidy-$version" "clang-format-$version" "libclang-rt-$version-dev"
}

# Those of the given packages that are not installed.
missing_packages() {
  local installed package
  installed="$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    grep -qxF "installed $package" <<<"$installed" || echo "$package"
  done
}

# Installs what is missing; needs neither the network nor root when nothing is.
install_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  say "Installing system packages: ${missing[*]}"
  local -a apt=(apt-get -y -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" update >/dev/null ||
    note "apt-get update failed; going on with the package lists that are there"
  as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install --no-install-recommends \
    "${missing[@]}" </dev/null >"$INGOT_ROOT/build/setup-apt.log" 2>&1 || {
    tail -n 20 "$INGOT_ROOT/build/setup-apt.log" >&2
    die "apt-get could not install: ${missing[*]}"
  }
}

require_cmake() {
  local found
  found="$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*//p')" || true
  [[ -n "$found" ]] || die "cmake is not installed"
  printf '3.25\n%s\n' "$found" | sort -V -C || die "cmake 3.25 or newer is needed, found $found"
}
