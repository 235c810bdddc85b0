#!/usr/bin/env bash
# Installs the peers if they are missing and compares; see README.md. Arguments go to compare.py.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/env.sh"
[ -x "$PEERS_DIR/bin/llamacpp/llama-bench" ] || "$here/setup_llamacpp.sh" native
[ -x "$PEERS_DIR/bin/ik/llama-bench" ] || "$here/setup_ik.sh"
[ -f "$PEERS_DIR/models/rand1b-q4_k_m.gguf" ] && [ -d "$PEERS_DIR/models/minilm" ] && [ -d "$PEERS_DIR/models/bert-base-rand" ] || "$here/setup_models.sh"
[ -f "$PEERS_DIR/models/minilm/onnx/int8plain.onnx" ] || "$here/setup_embed.sh"
exec python3 "$here/compare.py" "$@"
