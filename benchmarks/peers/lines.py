"""Lines of code that a function needs: its own, its helpers', its imports'."""

import ast
from pathlib import Path

PACKAGE = "benchmarks.peers."


def count_lines(path, name):
    """Count the lines of code that a name at a module's top level needs.

    Parameters
    ----------
    path : Path
        The module's file.
    name : str
        A function, a class or a value.

    Returns
    -------
    int
        Lines of it and of all at the top level that it needs in turn, imports and
        modules beside it included; without docstrings, comments and blank lines.
    """
    lines = set()
    _collect(Path(path), name, lines, set())
    return len(lines)


def _collect(path, name, lines, seen):
    """Add (file, line) of a name and of what it needs."""
    if (path, name) in seen:
        return
    seen.add((path, name))
    text = path.read_text()
    statement = _find_definitions(ast.parse(text)).get(name)
    if statement is None:
        return
    lines |= {(path, line) for line in _list_code(statement, text.splitlines())}
    module = getattr(statement, "module", None) or ""
    if module.startswith(PACKAGE):
        beside = path.parent / f"{module.removeprefix(PACKAGE)}.py"
        _collect(beside, name, lines, seen)
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            _collect(path, node.id, lines, seen)


def _find_definitions(tree):
    """Map each name at the top level to the statement that defines it."""
    found = {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                found[alias.asname or alias.name.split(".")[0]] = statement
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                names = (n for n in ast.walk(target) if isinstance(n, ast.Name))
                found |= {node.id: statement for node in names}
    return found


def _list_code(statement, text):
    """List a statement's lines of code."""
    decorators = getattr(statement, "decorator_list", [])
    first = min(node.lineno for node in [statement, *decorators])
    lines = set(range(first, statement.end_lineno + 1))
    for node in ast.walk(statement):
        kinds = ast.FunctionDef | ast.ClassDef
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return [n for n in lines if text[n - 1].strip() and text[n - 1].strip()[0] != "#"]
