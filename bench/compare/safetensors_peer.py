"""safetensors: safe_open (maps the file and parses its header), load_file and save_file. Variants: mmap, pread,
mmap-owned (every tensor of the mapped file is cloned)."""

import contender
from safetensors import safe_open
from safetensors.torch import load_file, save_file


class Safetensors:
    def __init__(self, variant):
        self.backend = variant.removesuffix("-owned")
        self.mapped, self.owned = variant == "mmap", variant == "mmap-owned"

    def open(self, path):
        return safe_open(path, framework="pt", device="cpu", backend=self.backend)

    def count(self, opened):
        return len(opened.keys())

    def describe(self, opened):
        names = elements = 0
        for name in opened.keys():
            tensor = opened.get_slice(name)
            count = len(tensor.get_dtype())
            for extent in tensor.get_shape():
                count *= extent
            names += len(name)
            elements += count
        return names, elements

    def one(self, opened, name):
        return opened.get_tensor(name)

    def view(self, path):
        return load_file(path, backend="mmap")

    def load(self, path, device):
        return load_file(path, device=device, backend=self.backend)

    def save(self, tensors, path):
        save_file(tensors, path)


contender.run(Safetensors)
