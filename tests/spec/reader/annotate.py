#!/usr/bin/env python3
"""Annotates every byte of a small Ingot file.

    annotate.py FILE              prints the dump
    annotate.py FILE DOCUMENT     compares it with what the document shows between
                                  "<!-- annotated dump -->" and "<!-- end -->"
    annotate.py FILE DOCUMENT --write    puts it there"""

import re
import struct
import sys
from pathlib import Path

import ingot_reader as reader

FIELDS = {
    "Index": "tensors storages name_hashes name_tensors attachments state files".split(),
    "Tensor": "name dtype role requires_grad storage byte_offset shape strides quantization pieces".split(),
}
STORAGE_FIELDS = "offset bytes first_chunk file role reserved0 reserved1".split()


class Dump:
    """Spans of the file with their meaning; what no span covers must be zero."""

    def __init__(self, data):
        self.data, self.spans = data, []

    def add(self, begin, count, meaning):
        self.spans.append((begin, begin + count, meaning))

    def number(self, code, at, meaning):
        value = struct.unpack_from("<" + code, self.data, at)[0]
        self.add(at, struct.calcsize(code), meaning.format(value))
        return value

    def lines(self):
        at = 0
        for begin, end, meaning in sorted(self.spans) + [(len(self.data), len(self.data), "")]:
            assert begin >= at, f"two meanings at {begin}"
            if begin > at:
                assert not any(self.data[at:begin]), f"bytes without a meaning at {at}"
                yield from self.show(at, begin, "zero")
            if end > begin:
                yield from self.show(begin, end, meaning)
            at = end

    def show(self, begin, end, meaning):
        part = self.data[begin:end]
        if len(part) > 64 or (len(part) > 16 and not any(part)):
            few = f"{part[:2].hex(' ')} … {part[-2:].hex(' ')}".upper() if any(part) else "00 … 00"
            yield f"{begin:5}  {few:47}  {meaning}, {len(part)} bytes"
            return
        for at in range(0, len(part), 16):
            yield f"{begin + at:5}  {part[at : at + 16].hex(' ').upper():47}  {meaning if at == 0 else ''}".rstrip()


def add_header(dump):
    at = 0
    for field, code in zip(reader.FIELDS, re.findall(r"\d*[sHIQ]", reader.HEADER.format)):
        count = struct.calcsize(code)
        value = struct.unpack_from("<" + code, dump.data, at)[0]
        dump.add(at, count, field + (f" {value}" if isinstance(value, int) else ""))
        at += count
    dump.add(4080, 16, "header_digest")


class IndexDump:
    """The index; positions within it are shown beside the values of references."""

    def __init__(self, dump, base):
        self.dump, self.base, self.vtables = dump, base, set()

    def number(self, code, at, meaning):
        return self.dump.number(code, self.base + at, meaning)

    def reference(self, at, meaning):
        step = struct.unpack_from("<I", self.dump.data, self.base + at)[0]
        self.dump.add(self.base + at, 4, f"{meaning}: {at} + {step} = {at + step}")
        return at + step

    def vector(self, at, name):
        return self.number("I", at, f"[{at}] {name}: length {{}}")

    def run(self):
        root = self.reference(0, "[0] index begins: root table")
        self.dump.add(self.base + 4, 4, "identifier INGX")
        places = self.table(root, "Index")
        tensors = places["tensors"]
        for i in range(self.vector(tensors, "tensors")):
            at = self.reference(tensors + 4 + 4 * i, f"tensor {i}")
            self.tensor(at)
        storages = places["storages"]
        for i in range(self.vector(storages, "storages")):
            for field, code, offset in zip(STORAGE_FIELDS, reader.STORAGE, (0, 8, 16, 24, 28, 29, 30)):
                self.number(code, storages + 4 + 32 * i + offset, f"storage {i}: {field} {{}}")
        for field, code in (("name_hashes", "Q"), ("name_tensors", "I")):
            for i in range(self.vector(places[field], field)):
                self.number(code, places[field] + 4 + struct.calcsize(code) * i, f"{field}[{i}] " + ("{:#x}" if code == "Q" else "{}"))

    def table(self, at, kind):
        """Spans of vtable and fields; positions of the parts that fields refer to."""
        data, base, places = self.dump.data, self.base, {}
        vtable = at - struct.unpack_from("<i", data, base + at)[0]
        length = struct.unpack_from("<H", data, base + vtable)[0]
        if vtable not in self.vtables:
            self.vtables.add(vtable)
            self.number("H", vtable, f"[{vtable}] vtable of {kind}: {{}} bytes")
            self.number("H", vtable + 2, "inline part of the table: {} bytes")
            for i in range((length - 4) // 2):
                entry = struct.unpack_from("<H", data, base + vtable + 4 + 2 * i)[0]
                self.number("H", vtable + 4 + 2 * i, f"{FIELDS[kind][i]} " + ("at {}" if entry else "absent"))
        self.number("i", at, f"[{at}] {kind}: vtable at {at} - {{}} = {vtable}")
        for i in range((length - 4) // 2):
            entry = struct.unpack_from("<H", data, base + vtable + 4 + 2 * i)[0]
            name, form = FIELDS[kind][i], reader.SCHEMA[kind][i]
            if entry == 0:
                continue
            if isinstance(form, str) and len(form) == 1:
                self.number(form, at + entry, f"{name} {{}}")
            else:
                places[name] = self.reference(at + entry, name)
        return places

    def tensor(self, at):
        places = self.table(at, "Tensor")
        name = places["name"]
        count = self.number("I", name, f"[{name}] name: {{}} bytes")
        text = self.dump.data[self.base + name + 4 :][:count]
        self.dump.add(self.base + name + 4, count, f'"{text.decode()}"')
        self.dump.add(self.base + name + 4 + count, 1, "zero byte that ends the name")
        for i in range(self.vector(places["shape"], "shape")):
            self.number("q", places["shape"] + 4 + 8 * i, f"shape[{i}] {{}}")


def annotate(data):
    header, _ = reader.read_header(data)
    description = reader.read(data)
    dump = Dump(data)
    add_header(dump)
    for tensor in description["tensors"]:
        storage = description["storages"][tensor["storage"]]
        dump.add(storage["offset"], storage["bytes"], f"data of \"{tensor['name']}\"")
    for i in range(header.chunks):
        dump.add(header.digests_offset + 16 * i, 16, f"digest table: XXH3-128 of chunk {i}")
    IndexDump(dump, header.index_offset).run()
    dump.add(len(data) - 4096, 4096, "second header: the bytes [0, 4096) again")
    return "\n".join(dump.lines())


def main():
    dump = "```text\n" + annotate(Path(sys.argv[1]).read_bytes()) + "\n```"
    if len(sys.argv) == 2:
        print(dump)
        return
    document = Path(sys.argv[2])
    text = document.read_text(encoding="utf-8")
    place = re.compile(r"(<!-- annotated dump -->\n).*?(<!-- end -->)", re.S)
    if not place.search(text):
        sys.exit(f"{document}: no place for the annotated dump")
    wanted = place.sub(lambda match: match[1] + dump + "\n" + match[2], text)
    if sys.argv[3:] == ["--write"]:
        document.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        sys.exit(f"{document}: the annotated dump is not that of {sys.argv[1]}")


if __name__ == "__main__":
    main()
