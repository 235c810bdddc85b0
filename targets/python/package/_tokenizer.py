"""Text to tokens and back."""

from __future__ import annotations

import ctypes as c
import json
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Union

import numpy as np

from . import _library as L

ADD_SPECIAL, LITERAL, SKIP_SPECIAL = 1, 2, 4


class Tokenizer:
    """The model's tokenizer, with the names of transformers' tokenizers."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def vocab_size(self) -> int:
        return int(self._model.info.vocabulary)

    def __len__(self) -> int:
        return self.vocab_size

    @property
    def eos_token_ids(self) -> List[int]:
        """The tokens that end a text."""
        buffer, count = (c.c_int32 * 256)(), L.SIZE()
        L.call("end_tokens", buffer, 256, c.byref(count))
        return list(buffer[: count.value])

    @property
    def eos_token_id(self) -> Optional[int]:
        ids = self.eos_token_ids
        return ids[0] if ids else None

    def encode_array(self, text: str, add_special_tokens: bool = True, literal: bool = False) -> "np.ndarray":
        """The token ids of a text as an int32 array."""
        data = L.utf8("text", text)
        flags = (ADD_SPECIAL if add_special_tokens else 0) | (LITERAL if literal else 0)
        ids, count = np.empty(len(data) + 16, np.int32), L.SIZE()
        handle = self._model._handle
        try:
            L.call("tokenize", handle, data, len(data), flags, ids.ctypes.data_as(L.INTS), ids.size, c.byref(count))
        except L.BY_CODE[10]:
            if count.value <= ids.size:
                raise
            ids = np.empty(count.value, np.int32)
            L.call("tokenize", handle, data, len(data), flags, ids.ctypes.data_as(L.INTS), ids.size, c.byref(count))
        return ids[: count.value]

    def encode(self, text: str, add_special_tokens: bool = True, literal: bool = False) -> List[int]:
        """The token ids of a text. With ``literal``, special tokens that stand in it are ordinary text."""
        return [int(i) for i in self.encode_array(text, add_special_tokens, literal)]

    def __call__(self, text: Union[str, Sequence[str]], add_special_tokens: bool = True) -> Dict[str, Any]:
        if isinstance(text, str):
            return {"input_ids": self.encode(text, add_special_tokens)}
        return {"input_ids": [self.encode(t, add_special_tokens) for t in text]}

    def decode(self, ids: Union[int, L.Ids], skip_special_tokens: bool = False) -> str:
        """The text of token ids."""
        array, pointer, count = L.ids_of([ids] if isinstance(ids, (int, np.integer)) else ids)
        flags = SKIP_SPECIAL if skip_special_tokens else 0
        return L.sized("detokenize", self._model._handle, pointer, count, flags).decode("utf-8", "replace")

    def batch_decode(self, sequences: Iterable[L.Ids], skip_special_tokens: bool = False) -> List[str]:
        return [self.decode(ids, skip_special_tokens) for ids in sequences]

    def convert_ids_to_tokens(self, ids: Union[int, L.Ids]) -> Any:
        """Tokens as the vocabulary writes them."""
        if isinstance(ids, (int, np.integer)):
            return L.sized("token_text", self._model._handle, L.token_id(ids), after=[None]).decode("utf-8", "replace")
        return [self.convert_ids_to_tokens(int(i)) for i in ids]

    def convert_tokens_to_ids(self, tokens: Union[str, Sequence[str]]) -> Any:
        """Ids of tokens as the vocabulary writes them; None for one that it does not have."""
        if not isinstance(tokens, str):
            return [self.convert_tokens_to_ids(t) for t in tokens]
        data, found = L.utf8("tokens", tokens), c.c_int32()
        L.call("token_id", self._model._handle, data, len(data), c.byref(found))
        return found.value if found.value >= 0 else None

    def tokenize(self, text: str) -> List[str]:
        return list(self.convert_ids_to_tokens(self.encode(text, add_special_tokens=False)))

    def apply_chat_template(
        self,
        conversation: Sequence[Mapping[str, Any]],
        tools: Optional[Sequence[Mapping[str, Any]]] = None,
        documents: Optional[Sequence[Mapping[str, Any]]] = None,
        chat_template: Optional[str] = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        enable_thinking: Optional[bool] = None,
        tokenize: bool = True,
        **variables: Any,
    ) -> Any:
        """The prompt for a conversation: token ids, or text if ``tokenize`` is false."""
        request: Dict[str, Any] = {
            "messages": list(conversation),
            "add_generation_prompt": add_generation_prompt,
            "continue_final_message": continue_final_message,
        }
        optional = {"tools": tools, "documents": documents, "chat_template": chat_template, "enable_thinking": enable_thinking, "variables": variables or None}
        request.update({k: v for k, v in optional.items() if v is not None})
        data = json.dumps(request).encode()
        text = L.sized("chat_template_json", data, len(data)).decode("utf-8", "replace")
        return self.encode(text, add_special_tokens=False) if tokenize else text
