"""gguf: GGUFReader (maps the file) and GGUFWriter. Its tensors have at most four dimensions and no bool."""

import contender
import gguf
import torch

TYPES = {
    torch.float32: gguf.GGMLQuantizationType.F32,
    torch.float16: gguf.GGMLQuantizationType.F16,
    torch.bfloat16: gguf.GGMLQuantizationType.BF16,
}
DTYPES = {value: key for key, value in TYPES.items()}


def as_tensor(entry):
    shape = [int(extent) for extent in reversed(entry.shape)]
    data = torch.from_numpy(entry.data).view(-1).view(torch.uint8)
    return data.view(DTYPES[entry.tensor_type]).view(shape)


class Gguf:
    mapped = True

    def __init__(self, variant):
        pass

    def open(self, path):
        return gguf.GGUFReader(path)

    def count(self, opened):
        return len(opened.tensors)

    def describe(self, opened):
        names = elements = 0
        for entry in opened.tensors:
            names += len(entry.name)
            elements += int(entry.n_elements) + len(entry.tensor_type.name)
        return names, elements

    def one(self, opened, name):
        return as_tensor(next(entry for entry in opened.tensors if entry.name == name))

    def view(self, path):
        self.viewed = self.open(path)  # kept: to close it is not part of a view
        return {entry.name: as_tensor(entry) for entry in self.viewed.tensors}

    def load(self, path, device):
        return {name: tensor.to(device) for name, tensor in self.view(path).items()}

    def save(self, tensors, path):
        writer = gguf.GGUFWriter(path, "bench")
        for name, tensor in tensors.items():
            data = tensor.view(torch.uint8).view(*tensor.shape[:-1], -1).numpy()
            writer.add_tensor(name, data, raw_dtype=TYPES[tensor.dtype])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


contender.run(Gguf)
