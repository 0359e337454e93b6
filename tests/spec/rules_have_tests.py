"""Every rule of docs/format.md (F-01, F-02, …) is named by at least one test, and no test names a
rule that is not there."""

import re

from repository import Findings, files, lines

RULE = re.compile(r"\bF-\d{2,3}\b")
DEFINITION = re.compile(r"\* \*\*(F-\d{2,3})\*\* ")


def main():
    findings = Findings()
    rules = {}
    for number, line in lines("docs/format.md"):
        if match := DEFINITION.match(line):
            if match[1] in rules:
                findings.add("docs/format.md", number, f"{match[1]} is defined twice")
            rules[match[1]] = number
    if not rules:
        findings.add("docs/format.md", 0, "no numbered rules")
    named = {}
    for path in files("tests/**/*"):
        # The checkers and the second reader follow the rules, which proves nothing of Ingot.
        if path.parts[1] in ("spec", "support"):
            continue
        for number, line in lines(path):
            for match in RULE.finditer(line):
                named.setdefault(match[0], (path, number))
    for rule, number in rules.items():
        if rule not in named:
            findings.add("docs/format.md", number, f"{rule} is named by no test")
    for rule, (path, number) in named.items():
        if rule not in rules:
            findings.add(path, number, f"{rule} is not a rule of docs/format.md")
    findings.finish(f"each of {len(rules)} rules is named by a test")


main()
