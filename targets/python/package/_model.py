"""The model."""

from __future__ import annotations

import ctypes as c
import os
import time
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _build
from . import _library as L
from ._session import ENDS, GeneratedSequence, Prompt, Session, _Parameters, output as result_array
from ._tokenizer import Tokenizer

FEATURES = {"generate": 1, "embed": 2, "classify": 4, "tokenize": 8, "chat": 16, "run": 32, "trace": 64, "encode": 128, "tag": 256, "answer": 512, "fill_mask": 1024, "rank": 2048}


@dataclass(frozen=True)
class ModelInfo:
    """What the model is; known without opening it."""

    name: str
    title: str
    architecture: str
    weight_format: str
    parameters: int
    weights_bytes: int
    layers: int
    width: int
    vocabulary: int
    max_context: int
    max_batch: int
    max_tokens: int
    embedding_size: int
    labels: Tuple[str, ...]
    outputs: Tuple[str, ...]
    features: FrozenSet[str]


@dataclass(frozen=True)
class MemoryUse:
    """Exact bytes."""

    weights: int
    activations: int
    worker: int
    session: int
    total: int


def _label(i: int) -> str:
    try:
        return L.sized("label", i).decode("utf-8", "replace")
    except L.BY_CODE[6]:
        return f"LABEL_{i}"


def info() -> ModelInfo:
    """Describes the model that is compiled into this package."""
    s = L.Info(struct_size=c.sizeof(L.Info))
    L.call("get_info", c.byref(s))
    numbers = {n: getattr(s, n) for n in ("parameters", "weights_bytes", "layers", "width", "vocabulary", "max_context", "max_batch", "max_tokens", "embedding_size")}
    texts = {n: getattr(s, n).decode() for n in ("name", "title", "architecture", "weight_format")}
    return ModelInfo(
        **texts,
        **numbers,
        labels=tuple(_label(i) for i in range(s.labels)),
        outputs=tuple(o for o in s.outputs.decode().split(",") if o),
        features=frozenset(name for name, bit in FEATURES.items() if s.features & bit),
    )


def memory(threads: int = 0, sessions: int = 1, n_ctx: int = 0) -> MemoryUse:
    """The memory of an open model with the given threads and sessions; known before anything is loaded."""
    m = L.Memory(struct_size=c.sizeof(L.Memory))
    L.call("get_memory", L.int32("threads", threads), L.int32("sessions", sessions), L.int32("n_ctx", n_ctx), c.byref(m))
    return MemoryUse(m.weights, m.activations, m.worker, m.session, m.total)


def _texts(texts: Sequence[str]) -> Tuple[Any, Any]:
    if isinstance(texts, str):
        raise L.BY_CODE[2](f"{texts!r} is a str, expected a list of them", 2)
    data = [L.utf8(f"text {i}", t) for i, t in enumerate(texts)]
    return (c.c_char_p * len(data))(*data), (L.SIZE * len(data))(*[len(d) for d in data])


@dataclass(frozen=True)
class Part:
    """A part of a text, its characters start to end, with a probability; of a tagger, with its label."""

    text: str
    start: int
    end: int
    score: float
    label: str


@dataclass(frozen=True)
class ClassScore:
    """A class of a text with its probability, or its number if the model gives one."""

    label: str
    score: float


@dataclass(frozen=True)
class Ranked:
    """A text that was judged for a query: its place in the list that was given, its score, and itself."""

    index: int
    score: float
    text: str


@dataclass(frozen=True)
class Fill:
    """A token for the place of a mask, with its probability."""

    token: int
    text: str
    score: float


def _parts(name: str, arguments: Sequence[Any], text: str, data: bytes) -> List[Part]:
    """Calls a function that gives parts of a text: first for their number."""
    count = L.SIZE()

    def run(parts: Any, capacity: int) -> None:
        L.interruptible(lambda abort: L.call(name, *arguments, abort, None, parts, capacity, c.byref(count)))

    run(None, 0)
    parts = (L.Part * max(count.value, 1))()
    run(parts, len(parts))

    def place(byte: int) -> int:
        return len(data[:byte].decode("utf-8", "surrogatepass"))

    found = [(p, place(p.begin), place(p.end)) for p in parts[: count.value]]
    return [Part(text[a:b], a, b, p.score, p.label.decode()) for p, a, b in found]


class Model:
    """An open model. It may be used by several threads; a Session belongs to one at a time."""

    def __init__(self, weights: Union[None, str, "os.PathLike[str]"] = None, *, threads: int = 0, verify: bool = False) -> None:
        """Opens the weights that ship with this package, or another copy of them."""
        self.info = info()
        self._handle = L.HANDLE()
        path: Optional[bytes] = os.fsencode(weights) if weights is not None else _default_weights()
        parameters = L.lib.tfgen_model_default_params()
        parameters.threads, parameters.verify = L.int32("threads", threads), int(verify)
        L.call("model_open", path, c.byref(parameters), c.byref(self._handle))
        self.tokenizer = Tokenizer(self)

    @classmethod
    def from_pretrained(cls, weights: Union[None, str, "os.PathLike[str]"] = None, **options: Any) -> "Model":
        """The same as the constructor, under the name that transformers uses."""
        return cls(weights, **options)

    def close(self) -> None:
        """Waits for the call that is running and releases weights and workers. Sessions cannot be used any more."""
        handle, self._handle = self._handle, L.HANDLE()
        L.call("model_close", handle)

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except Exception:
            pass

    def verify(self) -> None:
        """Reads all weights and compares their digests."""
        L.interruptible(lambda abort: L.call("model_verify", self._handle, abort, None))

    @property
    def n_threads(self) -> int:
        n = c.c_int32()
        L.call("model_threads", self._handle, c.byref(n))
        return n.value

    # Text.

    def tokenize(self, text: str, add_special_tokens: bool = True) -> List[int]:
        return self.tokenizer.encode(text, add_special_tokens)

    def detokenize(self, ids: L.Ids, skip_special_tokens: bool = True) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens)

    # Decoders.

    def session(self, n_ctx: int = 0) -> Session:
        """A new session for n_ctx tokens; 0 is the model's longest sequence."""
        return Session(self, n_ctx)

    def decode_batch(self, sessions: Sequence[Session], tokens: L.Ids) -> None:
        """Appends one token to each of several sessions in one pass; each then has its logits."""
        array, pointer, count = L.ids_of(tokens)
        if count != len(sessions):
            raise L.BY_CODE[2](f"{len(sessions)} sessions and {count} tokens", 2)
        L.call("decode_batch", (L.HANDLE * count)(*[s._live() for s in sessions]), pointer, count)

    def generate(self, prompt: Prompt, *, n_ctx: int = 0, **options: Any) -> str:
        """Continues a prompt in a session of its own and returns the text; see Session.stream for the options."""
        with self.session(n_ctx) as s:
            return s.generate(prompt, **options)

    def stream(self, prompt: Prompt, *, n_ctx: int = 0, **options: Any) -> Iterator[str]:
        """Continues a prompt in a session of its own and yields the text piece by piece."""
        with self.session(n_ctx) as s, s.stream(prompt, **options) as pieces:
            for piece in pieces:
                if piece.text:
                    yield piece.text

    def search(self, prompt: Prompt, **options: Any) -> List[GeneratedSequence]:
        """Continues a prompt, or a source, with several sequences, the best first: beam search (num_beams, num_beam_groups,
        diversity_penalty, length_penalty, early_stopping), contrastive search (penalty_alpha, top_k), or best_of samples;
        num_return_sequences says how many. See Session.stream for the other options."""
        parameters = _Parameters(options.pop("stop", None), options.pop("eos_token_id", None), options)
        handle, count = L.HANDLE(), L.SIZE()

        def run(abort: Any) -> None:
            parameters.struct.abort = c.cast(abort, c.c_void_p)
            if isinstance(prompt, str):
                data = prompt.encode("utf-8", "surrogatepass")
                L.call("search", self._handle, data, len(data), None, 0, c.byref(parameters.struct), c.byref(handle))
            else:
                array, pointer, n = L.ids_of(prompt)
                L.call("search", self._handle, None, 0, pointer, n, c.byref(parameters.struct), c.byref(handle))

        L.interruptible(run)
        try:
            L.call("sequences_count", handle, c.byref(count))
            return [self._found(handle, i) for i in range(count.value)]
        finally:
            L.call("sequences_close", handle)

    def _found(self, handle: Any, i: int) -> GeneratedSequence:
        info, count = L.SequenceInfo(struct_size=c.sizeof(L.SequenceInfo)), L.SIZE()
        L.call("sequence_get_info", handle, i, c.byref(info))
        L.call("sequence_ids", handle, i, None, 0, c.byref(count))
        ids = np.empty(count.value, np.int32)
        L.call("sequence_ids", handle, i, ids.ctypes.data_as(L.INTS), ids.size, c.byref(count))
        text = L.sized("sequence_text", handle, i).decode("utf-8", "replace") if "tokenize" in self.info.features else None
        return GeneratedSequence(ids.tolist(), text, info.score, info.logprob, ENDS[info.end], info.end_token)

    @property
    def start_tokens(self) -> List[int]:
        """The ids that every text of an encoder-decoder's decoder begins with; other models have none."""
        count = L.SIZE()
        L.call("start_tokens", None, 0, c.byref(count))
        ids = (c.c_int32 * max(count.value, 1))()
        L.call("start_tokens", ids, len(ids), c.byref(count))
        return ids[: count.value]

    def create_completion(self, prompt: Prompt, *, stream: bool = False, **options: Any) -> Any:
        """Continues a prompt and returns what llama-cpp-python's create_completion does, or yields its chunks."""
        return self._completion("text_completion", prompt, stream, options)

    __call__ = create_completion

    def create_chat_completion(self, messages: Sequence[Mapping[str, Any]], *, tools: Any = None, stream: bool = False, **options: Any) -> Any:
        """Answers a conversation and returns what llama-cpp-python's create_chat_completion does, or yields its chunks."""
        prompt = self.tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True)
        return self._completion("chat.completion", prompt, stream, options)

    def _completion(self, kind: str, prompt: Prompt, stream: bool, options: Dict[str, Any]) -> Any:
        chunks = self._chunks(kind, prompt, options)
        if stream:
            return chunks
        text, last = "", {}
        for last in chunks:
            choice = last["choices"][0]
            text += choice["text"] if kind == "text_completion" else choice["delta"].get("content", "")
        last["object"] = kind
        content = {"text": text} if kind == "text_completion" else {"message": {"role": "assistant", "content": text}}
        last["choices"] = [{"index": 0, **content, "finish_reason": last["choices"][0]["finish_reason"]}]
        return last

    def _chunks(self, kind: str, prompt: Prompt, options: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        head = {"object": kind if kind == "text_completion" else kind + ".chunk", "created": int(time.time()), "model": self.info.name}

        def chunk(text: str, reason: Optional[str]) -> Dict[str, Any]:
            content = {"text": text} if kind == "text_completion" else {"delta": {"content": text} if reason is None else {}}
            return {**head, "choices": [{"index": 0, **content, "finish_reason": reason}]}

        with self.session(options.pop("n_ctx", 0)) as s, s.stream(prompt, **options) as pieces:
            for piece in pieces:
                if piece.text:
                    yield chunk(piece.text, None)
            result = pieces.result
            assert result is not None
            last = chunk("", result.finish_reason)
            last["usage"] = {
                "prompt_tokens": result.prompt_tokens,
                "completion_tokens": result.tokens,
                "total_tokens": result.prompt_tokens + result.tokens,
            }
            yield last

    # Encoders.

    def embed(self, texts: Union[str, Sequence[str]], out: "Optional[np.ndarray]" = None) -> "np.ndarray":
        """The embeddings of texts, [texts, embedding_size]; of one text, [embedding_size]."""
        if isinstance(texts, str):
            one: np.ndarray = self.embed([texts])[0]
            return one
        pointers, lengths = _texts(texts)
        out = result_array(out, (len(texts), self.info.embedding_size))
        size = L.SIZE()
        L.interruptible(lambda abort: L.call("embed", self._handle, pointers, lengths, len(texts), abort, None, L.floats(out), out.size, c.byref(size)))
        return out

    encode = embed

    def classify(self, texts: Union[str, Sequence[str]], pairs: Union[None, str, Sequence[str]] = None) -> "np.ndarray":
        """The scores (logits) of texts, or of texts with second texts, [texts, labels]; of one text, [labels]."""
        return self._classify("classify", texts, pairs)

    def predict_proba(self, texts: Union[str, Sequence[str]], pairs: Union[None, str, Sequence[str]] = None) -> "np.ndarray":
        """What classify gives as probabilities: of classes of which one holds, or of each if several may hold; the numbers
        themselves of a regression."""
        return self._classify("class_scores", texts, pairs)

    def predict(self, texts: Union[str, Sequence[str]], pairs: Union[None, str, Sequence[str]] = None, top_k: Optional[int] = None) -> Any:
        """The classes of each text with their scores, the best first, at most top_k: what the pipeline text-classification of
        transformers gives. Of one text a list, of several a list of lists."""
        scores = self.predict_proba(texts, pairs)
        if scores.ndim == 1:
            return self._classes(scores, top_k)
        return [self._classes(row, top_k) for row in scores]

    def _classes(self, scores: "np.ndarray", top_k: Optional[int]) -> List[ClassScore]:
        order = np.argsort(-scores, kind="stable")[:top_k]
        return [ClassScore(self.info.labels[i], float(scores[i])) for i in order]

    def _classify(self, name: str, texts: Union[str, Sequence[str]], pairs: Union[None, str, Sequence[str]]) -> "np.ndarray":
        if isinstance(texts, str):
            one: np.ndarray = self._classify(name, [texts], [pairs] if isinstance(pairs, str) else pairs)[0]
            return one
        if isinstance(pairs, str) or pairs is not None and len(pairs) != len(texts):
            raise L.BY_CODE[2](f"{len(texts)} texts and {1 if isinstance(pairs, str) else len(pairs)} second texts", 2)
        pointers, lengths = _texts(texts)
        second, second_lengths = _texts(pairs) if pairs is not None else (None, None)
        out, size = np.empty((len(texts), len(self.info.labels)), np.float32), L.SIZE()
        L.interruptible(
            lambda abort: L.call(name, self._handle, pointers, lengths, second, second_lengths, len(texts), abort, None, L.floats(out), out.size, c.byref(size))
        )
        return out

    def rank(self, query: str, documents: Sequence[str], top_k: Optional[int] = None) -> List[Ranked]:
        """Documents in descending order of what they say about a query, at most top_k: CrossEncoder.rank of
        sentence-transformers."""
        data = L.utf8("query", query)
        pointers, lengths = _texts(documents)
        order, scores, size = (L.SIZE * len(documents))(), (c.c_double * len(documents))(), L.SIZE()
        L.interruptible(
            lambda abort: L.call("rank", self._handle, data, len(data), pointers, lengths, len(documents), abort, None, order, scores, len(documents), c.byref(size))
        )
        return [Ranked(i, s, str(documents[i])) for i, s in zip(order, scores)][:top_k]

    def tag(self, text: str) -> List[Part]:
        """The parts of a text that the model marks, such as names, as transformers' aggregation_strategy "simple"."""
        data = L.utf8("text", text)
        return _parts("tag", (self._handle, data, len(data)), text, data)

    def answer(self, question: str, context: str, top_k: int = 1) -> List[Part]:
        """The best answers to a question in a text, the best first."""
        asked, data = L.utf8("question", question), L.utf8("context", context)
        return _parts("answer", (self._handle, asked, len(asked), data, len(data), L.positive("top_k", top_k)), context, data)

    def fill_mask(self, text: str, top_k: int = 5) -> List[List[Fill]]:
        """For every mask in a text, the most probable tokens for its place."""
        data, count, top_k = L.utf8("text", text), L.SIZE(), L.positive("top_k", top_k)
        head = (self._handle, data, len(data), top_k)
        L.interruptible(lambda abort: L.call("fill_mask", *head, abort, None, None, None, 0, c.byref(count)))
        ids, scores = (c.c_int32 * count.value)(), (c.c_float * count.value)()
        L.interruptible(lambda abort: L.call("fill_mask", *head, abort, None, ids, scores, len(ids), c.byref(count)))
        fills = [Fill(i, self.tokenizer.decode([i], False), s) for i, s in zip(ids, scores)]
        return [fills[n : n + top_k] for n in range(0, len(fills), top_k)]

    def run(self, sequences: Sequence[L.Ids], output: Optional[str] = None, token_types: Optional[Sequence[L.Ids]] = None) -> List["np.ndarray"]:
        """An output of an encoder for sequences of token ids with their special tokens: an array for each sequence, a row a
        sequence or a row a token. Without a name it is the model's first output."""
        if not self.info.outputs:
            raise L.BY_CODE[6](f"{self.info.name} is a decoder: it has sessions", 6)
        arrays = [L.ids_of(s)[0] for s in sequences]
        lengths = (L.SIZE * len(arrays))(*[a.size for a in arrays])
        ids, pointer, _ = L.ids_of(np.concatenate(arrays) if arrays else [])
        types = L.ids_of(np.concatenate([L.ids_of(t)[0] for t in token_types])) if token_types is not None else None
        if types is not None and types[2] != ids.size:
            raise L.BY_CODE[2](f"{ids.size} token ids and {types[2]} token types", 2)
        name, size = (output or self.info.outputs[0]).encode(), L.SIZE()
        head = (self._handle, pointer, types[1] if types else None, lengths, len(arrays), name)
        L.call("run", *head, L.NO_ABORT, None, None, 0, c.byref(size))
        values = np.empty(size.value, np.float32)
        L.interruptible(lambda abort: L.call("run", *head, abort, None, L.floats(values), values.size, c.byref(size)))
        return _cut(values, [a.size for a in arrays], name.decode() in _build.BY_TOKEN)

    def trace(self, ids: L.Ids, name: str, source: L.Ids = ()) -> "np.ndarray":
        """What a model built with --trace remembers of a sequence under a name, e.g. hidden/0; source is what the encoder of an
        encoder-decoder reads."""
        array, pointer, count = L.ids_of(ids)
        read, read_pointer, read_count = L.ids_of(source)
        size, head = L.SIZE(), (self._handle, read_pointer, read_count, pointer, count, name.encode())
        L.call("trace_encoded", *head, None, 0, c.byref(size))
        values = np.empty(size.value, np.float32)
        L.call("trace_encoded", *head, L.floats(values), values.size, c.byref(size))
        return values


def _cut(values: "np.ndarray", lengths: List[int], by_token: bool) -> List["np.ndarray"]:
    """Cuts an output into sequences."""
    if not lengths:
        return []
    if not by_token:
        return list(values.reshape(len(lengths), -1))
    return np.split(values.reshape(sum(lengths), -1), np.cumsum(lengths)[:-1])


def _default_weights() -> Optional[bytes]:
    if _build.WEIGHTS is None:
        return None
    return os.fsencode(os.path.join(os.path.dirname(os.path.abspath(__file__)), _build.WEIGHTS))
