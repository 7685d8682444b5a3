#!/usr/bin/env python3
"""Checks that somebody uses what modules offer. Needs nothing.

    deploy/check_symbols.py           exits with 1 if a symbol is unused, naming file, line and symbol
    deploy/check_symbols.py --list    also prints the allowed ones, with the reason

- Every `public`, `package` and `open` symbol of Sources (func, var, let, struct, class, actor, enum, protocol, typealias;
  not the cases of an enum) has a name that occurs a second time in the code of Sources and Tests. Comments and the text of
  string literals are no use, interpolations are.
- Every allowed name is one that would be reported: an exception that nobody needs any more is a complaint.

A name with two declarations counts as used, so what is reported is unused for certain, except for what the compiler or
the standard library calls: such a name is allowed below, with the reason.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Names that the code never says and that are used all the same.
ALLOWED = {
    "underestimatedCount": "a requirement of Sequence, by which the standard library reserves",
}

DECLARATION = re.compile(
    r"^[ \t]*(?:@\w+(?:\([^()\n]*\))?\s+)*(?:(?:final|static|class|override|indirect|nonisolated|mutating|borrowing|consuming|"
    r"lazy|weak|unowned)\s+)*(?:public|package|open)(?:\((?:set)\))?\s+"
    r"(?:(?:final|static|class|override|indirect|nonisolated|mutating|nonmutating|borrowing|consuming|lazy|weak|unowned|"
    r"convenience|required|(?:public|package|internal|private|fileprivate)\(set\))\s+)*"
    r"(?P<kind>func|var|let|struct|class|actor|enum|protocol|typealias)\s+`?(?P<name>[A-Za-z_]\w*)`?",
    re.M,
)
TUPLE = re.compile(r"(?:public|package|open)\s+(?:static\s+)?(?:let|var)\s+\(([^()]*)\)")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def blank(text: str) -> str:
    """Spaces for all but the line ends."""
    return re.sub(r"[^\n]", " ", text)


def code(source: str, begin: int = 0, closing: str | None = None) -> tuple[str, int]:
    """Swift without its comments and the text of its string literals, of the same length in the same lines, and where it
    ends: at the end, or behind the parenthesis that closes an interpolation."""
    parts: list[str] = []
    position, depth = begin, 0
    while position < len(source):
        if source.startswith("//", position):
            end = source.find("\n", position)
            end = len(source) if end < 0 else end
            parts.append(blank(source[position:end]))
        elif source.startswith("/*", position):
            end, level = position + 2, 1
            while level and end < len(source):
                opens, closes = source.startswith("/*", end), source.startswith("*/", end)
                level += opens - closes
                end += 2 if opens or closes else 1
            parts.append(blank(source[position:end]))
        elif opening := re.compile(r'(#*)("""(?=[ \t]*\n)|")').match(source, position):
            hashes, quote = opening.groups()
            end = opening.end()
            parts.append(blank(opening.group()))
            while end < len(source) and not source.startswith(quote + hashes, end):
                if source.startswith("\\" + hashes + "(", end):
                    inner, after = code(source, end + len(hashes) + 2, ")")
                    parts.append(" " * (len(hashes) + 2) + inner)
                    end = after
                else:
                    step = len(hashes) + 2 if source.startswith("\\" + hashes, end) else 1
                    parts.append(blank(source[end : end + step]))
                    end += step
            parts.append(blank(quote + hashes))
            end += len(quote + hashes)
        else:
            character = source[position]
            depth += (character == "(") - (character == ")")
            parts.append(character)
            end = position + 1
            if closing and depth < 0:
                return "".join(parts), end
        position = end
    return "".join(parts), position


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.swift"))


def unused() -> list[tuple[str, int, str, str]]:
    """File, line, kind and name of every symbol whose name occurs once."""
    texts = {path: code(path.read_text(encoding="utf-8"))[0] for folder in ("Sources", "Tests") for path in files(folder)}
    counts = Counter(name for text in texts.values() for name in IDENTIFIER.findall(text))
    found = []
    for path in files("Sources"):
        text = texts[path]
        named = [(match.start("name"), match["kind"], match["name"]) for match in DECLARATION.finditer(text)]
        for match in TUPLE.finditer(text):
            named += [(match.start(), "let", name) for name in IDENTIFIER.findall(match[1])]
        for start, kind, name in sorted(named):
            if counts[name] == 1:
                found.append((str(path.relative_to(ROOT)), text.count("\n", 0, start) + 1, kind, name))
    if len(texts) < 100:
        raise SystemExit(f"found {len(texts)} files of Swift; is this the repository?")
    return found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--list", action="store_true", help="print the allowed names, too")
    options = options.parse_args()
    found = unused()
    names = {name for _, _, _, name in found}
    complaints = [
        f"{file}:{line}: nobody uses {kind} {name}: remove it, narrow its access, or allow it in {Path(__file__).name}"
        for file, line, kind, name in found
        if name not in ALLOWED
    ]
    complaints += [f"{name} is allowed and is no unused symbol" for name in sorted(set(ALLOWED) - names)]
    if options.list:
        for file, line, kind, name in found:
            if name in ALLOWED:
                print(f"{file}:{line}: {kind} {name}: {ALLOWED[name]}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"symbols: {len(complaints)} complaints, {len(names & set(ALLOWED))} allowed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
