"""torch.load(mmap=True, weights_only=True) and torch.save.

With INGOT_BENCH_NO_CRC32=1, torch.save leaves the zip records' CRC-32 out (its documented faster way).
"""

import os

import contender
import torch

if os.environ.get("INGOT_BENCH_NO_CRC32") == "1":
    torch.serialization.set_crc32_options(False)


class Torch:
    def open(self, path):
        return torch.load(path, mmap=True, weights_only=True)

    def count(self, opened):
        return len(opened)

    def describe(self, opened):
        names = elements = 0
        for name, tensor in opened.items():
            names += len(name)
            elements += tensor.numel() + len(str(tensor.dtype))
        return names, elements

    def one(self, opened, name):
        return opened[name]

    def save(self, tensors, path):
        torch.save(tensors, path)


contender.run(Torch())
