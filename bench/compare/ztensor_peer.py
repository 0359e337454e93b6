"""zTensor: a canonical .zt file, published with fsync and rename. Variants: plain, verified (ztensor.verify(deep=True)
before the load, the documented way to prove the bytes), owned (every tensor is cloned: its own way to copy, tobytes(), is
slower)."""

import contender
import torch
import ztensor

DTYPES = {torch.bfloat16: "bf16", torch.float16: "f16", torch.float32: "f32", torch.float64: "f64", torch.int64: "i64"}


class Ztensor:
    def __init__(self, variant):
        self.owned = variant == "owned"
        self.mapped = not self.owned
        if variant == "verified":
            self.verify = lambda path: ztensor.verify(path, deep=True)

    def open(self, path):
        return ztensor.open(path)

    def count(self, opened):
        return len(opened)

    def describe(self, opened):
        names = elements = 0
        for name, tensor in opened.items():
            count = len(tensor.logical or tensor.dtype)
            for extent in tensor.shape:
                count *= extent
            names += len(name)
            elements += count
        return names, elements

    def one(self, opened, name):
        return torch.from_dlpack(opened[name])

    def view(self, path):
        self.viewed = self.open(path)  # kept: to close it is not part of a view
        return {name: torch.from_dlpack(tensor) for name, tensor in self.viewed.items()}

    def load(self, path, device):
        return {name: tensor.to(device) for name, tensor in self.view(path).items()}

    def save(self, tensors, path):
        with ztensor.Writer(path, canonical=True, publish=True) as writer:
            for name, tensor in sorted(tensors.items()):  # the canonical form's order
                data = tensor.view(-1).view(torch.uint8).numpy()
                writer.add(name, data, list(tensor.shape), DTYPES[tensor.dtype])


contender.run(Ztensor)
