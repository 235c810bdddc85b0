"""The C library: structs and functions of tfgen.h. ctypes releases the GIL during every call."""

from __future__ import annotations

import ctypes as c
import operator
import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _build
from ._errors import BY_CODE as BY_CODE, TfgenError

ABI_VERSION = 1 << 16 | 1

SIZE = c.c_size_t
HANDLE = c.c_void_p
INTS = c.POINTER(c.c_int32)
FLOATS = c.POINTER(c.c_float)
ABORT = c.CFUNCTYPE(c.c_int32, c.c_void_p)


class Status(c.Structure):
    _fields_ = [("code", c.c_int32), ("message", c.c_char * 1020)]


class Info(c.Structure):
    _fields_ = (
        [("struct_size", SIZE)]
        + [(n, c.c_char_p) for n in ("name", "title", "architecture", "weight_format", "weights_file", "outputs")]
        + [("parameters", c.c_int64), ("weights_bytes", c.c_int64), ("features", c.c_uint32)]
        + [(n, c.c_int32) for n in ("layers", "width", "vocabulary", "max_context", "max_batch", "max_tokens", "embedding_size", "labels")]
    )


class Memory(c.Structure):
    _fields_ = [("struct_size", SIZE)] + [(n, c.c_int64) for n in ("weights", "activations", "worker", "session", "total")]


class ModelParams(c.Structure):
    _fields_ = [("struct_size", SIZE), ("threads", c.c_int32), ("verify", c.c_int32)]


class SessionParams(c.Structure):
    _fields_ = [("struct_size", SIZE), ("context", c.c_int32)]


class GenerateParams(c.Structure):
    _fields_ = [
        ("struct_size", SIZE),
        ("max_tokens", c.c_int32),
        ("top_k", c.c_int32),
        ("temperature", c.c_double),
        ("top_p", c.c_double),
        ("min_p", c.c_double),
        ("repetition_penalty", c.c_double),
        ("seed", c.c_uint64),
        ("stop", c.POINTER(c.c_char_p)),
        ("stop_count", SIZE),
        ("end_tokens", INTS),
        ("end_token_count", SIZE),
        ("options", c.c_char_p),
        ("on_text", c.c_void_p),
        ("on_text_user", c.c_void_p),
        ("abort", c.c_void_p),
        ("abort_user", c.c_void_p),
    ]


class Part(c.Structure):
    _fields_ = [("begin", SIZE), ("end", SIZE), ("score", c.c_double), ("label", c.c_char * 64)]


class SequenceInfo(c.Structure):
    _fields_ = [("struct_size", SIZE), ("score", c.c_double), ("logprob", c.c_double), ("end", c.c_int32), ("end_token", c.c_int32)]


class Result(c.Structure):
    _fields_ = [("struct_size", SIZE)] + [(n, c.c_int32) for n in ("end", "prompt_tokens", "tokens", "reserved")] + [
        (n, c.c_double) for n in ("prefill_seconds", "first_token_seconds", "decode_seconds")
    ]


_STATUS, _SIZE, _HANDLES = c.POINTER(Status), c.POINTER(SIZE), c.POINTER(HANDLE)
_TEXTS, _INT = c.POINTER(c.c_char_p), c.POINTER(c.c_int32)

# The arguments of every function; all return a code but the *_default_params.
_FUNCTIONS: Dict[str, List[Any]] = {
    "init": [c.c_uint32],
    "get_info": [c.POINTER(Info)],
    "get_memory": [c.c_int32, c.c_int32, c.c_int32, c.POINTER(Memory)],
    "label": [c.c_int32, c.c_void_p, SIZE, _SIZE],
    "model_open": [c.c_char_p, c.POINTER(ModelParams), _HANDLES],
    "model_close": [HANDLE],
    "model_verify": [HANDLE, ABORT, c.c_void_p],
    "model_threads": [HANDLE, _INT],
    "tokenize": [HANDLE, c.c_char_p, SIZE, c.c_uint32, INTS, SIZE, _SIZE],
    "detokenize": [HANDLE, INTS, SIZE, c.c_uint32, c.c_void_p, SIZE, _SIZE],
    "token_text": [HANDLE, c.c_int32, c.c_void_p, SIZE, _SIZE, _INT],
    "token_id": [HANDLE, c.c_char_p, SIZE, _INT],
    "end_tokens": [INTS, SIZE, _SIZE],
    "chat_template_json": [c.c_char_p, SIZE, c.c_void_p, SIZE, _SIZE],
    "session_open": [HANDLE, c.POINTER(SessionParams), _HANDLES],
    "session_close": [HANDLE],
    "session_reset": [HANDLE],
    "session_truncate": [HANDLE, c.c_int32],
    "session_fork": [HANDLE, _HANDLES],
    "session_save": [HANDLE, c.c_void_p, SIZE, _SIZE],
    "session_restore": [HANDLE, c.c_char_p, SIZE],
    "session_length": [HANDLE, _INT, _INT],
    "session_cancel": [HANDLE],
    "encode": [HANDLE, INTS, SIZE, ABORT, c.c_void_p],
    "start_tokens": [INTS, SIZE, _SIZE],
    "prefill": [HANDLE, INTS, SIZE, ABORT, c.c_void_p],
    "decode": [HANDLE, c.c_int32],
    "decode_batch": [_HANDLES, INTS, SIZE],
    "logits": [HANDLE, c.POINTER(FLOATS), _SIZE],
    "score": [HANDLE, INTS, SIZE, ABORT, c.c_void_p, FLOATS, SIZE, _SIZE],
    "stream_open": [HANDLE, c.c_char_p, SIZE, INTS, SIZE, c.POINTER(GenerateParams), _HANDLES],
    "stream_next": [HANDLE, c.POINTER(c.c_void_p), _SIZE, _INT, _INT, c.POINTER(Result)],
    "stream_logprobs": [HANDLE, c.POINTER(c.c_double), INTS, FLOATS, SIZE, _SIZE],
    "stream_close": [HANDLE],
    "search": [HANDLE, c.c_char_p, SIZE, INTS, SIZE, c.POINTER(GenerateParams), _HANDLES],
    "sequences_count": [HANDLE, _SIZE],
    "sequence_get_info": [HANDLE, SIZE, c.POINTER(SequenceInfo)],
    "sequence_ids": [HANDLE, SIZE, INTS, SIZE, _SIZE],
    "sequence_text": [HANDLE, SIZE, c.c_void_p, SIZE, _SIZE],
    "sequences_close": [HANDLE],
    "embed": [HANDLE, _TEXTS, _SIZE, SIZE, ABORT, c.c_void_p, FLOATS, SIZE, _SIZE],
    "classify": [HANDLE, _TEXTS, _SIZE, _TEXTS, _SIZE, SIZE, ABORT, c.c_void_p, FLOATS, SIZE, _SIZE],
    "class_scores": [HANDLE, _TEXTS, _SIZE, _TEXTS, _SIZE, SIZE, ABORT, c.c_void_p, FLOATS, SIZE, _SIZE],
    "rank": [HANDLE, c.c_char_p, SIZE, _TEXTS, _SIZE, SIZE, ABORT, c.c_void_p, _SIZE, c.POINTER(c.c_double), SIZE, _SIZE],
    "tag": [HANDLE, c.c_char_p, SIZE, ABORT, c.c_void_p, c.POINTER(Part), SIZE, _SIZE],
    "answer": [HANDLE, c.c_char_p, SIZE, c.c_char_p, SIZE, SIZE, ABORT, c.c_void_p, c.POINTER(Part), SIZE, _SIZE],
    "fill_mask": [HANDLE, c.c_char_p, SIZE, SIZE, ABORT, c.c_void_p, INTS, FLOATS, SIZE, _SIZE],
    "run": [HANDLE, INTS, INTS, _SIZE, SIZE, c.c_char_p, ABORT, c.c_void_p, FLOATS, SIZE, _SIZE],
    "trace_encoded": [HANDLE, INTS, SIZE, INTS, SIZE, c.c_char_p, FLOATS, SIZE, _SIZE],
}

NO_ABORT = ABORT()


def _load() -> c.CDLL:
    lib = c.CDLL(os.path.join(os.path.dirname(os.path.abspath(__file__)), _build.LIBRARY))
    for name, arguments in _FUNCTIONS.items():
        f = getattr(lib, "tfgen_" + name)
        f.argtypes, f.restype = arguments + [_STATUS], c.c_int32
    for name, struct in (("model", ModelParams), ("session", SessionParams), ("generate", GenerateParams)):
        f = getattr(lib, f"tfgen_{name}_default_params")
        f.argtypes, f.restype = [], struct
    lib.tfgen_code_name.argtypes, lib.tfgen_code_name.restype = [c.c_int32], c.c_char_p
    return lib


lib = _load()


def call(name: str, *arguments: Any) -> None:
    """Calls tfgen_NAME and raises what its status says."""
    status = Status()
    code = getattr(lib, "tfgen_" + name)(*arguments, c.byref(status))
    if code != 0:
        message = status.message.decode("utf-8", "replace")
        raise BY_CODE.get(code, TfgenError)(message, code, lib.tfgen_code_name(code).decode())


def sized(name: str, *arguments: Any, after: Sequence[Any] = ()) -> bytes:
    """Calls a function that fills a buffer of bytes: first for the size, then for the content."""
    size = SIZE()
    call(name, *arguments, None, 0, c.byref(size), *after)
    buffer = c.create_string_buffer(size.value)
    call(name, *arguments, buffer, size.value, c.byref(size), *after)
    return buffer.raw[: size.value]


Ids = Union[Sequence[int], "np.ndarray"]


def ids_of(ids: Ids) -> Tuple["np.ndarray", Any, int]:
    """Token ids as an int32 array, without a copy if they are one; its pointer; its length."""
    array = np.asarray(ids)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise BY_CODE[2](f"token ids of type {array.dtype}, expected whole numbers", 2)
    if array.ndim != 1:
        raise BY_CODE[2](f"token ids of shape {array.shape}, expected one dimension", 2)
    if array.size and (array.max() > 0x7FFFFFFF or array.min() < -0x80000000):
        raise BY_CODE[11](f"token id {array.max()}: no such token", 11)
    array = np.ascontiguousarray(array, dtype=np.int32)
    return array, array.ctypes.data_as(INTS), array.size


def utf8(what: str, text: Any) -> bytes:
    """A text as UTF-8."""
    if not isinstance(text, str):
        raise BY_CODE[2](f"{what} is {text!r}, expected a str", 2)
    return text.encode("utf-8", "surrogatepass")


def int32(what: str, value: Any) -> int:
    """A whole number that the library can take; ctypes would cut off the upper bits of others."""
    try:
        n = operator.index(value)
    except TypeError:
        raise BY_CODE[2](f"{what} is {value!r}, expected a whole number", 2) from None
    if not -0x80000000 <= n <= 0x7FFFFFFF:
        raise BY_CODE[2](f"{what} is {n}, which is out of range", 2)
    return n


def positive(what: str, value: Any) -> int:
    """A whole number above 0."""
    n = int32(what, value)
    if n < 1:
        raise BY_CODE[2](f"{what} is {n}, expected at least 1", 2)
    return n


def token_id(value: Any) -> int:
    """A token id as an int; the library knows which there are."""
    return int(ids_of([value])[0][0])


def floats(array: "np.ndarray") -> Any:
    return array.ctypes.data_as(FLOATS)


def interruptible(run: Callable[[Any], None]) -> None:
    """Runs a long call with an abort callback that notices Ctrl-C, and raises it."""
    caught: Optional[BaseException] = None

    def check(_: Any) -> int:
        nonlocal caught
        try:
            return 1 if caught is not None else 0
        except BaseException as e:  # a signal handler that raises runs here
            caught = e
            return 1

    try:
        run(ABORT(check))
    except TfgenError:
        if caught is not None:
            raise caught from None
        raise


call("init", ABI_VERSION)
