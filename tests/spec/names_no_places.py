"""Nothing in the repository depends on where it was written: no package registry's host, no
absolute path of somebody's machine, no large file that a program left there. (The patterns are spelled so that they do not match here.)"""

import re

from repository import ROOT, Findings, files, lines

LARGEST = 2 << 20

HOSTS = re.compile(
    r"p[y]pi\.(org|python)|p[y]thonhosted\.org|d[e]b\.debian\.org|s[e]curity\.debian\.org|"
    r"a[r]chive\.ubuntu\.com|n[p]mjs\.(org|com)|c[r]ates\.io|p[r]oxy\.golang\.org|c[o]nda\.anaconda\.org")
PATHS = re.compile(r"(?<![\w.\-$}/])/(h[o]me|r[o]ot|w[o]rk|U[s]ers|m[n]t|o[p]t)/[\w.]")


def main():
    findings = Findings()
    for path in files():
        if (ROOT / path).stat().st_size > LARGEST:
            findings.add(path, 0, f"is larger than {LARGEST} bytes")
            continue
        for number, line in lines(path):
            if match := HOSTS.search(line):
                findings.add(path, number, f"names a registry host: {match[0]}")
            if match := PATHS.search(line):
                findings.add(path, number, f"names a machine's path: {match[0]}")
    findings.finish("no registry hosts, no machine paths")


main()
