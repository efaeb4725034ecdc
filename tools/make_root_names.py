"""Write the lazy names of ``sklearn_mm/__init__.py`` from its stub.

The stub ``sklearn_mm/__init__.pyi`` is the only list that is kept by hand. Every other
package reads its stub when it is imported (``lazy_loader.attach_stub``), but that
imports ``ast``, which alone takes longer than ``import sklearn_mm`` may. Run this after
a change of the root's stub; a test fails if it was forgotten.
"""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1] / "sklearn_mm" / "__init__.py"
START = "__getattr__, __dir__, __all__ = "


def read_stub(path):
    """List the submodules in a stub, and the names that it takes from each module."""
    submodules, names = [], defaultdict(list)
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            found = names[node.module] if node.module else submodules
            found.extend(alias.name for alias in node.names)
    return sorted(submodules), {module: sorted(names[module]) for module in names}


def make_code(stub):
    """Write the assignment, formatted as ruff does."""
    submodules, names = read_stub(stub)
    lines = [f"{START}lazy.attach(", "    __name__,"]
    lines += make_list("    submodules=", submodules)
    lines += ["    submod_attrs={"]
    for module in sorted(names):
        lines += make_list(f'        "{module}": ', names[module])
    return "\n".join([*lines, "    },", ")", ""])


def make_list(before, names):
    """Write a list in one line if it fits, else with an item a line."""
    quoted = ", ".join(f'"{name}"' for name in names)
    line = f"{before}[{quoted}],"
    if len(line) <= 88:
        return [line]
    indent = " " * (len(before) - len(before.lstrip()))
    return [f"{before}[", *(f'{indent}    "{name}",' for name in names), f"{indent}],"]


def main():
    """Replace the assignment, which is the end of the file."""
    head = ROOT.read_text().partition(START)[0]
    ROOT.write_text(head + make_code(ROOT.with_suffix(".pyi")))


if __name__ == "__main__":
    main()
