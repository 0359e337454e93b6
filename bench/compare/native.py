"""Touches mapped tensors as bench_compare does, by the same code: a loop in Python over pages would be measured instead."""

import ctypes
import os


class Ranges:
    """Where tensors in host memory lie. They must outlive it."""

    def __init__(self, tensors):
        present = [tensor for tensor in tensors.values() if tensor.numel()]
        self.count = len(present)
        self.begins = (ctypes.c_void_p * self.count)(*(tensor.data_ptr() for tensor in present))
        self.lengths = (ctypes.c_uint64 * self.count)(*(tensor.numel() * tensor.element_size() for tensor in present))
        self.library = ctypes.CDLL(os.environ["BENCH_TOUCH"])
        self.library.ingot_bench_touch.restype = ctypes.c_uint64
        self.library.ingot_bench_touch.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64]

    def touch(self):
        """A byte of every page."""
        return self.library.ingot_bench_touch(self.begins, self.lengths, self.count)
