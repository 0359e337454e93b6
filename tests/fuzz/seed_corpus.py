#!/usr/bin/env python3
"""Makes the first inputs of the fuzz targets from the golden files; -merge=1 then keeps few of them.

    seed_corpus.py GOLDENS FOLDER"""

import json
import struct
import sys
from pathlib import Path

HEADER_FIELDS = 208  # what index_fuzz.cc takes before the index


def safetensors():
    """Small .safetensors files, good and bad."""
    def file(text, data=b"", length=None):
        text = text.encode() if isinstance(text, str) else text
        return struct.pack("<Q", len(text) if length is None else length) + text + data

    def tensor(dtype="F32", shape=(2,), begin=0, end=8):
        return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}

    yield "empty", file("{}")
    yield "empty_padded", file("{}      ")
    yield "metadata", file(json.dumps({"__metadata__": {"format": "pt", "é": "\n"}}))
    yield "one", file(json.dumps({"a": tensor()}), bytes(8))
    yield "two", file(json.dumps({"b": tensor(begin=8, end=16), "a": tensor()}), bytes(16))
    for dtype, size in (("BOOL", 1), ("U8", 1), ("I8", 1), ("F8_E4M3", 1), ("F8_E5M2", 1), ("F8_E8M0", 1), ("I16", 2),
                        ("U16", 2), ("F16", 2), ("BF16", 2), ("I32", 4), ("U32", 4), ("F32", 4), ("F64", 8),
                        ("I64", 8), ("U64", 8), ("C64", 8)):
        yield "dtype_" + dtype, file(json.dumps({"t": tensor(dtype, (3,), 0, 3 * size)}), bytes(3 * size))
    yield "f4", file(json.dumps({"t": tensor("F4", (4,), 0, 2)}), bytes(2))
    yield "scalar", file(json.dumps({"t": tensor("F32", (), 0, 4)}), bytes(4))
    yield "zero", file(json.dumps({"t": tensor("F32", (0, 5), 0, 0)}))
    yield "hole", file(json.dumps({"a": tensor(), "b": tensor(begin=9, end=17)}), bytes(17))
    yield "overlap", file(json.dumps({"a": tensor(), "b": tensor(begin=4, end=12)}), bytes(12))
    yield "backwards", file(json.dumps({"a": tensor(begin=8, end=0)}), bytes(8))
    yield "overflow", file(json.dumps({"a": tensor(shape=(2**32, 2**32, 2**32))}), bytes(8))
    yield "negative", file('{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', bytes(8))
    yield "float", file('{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}', bytes(8))
    yield "exponent", file('{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}', bytes(8))
    yield "huge_number", file('{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}}', bytes(8))
    yield "twice", file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    yield "extra_key", file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}', bytes(8))
    yield "nested", file('{"a":' + "[" * 200 + "]" * 200 + "}")
    yield "escapes", file('{"\\u00e9\\ud83d\\ude00\\n":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    yield "lone_surrogate", file('{"\\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    yield "not_utf8", file(b'{"\xff":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))
    yield "array", file("[]")
    yield "cut", file('{"a":')
    yield "trailing", file("{} x")
    yield "length_max", file("{}", length=2**64 - 1)
    yield "length_limit", file("{}", length=100_000_001)
    yield "short", b"\x02\0\0"


def main():
    goldens, folder = Path(sys.argv[1]), Path(sys.argv[2])
    for name in ("header", "index", "file", "safetensors"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path in sorted(goldens.glob("*/*.ingot")):
        data = path.read_bytes()
        (folder / "header" / path.stem).write_bytes(data[:4096])
        if len(data) <= 40960:
            (folder / "file" / path.stem).write_bytes(data)
        if len(data) >= 8192 and data[:4] == b"\x89ING":
            begin, count = struct.unpack_from("<QQ", data, 80)
            if begin + count <= len(data) and count <= 8192:
                (folder / "index" / path.stem).write_bytes(data[:HEADER_FIELDS] + data[begin : begin + count])
    for name, data in safetensors():
        (folder / "safetensors" / name).write_bytes(data)


main()
