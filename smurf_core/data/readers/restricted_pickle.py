"""Reads pickles without running them: only arrays, built-in containers and stand-ins.

A pickle is a program. Here it can call only a few functions of this file, which record their
arguments and do nothing else. NumPy is used afterwards, on sizes that were checked.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, NoReturn

import numpy as np
import numpy.typing as npt

MAX_OPERATIONS = 2_000_000
MAX_DEPTH = 100
_PLAIN_TYPE = re.compile(r"[biufUS]\d{1,7}|O8?")


class RefusedPickle(ValueError):
    """Raised if a pickle asks for something that is not data, or is damaged."""


class PickledObject:
    """Stand-in for an object of a foreign class: the class's name and the state, no behaviour."""

    class_name = "object"

    def __init__(self) -> None:
        self.state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state


def load_restricted(data: bytes, *, stand_ins: Mapping[tuple[str, str], str]) -> Any:
    """Read a pickle's content: numpy arrays and, for the named classes, `PickledObject`.

    `stand_ins` maps (module, class) to the `class_name` that its objects get. Raises
    `RefusedPickle` for any other class or function and for damage, before anything runs.
    """
    _check_operations(data)
    try:
        return _Resolver().resolve(_Unpickler(io.BytesIO(data), stand_ins).load(), 0)
    except RefusedPickle:
        raise
    # Malformed pickles can cause almost any error of the interpreter.
    except (pickle.UnpicklingError, ArithmeticError, AttributeError, EOFError, LookupError,
            MemoryError, RecursionError, TypeError, ValueError) as error:  # fmt: skip
        raise RefusedPickle(f"it is damaged ({type(error).__name__})") from error


def _check_operations(data: bytes) -> None:
    """Check the program without running it: its length, memo, nesting and end."""
    nesting = _Nesting()
    try:
        for number, (operation, argument, _) in enumerate(pickletools.genops(data)):
            if number >= MAX_OPERATIONS:
                break
            nesting.follow(operation, argument)
        else:
            return
    except RefusedPickle:
        raise
    except (ValueError, LookupError, OverflowError, MemoryError) as error:
        raise RefusedPickle("it is damaged or cut off") from error
    raise RefusedPickle(f"it has more than {MAX_OPERATIONS:,} parts")


# These add items to the deepest object that they take, and leave it on the stack.
_MUTATING = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"}


class _Nesting:
    """The depth to which each object on the unpickler's stack would be nested.

    The interpreter hashes nested tuples by recursion, without a guard against stack overflow.
    """

    def __init__(self) -> None:
        self._stack: list[int] = []  # depths; −1 is a mark
        self._memo: dict[int, int] = {}

    def follow(self, operation: pickletools.OpcodeInfo, argument: Any) -> None:
        """Record one operation of the program."""
        name = operation.name
        if name == "MEMOIZE" or "PUT" in name:
            index = len(self._memo) if name == "MEMOIZE" else int(argument)
            # The memo is an array whose length is its largest index, whatever the pickle's size.
            if index > MAX_OPERATIONS:
                raise RefusedPickle("its memo is larger than any real file's")
            self._memo[index] = self._stack[-1]
        elif "GET" in name:
            self._stack.append(self._memo[int(argument)])
        elif name == "MARK":
            self._stack.append(-1)
        else:
            used = self._take(operation)
            depth = max(used, default=0) + (1 if used else 0)
            if name in _MUTATING:
                depth = used[0]
            if depth > MAX_DEPTH:
                raise RefusedPickle(f"it is nested more than {MAX_DEPTH} deep")
            made = 2 if name == "DUP" else len(operation.stack_after)
            self._stack += [max(used) if name == "DUP" else depth] * made

    def _take(self, operation: pickletools.OpcodeInfo) -> list[int]:
        """Depths of the objects that an operation takes from the stack."""
        count = len(operation.stack_before)
        if pickletools.markobject in operation.stack_before:
            mark = len(self._stack) - 1 - self._stack[::-1].index(-1)
            count = len(self._stack) - mark + operation.stack_before.index(pickletools.markobject)
        if count > len(self._stack):
            raise RefusedPickle("it is damaged: it takes more than it contains")
        used = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return [depth for depth in used if depth >= 0]


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, stand_ins: Mapping[tuple[str, str], str]) -> None:
        super().__init__(file)
        self._classes = {
            key: type(name, (PickledObject,), {"class_name": name})
            for key, name in stand_ins.items()
        }

    def find_class(self, module: str, name: str) -> Any:
        allowed = _FUNCTIONS.get((module.replace("numpy._core", "numpy.core"), name))
        found = allowed or self._classes.get((module, name))
        if found is None:
            raise RefusedPickle(f"it asks for {module}.{name}, which is not data")
        return found

    def persistent_load(self, pid: object) -> NoReturn:
        raise RefusedPickle("it contains torch tensors; save them as numpy arrays")


@dataclass
class _Type:
    """A numpy data type as a pickle describes it."""

    code: str
    order: str = "="

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise RefusedPickle("it describes a data type that numpy does not know")
        if len(state) > 4 and (state[2] is not None or state[3] is not None):
            raise RefusedPickle("it contains arrays of records")
        self.order = state[1]

    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.order.replace("|", "=") + self.code)


@dataclass
class _Array:
    """An array as a pickle describes it."""

    shape: Any = ()
    type: Any = None
    is_fortran: Any = False
    data: Any = b""
    is_scalar: bool = False

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise RefusedPickle("it contains an array of an unknown form")
        _, self.shape, self.type, self.is_fortran, self.data = state


class _Function:
    """A callable that a pickle may call but cannot change."""

    __slots__ = ("_call",)
    _call: Any

    def __init__(self, call: Any) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise RefusedPickle("it tries to change the program that reads it")

    def __setstate__(self, state: object) -> NoReturn:
        raise RefusedPickle("it tries to change the program that reads it")


def _data_type(code: object, *_: object) -> _Type:
    if not isinstance(code, str) or not _PLAIN_TYPE.fullmatch(code):
        raise RefusedPickle("it contains arrays of something other than numbers and text")
    return _Type(code)


def _empty_array(*_: object) -> _Array:
    return _Array()


def _array_from_buffer(data: object, type_: object, shape: object, order: object) -> _Array:
    return _Array(shape, type_, order == "F", data)


def _scalar(type_: object, data: object) -> _Array:
    return _Array((), type_, False, data, is_scalar=True)


def _encoded(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise RefusedPickle("it encodes something that is not an array")
    return text.encode("latin1")


def _no_bytes(*arguments: object) -> bytes:
    if arguments:
        raise RefusedPickle("it makes bytes from something that is not an array")
    return b""


# How numpy pickles arrays, types and scalars. The marker for `ndarray` occurs only as an argument.
_FUNCTIONS: dict[tuple[str, str], _Function] = {
    ("numpy.core.multiarray", "_reconstruct"): _Function(_empty_array),
    ("numpy.core.multiarray", "scalar"): _Function(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Function(_array_from_buffer),
    ("numpy", "dtype"): _Function(_data_type),
    ("numpy", "ndarray"): _Function(_empty_array),
    ("_codecs", "encode"): _Function(_encoded),
    ("__builtin__", "bytes"): _Function(_no_bytes),
    ("builtins", "bytes"): _Function(_no_bytes),
}


class _Resolver:
    """Replaces descriptions by arrays, once per object even if it is shared."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}

    def resolve(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise RefusedPickle(f"it is nested more than {MAX_DEPTH} deep")
        if isinstance(value, _Function | _Type):
            raise RefusedPickle("it contains a function in place of data")
        if isinstance(value, str) and not value.isascii() and id(value) not in self._done:
            # One text may be there a million times.
            self._done[id(value)] = value
            _check_text(value)
        if not isinstance(value, dict | list | tuple | set | frozenset | _Array | PickledObject):
            return value
        if id(value) not in self._done:
            self._done[id(value)] = None  # a container within itself is empty there
            self._done[id(value)] = self._resolved(value, depth + 1)
        return self._done[id(value)]

    def _resolved(self, value: Any, depth: int) -> Any:
        if isinstance(value, _Array):
            return _to_numpy(value)
        if isinstance(value, dict):
            return {
                self.resolve(key, depth): self.resolve(item, depth) for key, item in value.items()
            }
        if isinstance(value, PickledObject):
            value.state = self.resolve(value.state, depth)
            return value
        return type(value)(self.resolve(item, depth) for item in value)


def is_unicode(texts: npt.NDArray[np.str_]) -> bool:
    """True if all characters exist; numpy makes text of any four bytes, which crashes others."""
    native = texts.astype(texts.dtype.newbyteorder("="), copy=False)
    codes = np.ascontiguousarray(native).ravel().view(np.uint32)
    return not ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes <= 0xDFFF))).any()


def _check_text(text: str) -> None:
    """Raise an error for text that is not Unicode: a pickle may contain halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RefusedPickle("it contains text that is damaged") from error


def _to_numpy(array: _Array) -> npt.NDArray[Any] | Any:
    """The described array, if the number of bytes fits its shape and type."""
    shape, type_ = array.shape, array.type
    is_shape = isinstance(shape, tuple) and all(type(s) is int and s >= 0 for s in shape)
    if not is_shape or not isinstance(type_, _Type):
        raise RefusedPickle("it contains an array without a shape or a type")
    order: Literal["C", "F"] = "F" if array.is_fortran else "C"
    count = prod(shape)
    if type_.code.startswith("O"):
        return _object_array(array.data, count, shape, order)
    dtype = type_.numpy()
    if not isinstance(array.data, bytes | bytearray) or len(array.data) != count * dtype.itemsize:
        raise RefusedPickle("it contains an array whose bytes do not fit its shape")
    if dtype.itemsize == 0:
        raise RefusedPickle("it contains an array of items without a size")
    values = np.frombuffer(array.data, dtype).reshape(shape, order=order)
    native = values.astype(dtype.newbyteorder("="), copy=False)
    if native.dtype.kind == "U" and not is_unicode(native):
        raise RefusedPickle("it contains text that is damaged")
    return native[()].item() if array.is_scalar else native


def _object_array(
    data: object, count: int, shape: tuple[int, ...], order: Literal["C", "F"]
) -> npt.NDArray[Any]:
    """An array of texts or numbers, one Python object each."""
    plain = (str, int, float, bool, type(None))
    if not isinstance(data, list) or len(data) != count:
        raise RefusedPickle("it contains an array whose items do not fit its shape")
    if not all(isinstance(item, plain) for item in data):
        raise RefusedPickle("it contains an array of something other than numbers and text")
    _check_text("".join(item for item in data if isinstance(item, str)))
    values = np.empty(count, dtype=object)
    values[:] = data
    return values.reshape(shape, order=order)
