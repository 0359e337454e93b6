"""fastsafetensors over a .safetensors file, without GPUDirect Storage (nogds=True), the way for a machine without it.
Variants: nogds (reads by O_DIRECT, its default), buffered."""

import os

import contender
from fastsafetensors import fastsafe_open
from safetensors.torch import save_file


class Fastsafetensors:
    def __init__(self, variant):
        if variant == "buffered":
            os.environ["FASTSAFETENSORS_ODIRECT"] = "0"

    def load(self, path, device):
        # Tensors share the ownership of their buffer: they stay valid after the file is closed.
        with fastsafe_open([path], nogds=True, device=device) as file:
            return {name: file.get_tensor(name) for name in file.keys()}

    def save(self, tensors, path):
        save_file(tensors, path)


contender.run(Fastsafetensors)
