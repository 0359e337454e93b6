"""Only io talks to the operating system about files: the test doubles of io see every such call.

    system_calls_stay_in_io.py <build folder>

Looks at the object files of the other rooms of the core (what they call), and at their includes."""

import pathlib
import re
import subprocess
import sys

from repository import Findings, includes, sources

ROOMS = ("base", "format", "writer", "loader")
CALLS = re.compile(
    r"^(open|openat|creat|close|read|pread|readv|preadv|write|pwrite|writev|pwritev|fsync|fdatasync|"
    r"sync|syncfs|sync_file_range|fallocate|posix_fallocate|ftruncate|truncate|stat|fstat|lstat|statx|"
    r"fstatat|statfs|statvfs|fstatvfs|rename|renameat|renameat2|link|linkat|unlink|unlinkat|mkdir|rmdir|"
    r"opendir|readdir|mmap|munmap|msync|mremap|madvise|posix_fadvise|flock|fcntl|ioctl|syscall|"
    r"fopen|fread|fwrite|fclose|io_uring_\w+)(v1|v2)?$")
HEADERS = re.compile(r"^(unistd\.h|fcntl\.h|sys/(?!types\.h)\w+\.h|linux/.*|liburing\.h|dirent\.h|"
                     r"fstream|filesystem|iostream)$")
# (file, name): why it may.
ALLOWED = {
    ("loader/bus_guard.cc", "sys/mman.h"): "puts a page of zeros where a mapped page is gone",
    ("loader/bus_guard.cc", "mmap"): "puts a page of zeros where a mapped page is gone",
    ("loader/bus_guard.cc", "unistd.h"): "asks for the page size",
}


def plain_name(symbol):
    """"__pread64_chk@GLIBC_2.4", as fortified builds have it, is pread."""
    name = re.sub(r"^__(\w+?)_(chk|2)$", r"\1", symbol.split("@")[0])
    return name.removesuffix("64")


def main():
    findings = Findings()
    build = pathlib.Path(sys.argv[1])
    for room in ROOMS:
        for path in sources(room):
            for number, _, name in includes(path):
                if HEADERS.match(name) and (str(path), name) not in ALLOWED:
                    findings.add(path, number, f"{name} belongs to io")
        objects = sorted((build / room / "CMakeFiles" / f"ingot_{room}.dir").rglob("*.o"))
        if not objects:
            findings.add(build / room, 0, "no object files: is the room built?")
        for item in objects:
            out = subprocess.run(["nm", "-u", item], capture_output=True, check=True, text=True)
            for line in out.stdout.splitlines():
                symbol = plain_name(line.split()[-1])
                source = f"{room}/{item.name.removesuffix('.o')}"
                if CALLS.match(symbol) and (source, symbol) not in ALLOWED:
                    findings.add(source, 0, f"calls {symbol}, which belongs to io")
    findings.finish("file system calls are made by io alone")


main()
