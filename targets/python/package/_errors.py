"""Exceptions: one for each code of the library, with the library's message."""

from __future__ import annotations

from typing import Dict, Type


class TfgenError(RuntimeError):
    """The library refused a call. ``code`` is its number and ``name`` its name in tfgen.h."""

    code: int = 0
    name: str = ""

    def __init__(self, message: str, code: int = 0, name: str = "") -> None:
        super().__init__(message)
        self.code, self.name = code or type(self).code, name


class InternalError(TfgenError):
    """A defect of the library."""


class ArgumentError(TfgenError, ValueError):
    """An argument that cannot be."""


class ClosedError(TfgenError, ValueError):
    """The model, session or stream was closed."""


class UnsupportedError(TfgenError, NotImplementedError):
    """This model cannot do that."""


class WeightsError(TfgenError):
    """The weights file is not the one of this model, or it is damaged."""


class FileError(TfgenError, OSError):
    """The weights file cannot be read."""


class OutOfMemoryError(TfgenError, MemoryError):
    """There is not enough memory."""


class TokenError(TfgenError, ValueError):
    """A token id outside the vocabulary."""


class ContextError(TfgenError, ValueError):
    """The tokens do not fit the session's context."""


class BusyError(TfgenError):
    """Another thread, or a stream that is open, uses the session."""


class AbortedError(TfgenError):
    """The call was cancelled."""


class TemplateError(TfgenError, ValueError):
    """The chat template refuses the messages."""


class ForkedError(TfgenError):
    """The library does not work in a child of fork(): use the start method "spawn"."""


BY_CODE: Dict[int, Type[TfgenError]] = {
    1: InternalError,
    2: ArgumentError,
    3: ClosedError,
    6: UnsupportedError,
    7: FileError,
    8: WeightsError,
    9: OutOfMemoryError,
    10: ArgumentError,
    11: TokenError,
    12: ContextError,
    13: BusyError,
    14: ClosedError,
    15: AbortedError,
    17: TemplateError,
    19: ForkedError,
}
