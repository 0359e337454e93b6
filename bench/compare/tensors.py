"""Tensors of a listing, and what proves that they arrived: a sum of every tensor's 64-bit words."""

import json

import numpy
import torch


def entries_of(listing):
    """[name, dtype, shape, bytes, sum] of every tensor, of a listing's file or of what was read from one."""
    if isinstance(listing, list):
        return listing
    with open(listing) as file:
        return json.load(file)


def empty(entries, device):
    """name -> tensor for a load to fill, untouched."""
    return {name: torch.empty(shape, dtype=getattr(torch, dtype), device=device) for name, dtype, shape, *_ in entries}


def from_listing(listing, raw):
    """name -> tensor with memory of its own, all bytes resident, those of the raw file."""
    result = empty(entries_of(listing), "cpu")
    with open(raw, "rb") as file:
        for tensor in result.values():
            file.readinto(as_bytes(tensor))
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
