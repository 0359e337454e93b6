"""Tensors of a listing, and what proves that they arrived: a sum of every tensor's 64-bit words."""

import json
import os

import numpy
import torch


def from_listing(listing, raw):
    """name -> tensor with memory of its own, all bytes resident, those of the raw file."""
    memory = bytearray(os.path.getsize(raw))
    with open(raw, "rb") as file:
        file.readinto(memory)
    result, offset = {}, 0
    with open(listing) as file:
        entries = json.load(file)
    for name, dtype, shape, size, *_ in entries:
        part = torch.frombuffer(memory, dtype=torch.uint8, count=size, offset=offset)
        result[name] = part.clone().view(getattr(torch, dtype)).view(shape)
        offset += size
    return result


def as_bytes(tensor):
    """The tensor's bytes as an array; a copy only where they are not in host memory, packed."""
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()


def sum_words(tensor):
    """As bench/support/memory_read.h does: trailing bytes count as one zero-extended word."""
    data = as_bytes(tensor)
    whole = data.size // 8 * 8
    words = data[:whole]
    # A view needs no alignment of its own on this architecture, but numpy's must be told.
    total = int(numpy.frombuffer(words, dtype="<u8").sum(dtype=numpy.uint64)) if whole else 0
    return (total + int.from_bytes(data[whole:].tobytes(), "little")) % 2**64


def listing_of(tensors):
    """[name, dtype, shape, sum] of every tensor, by name: what an intact load ends with."""
    return sorted([name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape), sum_words(tensor)]
                  for name, tensor in tensors.items())


def proof_of(sums):
    """One number of all sums, in the order of the names; bench/compare/main.cc computes the same."""
    return str(sum((2 * place + 1) * value for place, value in enumerate(sums)) % 2**64)


def touch(tensors):
    """Reads a byte of every page: mapped tensors are resident after it."""
    for tensor in tensors.values():
        data = tensor.view(-1).view(torch.uint8)
        data[::4096].sum()
        data[-1:].sum()
