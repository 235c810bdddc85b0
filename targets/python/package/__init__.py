"""A language model as a package: see Model, and README.md of the distribution."""

from . import _build
from ._errors import (
    AbortedError,
    ArgumentError,
    BusyError,
    ClosedError,
    ContextError,
    FileError,
    ForkedError,
    InternalError,
    OutOfMemoryError,
    TemplateError,
    TfgenError,
    TokenError,
    UnsupportedError,
    WeightsError,
)
from ._model import ClassScore, Fill, MemoryUse, Model, ModelInfo, Part, Ranked, info, memory
from ._session import GeneratedSequence, GenerationResult, Piece, Session, Stream
from ._tokenizer import Tokenizer

__version__ = _build.VERSION

__all__ = [
    "AbortedError",
    "ArgumentError",
    "BusyError",
    "ClassScore",
    "ClosedError",
    "ContextError",
    "FileError",
    "Fill",
    "ForkedError",
    "GeneratedSequence",
    "GenerationResult",
    "InternalError",
    "MemoryUse",
    "Model",
    "ModelInfo",
    "OutOfMemoryError",
    "Part",
    "Piece",
    "Ranked",
    "Session",
    "Stream",
    "TemplateError",
    "TfgenError",
    "TokenError",
    "Tokenizer",
    "UnsupportedError",
    "WeightsError",
    "info",
    "memory",
]
