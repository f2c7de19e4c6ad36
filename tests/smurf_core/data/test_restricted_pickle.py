import contextlib
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from smurf_core.data.readers.restricted_pickle import PickledObject, RefusedPickle, load_restricted

NESTED = {"a": [1, 2.5, None, True, "ä", b""], 3: {"b": 10**30}, ("b", 1): (1, (2,)), "x": b"yz"}
ARRAYS = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "boolean": np.array([True, False]),
    "text": np.array(["one", "zwölf"]),
    "objects": np.array(["one", None, 2.5], dtype=object),
    "empty": np.zeros((0, 4)),
    "scalar": np.float64(1.5),
    "view": np.arange(10)[::2],
}


def load(data: bytes):
    return load_restricted(data, stand_ins={("somewhere", "Thing"): "Thing"})


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_containers_come_back_equal(protocol):
    assert load(pickle.dumps(NESTED, protocol)) == NESTED


def test_sets_come_back_equal():
    sets = [{1, "a"}, frozenset({(1, 2)})]
    assert load(pickle.dumps(sets, protocol=4)) == sets


def test_many_items_appended_one_by_one_are_no_nesting():
    numbers = list(range(500))
    assert load(pickle.dumps(numbers, protocol=0)) == numbers


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_come_back_equal(kind, protocol):
    array = ARRAYS[kind]
    loaded = load(pickle.dumps({"x": array}, protocol))["x"]
    np.testing.assert_array_equal(loaded, array)
    if isinstance(array, np.ndarray):
        assert loaded.dtype == array.dtype.newbyteorder("=")


def test_shared_arrays_stay_one_array():
    array = np.arange(4)
    first, second = load(pickle.dumps([array, array]))
    assert first is second


def test_named_class_becomes_its_stand_in():
    program = b"\x80\x04\x8c\x09somewhere\x8c\x05Thing\x93)\x81}\x8c\x01aK\x07sb."
    thing = load(program)
    assert isinstance(thing, PickledObject)
    assert thing.class_name == "Thing"
    assert thing.state == {"a": 7}


@pytest.mark.parametrize(
    "value",
    [os.getcwd, OrderedDict(a=1), np.zeros(2, dtype=[("a", "f4")]), np.datetime64("2020-01-01"),
     np.array([OrderedDict()], dtype=object), slice(1), complex(1), Exception("x")],
    ids=["function", "class", "records", "dates", "objects in an array", "slice", "complex",
         "exception"],
)  # fmt: skip
def test_anything_else_is_refused(value):
    with pytest.raises(RefusedPickle):
        load(pickle.dumps(value))


@pytest.mark.parametrize(
    ("program", "why"),
    [
        # BUILD with state (None, {"call": 1}) on a function, on a stand-in class.
        (b"\x80\x02cnumpy\ndtype\nN}X\1\0\0\0aK\1s\x86b.", "change the program"),
        (b"\x80\x02csomewhere\nThing\nN}X\1\0\0\0aK\1s\x86b.", "damaged"),
        (b"\x80\x02cnumpy\ndtype\n.", "function in place of data"),
        (b"\x80\x02cnumpy\ndtype\nX\3\0\0\0U00\x85R.", "function in place of data"),
        (b"\x80\x02cnumpy\ndtype\nX\2\0\0\0V8\x85R.", "other than numbers and text"),
        (b"\x80\x02c_codecs\nencode\nX\1\0\0\0aX\3\0\0\0hex\x86R.", "encodes something"),
        (b"\x80\x02P1\n.", "torch tensors"),
        (b"\x80\x02cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.", "makes bytes"),
        (b"\x80\x02K\1", "damaged"),
        (b"\x80\x02\x85.", "damaged"),
        (b"", "damaged"),
        (b"\x80\xffK\1.", "damaged"),
        (b"\x80\x04\x8c\x02osK\1\x93.", "damaged"),
    ],
    ids=["change a function", "change a class", "function", "type", "bytes", "codec",
         "persistent id", "many bytes", "no end", "empty stack", "nothing", "protocol 255",
         "name no text"],
)  # fmt: skip
def test_hostile_programs_are_refused(program, why):
    with pytest.raises(RefusedPickle, match=why):
        load(program)


def test_items_without_a_size_are_refused():
    """An empty text type once let numpy allocate whatever the shape said."""
    content = pickle.dumps(np.array(["a"]), protocol=2).replace(b"U1", b"U0")
    with pytest.raises(RefusedPickle, match=r"without a size|do not fit"):
        load(content)


def test_containers_nested_in_themselves_are_no_trap():
    itself: list = []
    itself.append(itself)
    assert load(pickle.dumps(itself)) == [None]


def test_lists_nested_too_deep_are_refused():
    program = b"\x80\x02" + b"]" * 300 + b"a" * 299 + b"."
    with pytest.raises(RefusedPickle, match="nested more than 100 deep"):
        load(program)


def test_shared_containers_do_not_multiply():
    """Each level holds the one below twice: 2**60 items if they were visited one by one."""
    value: list = [1]
    for _ in range(60):
        value = [value, value]
    loaded = load(pickle.dumps(value))
    assert loaded[0] is loaded[1]


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_give_data_or_a_refusal(seed):
    content = bytearray(pickle.dumps({"a": [np.arange(4.0), "text"], "b": (1, 2)}))
    random = np.random.default_rng(seed)
    for position in random.integers(0, len(content), 4):
        content[position] = random.integers(256)
    # Whatever else it might raise fails the test.
    with contextlib.suppress(RefusedPickle):
        load(bytes(content))
