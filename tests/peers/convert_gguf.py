#!/usr/bin/env python3
"""Converts a Hugging Face directory to float32 GGUF with llama.cpp's own converter, without a tokenizer: the vocabulary has tokens
that are their numbers.
  convert_gguf.py LLAMA_CPP DIRECTORY OUT.gguf      LLAMA_CPP: its source tree, with conversion/ and gguf-py/"""
import os, sys
from pathlib import Path

sys.path[:0] = [sys.argv[1], os.path.join(sys.argv[1], "gguf-py")]
import gguf
from conversion import ModelBase, base, get_model_class


def vocabulary(self):
    """what every set_vocab writes that a model's shape depends on"""
    n = self.hparams["vocab_size"]
    self.vocab_size = n
    w = self.gguf_writer
    w.add_tokenizer_model("none")
    w.add_token_list([str(i) for i in range(n)])
    for key, add in (("bos", w.add_bos_token_id), ("eos", w.add_eos_token_id), ("pad", w.add_pad_token_id)):
        if isinstance(self.hparams.get(key + "_token_id"), int):
            add(self.hparams[key + "_token_id"])
    if (types := self.hparams.get("type_vocab_size")) is not None:
        w.add_token_type_count(types)


source, out = Path(sys.argv[2]), Path(sys.argv[3])
base.TextModel.get_vocab_base_pre = lambda *a: "default"
hparams = ModelBase.load_hparams(source, False)
cls = get_model_class(hparams["architectures"][0])
cls.set_vocab = vocabulary
for name in ("_is_tokenizer_xlmroberta",):
    if hasattr(cls, name):
        setattr(cls, name, lambda self: False)
model = cls(source, gguf.LlamaFileType.ALL_F32, out)
model.write()
