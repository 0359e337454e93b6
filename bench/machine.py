"""The machine, its file system and the versions of what was measured. Standard library only."""

import datetime
import os
import pathlib
import platform
import re
import subprocess


def output(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def read(path):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return ""


def cpu_model():
    for line in read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def file_system(folder):
    """Type and options of the mount that holds the folder."""
    best = ("", "", "")
    for line in read("/proc/self/mounts").splitlines():
        _, mount, kind, options = line.split()[:4]
        inside = str(folder) == mount or str(folder).startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best[0]):
            best = (mount, kind, options)
    return f"{best[1]} ({best[2]})"


def compiler(build):
    for line in read(build / "CMakeCache.txt").splitlines():
        if line.startswith("CMAKE_CXX_COMPILER:"):
            return output(line.split("=", 1)[1], "--version").splitlines()[0]
    return ""


def cache_variable(build, name):
    match = re.search(rf"^{name}:[A-Z]+=(.*)$", read(build / "CMakeCache.txt"), re.MULTILINE)
    return match.group(1) if match else ""


def versions(build):
    kind = cache_variable(build, "CMAKE_BUILD_TYPE")
    return {
        "compiler": compiler(build),
        "build_type": kind,
        "flags": cache_variable(build, f"CMAKE_CXX_FLAGS_{kind.upper()}"),
        "flatbuffers": output("flatc", "--version"),
        "xxhash": output("pkg-config", "--modversion", "libxxhash"),
        "liburing": output("pkg-config", "--modversion", "liburing"),
        "libc": platform.libc_ver()[1],
        "python": platform.python_version(),
    }


def facts(build, cache):
    model, processors = cpu_model(), len(os.sched_getaffinity(0))
    name = re.sub(r"[^a-z0-9]+", "-", f"{model} {processors}cpu".lower()).strip("-")
    root = pathlib.Path(__file__).resolve().parent.parent
    return {
        "name": name,
        "cpu": model,
        "processors": processors,
        "memory_bytes": memory_bytes(),
        "kernel": platform.release(),
        "virtual": bool(re.search(r"^flags.*\bhypervisor\b", read("/proc/cpuinfo"), re.MULTILINE)),
        "huge_pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "file_system": file_system(cache),
        "commit": output("git", "-C", str(root), "rev-parse", "--short=12", "HEAD"),
        "modified": bool(output("git", "-C", str(root), "status", "--porcelain", "--untracked-files=no")),
        "started": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "load_at_start": os.getloadavg(),
        "versions": versions(build),
    }


def anonymous(arguments, root):
    """Paths below the repository without what lies above it."""
    return [argument.replace(str(root) + "/", "") for argument in arguments]
