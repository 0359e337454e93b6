#!/usr/bin/env bash
# Uses Ingot as another project would.
#
#   consume.sh installed <source> <build> <scratch>   installs the build, then find_package(ingot)
#   consume.sh libtorch <source> <build> <scratch>   the same with find_package(ingot COMPONENTS libtorch)
#   consume.sh cuda <source> <build> <scratch>   the same with find_package(ingot COMPONENTS cuda)
#   consume.sh subdirectory <source> <build> <scratch>   add_subdirectory(), without CUDA and LibTorch
set -euo pipefail
mode="$1" source="$2" build="$3" scratch="$4"
rm -rf "$scratch" && mkdir -p "$scratch"
compiler="$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")"
arguments=(-S "$source/examples/consumer" -B "$scratch/build" -G Ninja -DCMAKE_BUILD_TYPE=Release
  "-DCMAKE_CXX_COMPILER=$compiler" --log-level=WARNING)

fail() { echo "consume.sh: $*" >&2 && exit 1; }

install_here() {
  cmake --install "$build" --prefix "$scratch/prefix" >"$scratch/install.log"
  arguments+=("-DCMAKE_PREFIX_PATH=$scratch/prefix")
}

# What is installed names neither what Ingot is made of nor where it was made.
check_installed() {
  local include="$scratch/prefix/include"
  [[ -f "$include/ingot/checkpoint.h" ]] || fail "headers are not installed"
  [[ -z "$(find "$include" -mindepth 1 -maxdepth 1 ! -name ingot)" ]] || fail "strange headers in $include"
  # ingot/libtorch.h and ingot/cuda.h are there when the adapter is part of the build.
  local -a core=(-type f ! -name libtorch.h ! -name cuda.h)
  [[ "$(cd "$include" && find . "${core[@]}" | sort)" == "$(cd "$source/include" && find . "${core[@]}" | sort)" ]] ||
    fail "not every header of include/ is installed, or more than those"
  if grep -rnE '#\s*include.*(flatbuffers|cuda|torch|c10|ATen|xxh|openssl|liburing|"(base|format|io|writer|loader|cuda|libtorch)/)' "$include" --exclude=libtorch.h; then
    fail "an installed header includes what users must not need"
  fi
  if grep -rnF -e "$source" -e "$build" "$scratch/prefix" --include='*.cmake' --include='*.h'; then
    fail "an installed file names the build's folders"
  fi
}

check_command() {
  local command="$scratch/prefix/bin/ingot"
  [[ -x "$command" ]] || { echo "the command is not part of this build" && return; }
  "$command" verify "$scratch/consumer.ingot"
  "$command" inspect "$scratch/consumer.ingot" | grep -q linear.weight ||
    "$command" inspect --tensors "$scratch/consumer.ingot" | grep -q linear.weight
}

case "$mode" in
  installed)
    install_here
    check_installed
    ;;
  libtorch)
    install_here
    torch="$(sed -n 's/^Torch_DIR:[A-Z]*=//p' "$build/CMakeCache.txt")"
    arguments+=("-DTorch_DIR=$torch" -DINGOT_CONSUMER_TORCH=ON)
    ;;
  cuda)
    install_here
    nvcc="$(sed -n 's/^CMAKE_CUDA_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")"
    arguments+=("-DCMAKE_CUDA_COMPILER=$nvcc" -DINGOT_CONSUMER_CUDA=ON)
    ;;
  subdirectory)
    arguments+=("-DINGOT_SOURCE=$source" -DINGOT_CUDA=OFF -DINGOT_TORCH=OFF)
    ;;
  *) fail "unknown mode $mode" ;;
esac

cmake "${arguments[@]}"
cmake --build "$scratch/build" -j "$(nproc)"
"$scratch/build/consumer" "$scratch/consumer.ingot" | tee "$scratch/output"
grep -qx 'epoch 3, intact' "$scratch/output" || fail "the consumer did not print what it should"
if [[ "$mode" == installed ]]; then check_command; fi
if [[ "$mode" == cuda ]]; then
  # Linked with the CUDA runtime; runs where there is no GPU, too.
  "$scratch/build/consumer_cuda" | tee "$scratch/output"
  grep -qE '^[0-9]+ GPUs$' "$scratch/output" || fail "no answer through ingot::cuda"
fi
if [[ "$mode" == libtorch ]]; then
  [[ "$("$scratch/build/consumer_libtorch" "$scratch/model.ingot")" == "resumed" ]] || fail "no resume through ingot::libtorch"
fi
rm -rf "$scratch"
