#!/usr/bin/env bash
# Builds ik_llama.cpp (CPU-oriented fork) from its PyPI sdist -> $PEERS_DIR/bin/ik/llama-bench. Its flash attention is built for
# keys and values in f16 and q8_0, of which f16 is measured: the other formats take an hour to compile.
source "$(dirname "$0")/env.sh"
ensure_base_venv
fetch_sdist ik-llama-cpp-python "$IK_LLAMA_CPP_PYTHON"
src="$PEERS_DIR/src/ik_llama_cpp_python-$IK_LLAMA_CPP_PYTHON/vendor/ik_llama.cpp"
build="$PEERS_DIR/src/build-ik"
mkdir -p "$src/common/cmake" "$build"
touch "$src/common/cmake/build-info-gen-cpp.cmake" # the sdist leaves it out
cmake -S "$src" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON \
  -DGGML_CCACHE=OFF -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF \
  -DGGML_IQK_FA_ALL_QUANTS=OFF ${IK_FLAGS:-}
cmake --build "$build" -j "$JOBS" --target llama
# llama-bench needs three symbols of a library that takes as long to compile as the rest
cat > "$build/bench-info.cpp" <<'CPP'
#include <thread>
int LLAMA_BUILD_NUMBER = 0;
char const *LLAMA_COMMIT = "sdist";
int cpu_get_num_math() { return std::thread::hardware_concurrency(); }
CPP
mkdir -p "$PEERS_DIR/bin/ik"
c++ -O2 -DNDEBUG -std=c++17 -I "$src/include" -I "$src/ggml/include" -I "$src/common" -I "$src/vendor" "$src/examples/llama-bench/llama-bench.cpp" \
  "$build/bench-info.cpp" "$build/src/libllama.a" "$build/ggml/src/libggml.a" -o "$PEERS_DIR/bin/ik/llama-bench" -fopenmp -lpthread -ldl -lm
ls -l "$PEERS_DIR/bin/ik"
