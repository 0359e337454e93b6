#!/usr/bin/env python3
"""Writes the .safetensors files of this folder with the reference library (safetensors 0.8.0).

They are kept in the repository and not made again by the build: what matters is that the reference
wrote them. Run in a Python environment that has safetensors and numpy.
"""
import pathlib

import numpy
from safetensors import TensorSpec, serialize_file

FOLDER = pathlib.Path(__file__).parent
SIZES = {
    "bool": 1, "float4_e2m1fn_x2": 1, "uint8": 1, "int8": 1, "float8_e5m2": 1, "float8_e4m3fn": 1,
    "float8_e8m0fnu": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "int16": 2, "uint16": 2,
    "float16": 2, "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4, "complex64": 8,
    "float64": 8, "int64": 8, "uint64": 8,
}
random = numpy.random.default_rng(7)
alive = []


def spec(dtype, shape, data=None):
    count = int(numpy.prod(shape)) * SIZES[dtype]
    if data is None:
        data = random.integers(0, 2 if dtype == "bool" else 256, count, dtype=numpy.uint8)
    data = numpy.frombuffer(bytes(data), dtype=numpy.uint8)
    alive.append(data)
    return TensorSpec(dtype=dtype, shape=shape, data_ptr=data.ctypes.data, data_len=len(data))


tensors = {}
for dtype in SIZES:
    for shape in ([3, 5], [], [0, 4]):
        if dtype == "float4_e2m1fn_x2" and not shape:
            continue  # half a byte
        label = "x".join(map(str, shape)) or "scalar"
        tensors[f"{dtype}.{label}"] = spec(dtype, shape)
tensors['naïve "quoted" \\ name/with.slash'] = spec("float32", [2])
metadata = {"format": "pt", "note": 'line one\nline two\t"é" \x7f\x01', "empty": ""}
serialize_file(tensors, FOLDER / "all_dtypes.safetensors", metadata)
serialize_file({"w": spec("float32", [2, 2], bytes(range(16)))}, FOLDER / "plain.safetensors", None)
serialize_file({}, FOLDER / "empty.safetensors", None)
