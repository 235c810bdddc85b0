#!/usr/bin/env bash
# Builds ik_llama.cpp (CPU-oriented fork) from its PyPI sdist -> $PEERS_DIR/bin/ik/llama-bench. Its flash attention is built for
# keys and values in f16 and q8_0, of which f16 is measured: the other formats take an hour to compile.
source "$(dirname "$0")/env.sh"
ensure_base_venv
fetch_sdist ik-llama-cpp-python "$IK_LLAMA_CPP_PYTHON"
src="$PEERS_DIR/src/ik_llama_cpp_python-$IK_LLAMA_CPP_PYTHON/vendor/ik_llama.cpp"
build="$PEERS_DIR/src/build-ik"
# the sdist leaves out a cmake file that only stamps the build
mkdir -p "$src/common/cmake"
cat > "$src/common/cmake/build-info-gen-cpp.cmake" <<'CM'
file(WRITE "common/build-info.cpp" "int LLAMA_BUILD_NUMBER = 0;\nchar const *LLAMA_COMMIT = \"sdist\";\nchar const *LLAMA_COMPILER = \"-\";\nchar const *LLAMA_BUILD_TARGET = \"-\";\n")
CM
cmake -S "$src" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON \
  -DGGML_CCACHE=OFF -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF \
  -DGGML_IQK_FA_ALL_QUANTS=OFF ${IK_FLAGS:-}
cmake --build "$build" -j "$JOBS" --target llama-bench
mkdir -p "$PEERS_DIR/bin/ik"; cp "$build/bin/llama-bench" "$PEERS_DIR/bin/ik/"
ls -l "$PEERS_DIR/bin/ik"
