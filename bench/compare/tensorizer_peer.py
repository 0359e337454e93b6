"""tensorizer: TensorSerializer and TensorDeserializer. Variants: plain, verified (verify_hash=True)."""

import contender
from tensorizer import TensorDeserializer, TensorSerializer


class Tensorizer:
    def __init__(self, variant):
        self.verified = variant == "verified"

    def open(self, path):
        return TensorDeserializer(path, device="cpu", lazy_load=True, verify_hash=self.verified)

    def count(self, opened):
        return len(opened)

    def one(self, opened, name):
        return opened[name]

    def load(self, path, device):
        return dict(TensorDeserializer(path, device=device, verify_hash=self.verified).items())

    def save(self, tensors, path):
        serializer = TensorSerializer(path)
        serializer.write_state_dict(tensors)
        serializer.close()


contender.run(Tensorizer)
