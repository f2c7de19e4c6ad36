"""Random changes of a file: of its bytes, and of its parts (rows, cells, members, program)."""

from __future__ import annotations

import io
import pickletools
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from itertools import pairwise

_BYTES = (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, 0x2C, 0x2E, 0x3B, 0x27)
_CELLS = (
    b"", b"NA", b"nan", b"-1e999", b"1,5", b"2.961", b"1.234.567,8", b"45%", b"[[1]]", b"=A1", b'"',
    b'""', b"\xff\xfe", b"\x00", b"7 ms", b"\xe2\x88\x921", b"1e5", b"007", b"9" * 30, b"a b", b"#",
    b"0", b"1", b"True", b"'", b"\xc3", b"2024-01-01", b"-", b"inf", b"id", b"label", b"\r", b"\n",
    b"train", b"9223372036854775808", b"0x1F", b"1_000", b"\xd9\xa3", b"$1", b"(1)", b"+",
)  # fmt: skip

Change = Callable[[bytes, random.Random], bytes]


def changed(content: bytes, chance: random.Random) -> bytes:
    """A file with one to four random changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        content = chance.choice(_changes_of(content))(content, chance)[:200_000]
    return content


def _changes_of(content: bytes) -> tuple[Change, ...]:
    if content.startswith(b"PK\x03\x04"):
        return (_bytes, _member, _member)
    if content[:1] == b"\x80":
        return (_bytes, _operation, _operation)
    if b"\0" not in content[:200]:
        return (_bytes, _line, _cell, _cell, _delimiter)
    return (_bytes, _bytes, _numbers)


def _bytes(content: bytes, chance: random.Random) -> bytes:
    """Bytes replaced, left out, doubled, moved, or the file cut off."""
    made = bytearray(content)
    if not made:
        return b"a,b\n"
    start = chance.randrange(len(made))
    length = chance.choice((1, 1, 2, 4, 8, 64))
    kind = chance.randrange(7)
    if kind == 0:
        made[start] ^= 1 << chance.randrange(8)
    elif kind == 1:
        made[start : start + length] = bytes(chance.choice(_BYTES) for _ in range(length))
    elif kind == 2:
        del made[start : start + length]
    elif kind == 3:
        made[start:start] = made[start : start + length] * chance.choice((1, 2, 50))
    elif kind == 4:
        other = chance.randrange(len(made))
        made[start : start + length] = made[other : other + length]
    elif kind == 5:
        del made[start:]
    else:
        made[start : start + length] = chance.randbytes(length)
    return bytes(made)


def _numbers(content: bytes, chance: random.Random) -> bytes:
    """A number of 4 or 8 bytes replaced by an extreme one, as sizes and offsets may be."""
    size = chance.choice((2, 4, 8))
    if len(content) < size:
        return content
    start = chance.randrange(len(content) - size + 1)
    value = chance.choice(
        (0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, 65_535, 100_000)
    )
    number = (value % 2 ** (8 * size)).to_bytes(size, "little")
    return content[:start] + number + content[start + size :]


def _line(content: bytes, chance: random.Random) -> bytes:
    """A line left out, doubled, moved, cut, or a strange one put in."""
    lines = content.split(b"\n")
    position = chance.randrange(len(lines))
    kind = chance.randrange(6)
    if kind == 0:
        del lines[position]
    elif kind == 1:
        lines[position:position] = [lines[position]] * chance.choice((1, 1, 30))
    elif kind == 2:
        lines.insert(chance.randrange(len(lines)), lines.pop(position))
    elif kind == 3:
        lines[position] = lines[position][: len(lines[position]) // 2]
    elif kind == 4:
        lines.insert(
            position, chance.choice((b"", b"# note", b"Note: x", b",,,", b"a,b,c", b"\t;"))
        )
    else:
        lines[position] += chance.choice((b",", b";", b"\t", b'"', b"\r", b",1", b" "))
    return b"\n".join(lines)


def _cell(content: bytes, chance: random.Random) -> bytes:
    """A cell replaced by one of those that have been trouble."""
    parts = re.split(rb"([,;\t\n ])", content)
    parts[2 * chance.randrange((len(parts) + 1) // 2)] = chance.choice(_CELLS)
    return b"".join(parts)


def _delimiter(content: bytes, chance: random.Random) -> bytes:
    """One sign replaced by another, once or everywhere."""
    signs = (b",", b";", b"\t", b"|", b" ", b".", b'"', b"\n", b"\r\n", b"\r", b"'")
    before, after = chance.choice(signs), chance.choice(signs)
    return content.replace(before, after, chance.choice((1, 3, -1)))


def _member(content: bytes, chance: random.Random) -> bytes:
    """A member of an archive changed and packed again, so that its checksum is right."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError,
            NotImplementedError):  # fmt: skip
        return _bytes(content, chance)
    if not members:
        return _bytes(content, chance)
    name = chance.choice(list(members))
    inner = members[name]
    change = chance.choice((_bytes, _bytes, _numbers, _cell if b"<" in inner[:9] else _bytes))
    members[name] = change(inner, chance)
    if chance.randrange(12) == 0:
        del members[name]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return made.getvalue()


def _operation(content: bytes, chance: random.Random) -> bytes:
    """An operation of a pickle's program left out, doubled, or moved."""
    try:
        starts = [place for _, _, place in pickletools.genops(content) if place is not None]
    except (ValueError, LookupError, OverflowError, MemoryError):
        return _bytes(content, chance)
    if len(starts) < 3:
        return _bytes(content, chance)
    bounds = [*starts, len(content)]
    parts = [content[a:b] for a, b in pairwise(bounds)]
    position = chance.randrange(1, len(parts))
    kind = chance.randrange(4)
    if kind == 0:
        del parts[position]
    elif kind == 1:
        parts.insert(position, parts[position])
    elif kind == 2:
        parts[position] = chance.choice(parts)
    else:
        parts[position] = chance.choice(
            (
                b"N",
                b"K\x05",
                b"]",
                b"}",
                b")",
                b"\x8c\x01a",
                b"G\x7f\xf0\0\0\0\0\0\0",
                b"\x88",
                b"J\xff\xff\xff\xff",
            )
        )
    return b"".join(parts)
