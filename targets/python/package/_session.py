"""The state of one sequence, and text that comes piece by piece."""

from __future__ import annotations

import ctypes as c
import json
from dataclasses import dataclass
from typing import Any, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _library as L

Prompt = Union[str, L.Ids]

ENDS = ("error", "aborted", "stop", "stop", "length", "length", "closed")


@dataclass(frozen=True)
class Piece:
    """A piece of generated text and the token that completed it; -1 for text that was held back until the end. With the option
    logprobs, the natural logarithm of the token's probability, and pairs of the most probable tokens and theirs."""

    text: str
    token: int
    logprob: Optional[float] = None
    top_logprobs: Tuple[Tuple[int, float], ...] = ()


@dataclass(frozen=True)
class GenerationResult:
    """What a generation did."""

    finish_reason: str
    prompt_tokens: int
    tokens: int
    prefill_seconds: float
    first_token_seconds: float
    decode_seconds: float


@dataclass(frozen=True)
class GeneratedSequence:
    """A result of a search: its tokens, its text (None without a tokenizer), its score, the sum of its log probabilities."""

    ids: List[int]
    text: Optional[str]
    score: float
    logprob: float
    finish_reason: str
    end_token: int


# Names of llama-cpp-python for options of the library.
ALIASES = {"repeat_penalty": "repetition_penalty", "max_tokens": "max_new_tokens", "typical": "typical_p", "mirostat_mode": "mirostat"}


class _Parameters:
    """tfgen_generate_params and the memory that it points to."""

    def __init__(self, stop: Union[None, str, Sequence[str]], eos_token_id: Union[None, int, Sequence[int]], options: Any) -> None:
        self.struct = L.lib.tfgen_generate_default_params()
        self.logprobs = options.get("logprobs") not in (None, False)
        named = {ALIASES.get(k, k): v for k, v in options.items() if v is not None}
        if named.pop("do_sample", True) is False:
            named["temperature"] = 0
        self._json = json.dumps(named).encode()
        self.struct.options = self._json
        if stop is not None:
            texts = [_stop_text(s) for s in ([stop] if isinstance(stop, str) else stop)]
            self._stop = (c.c_char_p * len(texts))(*texts)
            self.struct.stop, self.struct.stop_count = self._stop, len(texts)
        if eos_token_id is not None:
            ends, _, count = L.ids_of([eos_token_id] if isinstance(eos_token_id, (int, np.integer)) else list(eos_token_id))
            self._ends = (c.c_int32 * max(count, 1))(*ends.tolist())
            self.struct.end_tokens, self.struct.end_token_count = self._ends, count


def _stop_text(text: Any) -> bytes:
    if not isinstance(text, str) or "\0" in text:
        raise L.BY_CODE[2](f"stop has {text!r}, expected texts without zero bytes", 2)
    return text.encode("utf-8", "surrogatepass")


class Stream(Iterator[Piece]):
    """A generation that is under way: an iterator of pieces, and a context manager that ends it."""

    def __init__(self, session: "Session", prompt: Prompt, parameters: _Parameters) -> None:
        self._session, self._handle, self._logprobs = session, L.HANDLE(), parameters.logprobs
        self.result: Optional[GenerationResult] = None
        if isinstance(prompt, str):
            data = L.utf8("prompt", prompt)
            L.call("stream_open", session._live(), data, len(data), None, 0, c.byref(parameters.struct), c.byref(self._handle))
        else:
            array, pointer, count = L.ids_of(prompt)
            L.call("stream_open", session._live(), None, 0, pointer, count, c.byref(parameters.struct), c.byref(self._handle))

    def __next__(self) -> Piece:
        if not self._handle:
            raise StopIteration
        text, length, token, done = c.c_void_p(), L.SIZE(), c.c_int32(), c.c_int32()
        result = L.Result(struct_size=c.sizeof(L.Result))
        try:
            L.call("stream_next", self._handle, c.byref(text), c.byref(length), c.byref(token), c.byref(done), c.byref(result))
        except BaseException:
            self.close()
            raise
        if done.value:
            self.result = GenerationResult(
                ENDS[result.end], result.prompt_tokens, result.tokens, result.prefill_seconds, result.first_token_seconds, result.decode_seconds
            )
            self.close()
            raise StopIteration
        data = c.string_at(text.value, length.value) if text.value else b""
        piece = data.decode("utf-8", "replace")
        if not self._logprobs or token.value < 0:
            return Piece(piece, token.value)
        logprob, top = self._odds()
        return Piece(piece, token.value, logprob, top)

    def _odds(self) -> Tuple[float, Tuple[Tuple[int, float], ...]]:
        """The log probability of the last piece's token, and those of the most probable ones."""
        logprob, count = c.c_double(), L.SIZE()
        L.call("stream_logprobs", self._handle, None, None, None, 0, c.byref(count))
        ids, values = (c.c_int32 * max(count.value, 1))(), (c.c_float * max(count.value, 1))()
        L.call("stream_logprobs", self._handle, c.byref(logprob), ids, values, len(ids), c.byref(count))
        return logprob.value, tuple(zip(ids[: count.value], values[: count.value]))

    def close(self) -> None:
        """Ends the generation and gives the session back."""
        handle, self._handle = self._handle, L.HANDLE()
        if handle:
            L.call("stream_close", handle)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except Exception:
            pass


class _Owner:
    """Owns the handle of a session: it is closed when the session and all arrays over its memory are gone."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle

    def __del__(self) -> None:
        try:
            L.call("session_close", self.handle)
        except Exception:
            pass


class Session:
    """The tokens so far of one sequence. It belongs to one thread at a time.

    Use it as a context manager, or close it.
    """

    def __init__(self, model: Any, n_ctx: int = 0, _handle: Any = None) -> None:
        self._model = model
        if _handle is None:
            _handle = L.HANDLE()
            parameters = L.lib.tfgen_session_default_params()
            parameters.context = L.int32("n_ctx", n_ctx)
            L.call("session_open", model._handle, c.byref(parameters), c.byref(_handle))
        self._owner: Optional[_Owner] = _Owner(_handle)

    def _live(self) -> Any:
        if self._owner is None:
            raise L.BY_CODE[3]("the session is closed", 3)
        return self._owner.handle

    def close(self) -> None:
        """Lets go of the session; its memory goes when no array of logits uses it any more."""
        self._owner = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _lengths(self) -> Tuple[int, int]:
        length, context = c.c_int32(), c.c_int32()
        L.call("session_length", self._live(), c.byref(length), c.byref(context))
        return length.value, context.value

    @property
    def n_tokens(self) -> int:
        """Tokens that the session holds."""
        return self._lengths()[0]

    def __len__(self) -> int:
        return self.n_tokens

    @property
    def n_ctx(self) -> int:
        """Tokens that the session can hold."""
        return self._lengths()[1]

    def reset(self) -> None:
        """Empties the session."""
        L.call("session_reset", self._live())

    def truncate(self, n: int) -> None:
        """Shortens the session to its first n tokens."""
        L.call("session_truncate", self._live(), L.int32("n", n))

    def fork(self) -> "Session":
        """A new session equal to this one."""
        handle = L.HANDLE()
        L.call("session_fork", self._live(), c.byref(handle))
        return Session(self._model, _handle=handle)

    def save_state(self) -> bytes:
        """The state as bytes, for load_state in this or another process."""
        return L.sized("session_save", self._live())

    def load_state(self, state: Union[bytes, bytearray, memoryview]) -> None:
        """Replaces the session by one that save_state has given; an encoder-decoder's has its source too."""
        data = bytes(state)
        L.call("session_restore", self._live(), data, len(data))

    def cancel(self) -> None:
        """Ends the call that another thread has running on this session."""
        L.call("session_cancel", self._live())

    def encode(self, source: Prompt) -> None:
        """Lets an encoder-decoder read a source, text or token ids with their special tokens, and empties the session."""
        ids = self._model.tokenizer.encode(source) if isinstance(source, str) else source
        array, pointer, count = L.ids_of(ids)
        L.interruptible(lambda abort: L.call("encode", self._live(), pointer, count, abort, None))

    def prefill(self, ids: L.Ids) -> "np.ndarray":
        """Appends tokens and returns the logits behind the last one, see logits."""
        array, pointer, count = L.ids_of(ids)
        L.interruptible(lambda abort: L.call("prefill", self._live(), pointer, count, abort, None))
        return self.logits

    eval = prefill

    def decode(self, token: int) -> "np.ndarray":
        """Appends one token and returns the logits behind it, see logits."""
        L.call("decode", self._live(), L.token_id(token))
        return self.logits

    @property
    def logits(self) -> "np.ndarray":
        """The logits behind the last token, [vocabulary]: the library's own memory, without a copy and read-only. The next
        call of the session overwrites it: copy what is to stay."""
        pointer, count = L.FLOATS(), L.SIZE()
        L.call("logits", self._live(), c.byref(pointer), c.byref(count))
        memory: Any = (c.c_float * count.value).from_address(c.addressof(pointer.contents))
        memory._owner = self._owner  # keeps the memory as long as the array
        array = np.frombuffer(memory, dtype=np.float32)
        array.flags.writeable = False
        return array

    def score(self, ids: L.Ids, out: "Optional[np.ndarray]" = None) -> "np.ndarray":
        """Appends tokens and returns the logits behind every one of them, [tokens, vocabulary]."""
        array, pointer, count = L.ids_of(ids)
        out = output(out, (count, self._model.info.vocabulary))
        size = L.SIZE()
        L.interruptible(lambda abort: L.call("score", self._live(), pointer, count, abort, None, L.floats(out), out.size, c.byref(size)))
        return out

    def stream(self, prompt: Prompt, *, stop: Any = None, eos_token_id: Any = None, **options: Any) -> Stream:
        """Continues a prompt, text or token ids, and yields pieces as they come.

        Options are those of transformers' generate and of llama-cpp-python: max_new_tokens, temperature, top_k, top_p, min_p,
        typical_p, repetition_penalty, seed, do_sample, no_repeat_ngram_size and so on. num_beams, or penalty_alpha with top_k,
        ask for a search, which gives its best sequence in one piece. logprobs=n adds probabilities to the pieces. The text
        follows json_schema, grammar (GBNF), regex, choices (texts) or json=True. An encoder-decoder's prompt is its source.
        """
        return Stream(self, prompt, _Parameters(stop, eos_token_id, options))

    def generate(self, prompt: Prompt, **options: Any) -> str:
        """Continues a prompt and returns the text; the options are those of stream."""
        with self.stream(prompt, **options) as pieces:
            return "".join(p.text for p in pieces)

    def generate_ids(self, prompt: Prompt, **options: Any) -> List[int]:
        """Continues a prompt and returns the token ids; the options are those of stream."""
        with self.stream(prompt, **options) as pieces:
            return [p.token for p in pieces if p.token >= 0]


def output(out: "Optional[np.ndarray]", shape: Any) -> "np.ndarray":
    """The array that a result is written to: the caller's, or a new one."""
    if out is None:
        return np.empty(shape, np.float32)
    if out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous or not out.flags.writeable:
        raise L.BY_CODE[2](f"out has shape {out.shape} of {out.dtype}, expected a writable, contiguous float32 array of shape {shape}", 2)
    return out
