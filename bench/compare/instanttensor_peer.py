"""InstantTensor: safe_open over a .safetensors file, tensors copied (its default). GPUs only. Variants: direct (its
default, made for cold files), buffered (made for files in the page cache)."""

import contender
import torch
from instanttensor import BackendPolicy, safe_open
from safetensors.torch import save_file


class Instanttensor:
    def __init__(self, variant):
        self.options = {"backend": BackendPolicy.BUFFERED} if variant == "buffered" else {}

    def load(self, path, device):
        with safe_open(path, framework="pt", device=torch.device(device).index or 0, **self.options) as file:
            return dict(file.tensors())

    def save(self, tensors, path):
        save_file(tensors, path)


contender.run(Instanttensor)
