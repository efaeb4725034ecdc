"""Public names that load their module on first use (PEP 562)."""

import importlib


def lazy_names(package, modules, submodules=()):
    """Make ``__getattr__``, ``__dir__`` and ``__all__`` for a package.

    Parameters
    ----------
    package : str
        Name of the package, its ``__name__``.
    modules : dict of str to list of str
        For each submodule the public names that it defines.
    submodules : sequence of str
        Submodules that are public themselves.

    Returns
    -------
    tuple of (callable, callable, list of str)
        Module level ``__getattr__``, ``__dir__`` and ``__all__``.
    """
    home = {name: module for module, names in modules.items() for name in names}
    public = sorted([*home, *submodules])

    def load(name):
        if name in home:
            return getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        if name in submodules:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load, lambda: public, public
