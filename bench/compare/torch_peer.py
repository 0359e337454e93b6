"""torch.load(weights_only=True) and torch.save. Variants: mmap, read, mmap-owned (every tensor of the mapped
file is cloned), no-crc32 (the zip records' CRC-32 is left out when saving, its documented faster way)."""

import contender
import torch


class Torch:
    def __init__(self, variant):
        self.mmap, self.owned = variant != "read", variant == "mmap-owned"
        self.mapped = self.mmap and not self.owned
        if variant == "no-crc32":
            torch.serialization.set_crc32_options(False)

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

    def view(self, path):
        return self.open(path)

    def load(self, path, device):
        return torch.load(path, mmap=self.mmap, weights_only=True, map_location=device)

    def save(self, tensors, path):
        torch.save(tensors, path)


contender.run(Torch)
