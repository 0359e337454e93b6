"""safetensors: safe_open (maps the file and parses its header) and save_file."""

import contender
from safetensors import safe_open
from safetensors.torch import save_file


class Safetensors:
    def open(self, path):
        return safe_open(path, framework="pt", device="cpu")

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

    def save(self, tensors, path):
        save_file(tensors, path)


contender.run(Safetensors())
