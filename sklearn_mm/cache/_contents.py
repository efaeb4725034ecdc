"""Digests of objects by all that affects results, the code of functions included."""

import inspect
import sys
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from types import CodeType, FunctionType, ModuleType

from joblib.hashing import NumpyHasher

#: Entries of a class that say nothing about what its objects do.
_IDLE = {
    *("__module__", "__doc__", "__dict__", "__weakref__", "__annotations__"),
    *("__firstlineno__", "__static_attributes__", "__slotnames__", "_abc_impl"),
}


def digest_content(value):
    """Compute a digest of an object's content.

    A function counts by its code, defaults and closure, and by the globals that it
    uses; a class by the code of its methods. Both stop at installed packages, which
    count by their versions.

    Parameters
    ----------
    value : object
        Anything that pickle can store, apart from functions and classes.

    Returns
    -------
    str
        The digest.

    Raises
    ------
    TypeError
        If the object, or what a function uses, cannot be stored.
    """
    try:
        return _ContentHasher({}).hash(value)
    except Exception as error:  # pickle raises errors of any type
        raise TypeError(
            f"CachedEncoder: {value!r} cannot be cached, because it depends on an "
            f"object whose content cannot be compared ({error}): a change in it would "
            "go unnoticed. Use a function that depends on its arguments and on plain "
            "data only, or a transformer with parameters."
        ) from error


class _ContentHasher(NumpyHasher):
    """joblib's hasher, with functions, classes and modules replaced by their content.

    Parameters
    ----------
    seen : dict of int to tuple
        What was described already, by id, which ends recursion.
    """

    def __init__(self, seen):
        super().__init__("md5")
        self.seen = seen

    def save(self, obj):
        """Store an object in the digested stream."""
        if isinstance(obj, (FunctionType, CodeType, ModuleType, type)):
            if id(obj) in self.seen:
                obj = self.seen[id(obj)][0]
            elif not isinstance(obj, type) or not _is_installed(obj.__module__):
                # Keep the object as well, so that no other gets its id.
                self.seen[id(obj)] = f"content {len(self.seen)}", obj
                obj = self._describe(obj)
        super().save(obj)

    def _describe(self, obj):
        if isinstance(obj, CodeType):
            return _describe_code(obj)
        if isinstance(obj, ModuleType):
            return obj.__name__, get_version(obj.__name__.partition(".")[0])
        if isinstance(obj, type):
            return self._describe_class(obj)
        parts = [obj.__qualname__, obj.__defaults__, obj.__kwdefaults__, vars(obj)]
        parts += [cell.cell_contents for cell in _list_cells(obj)]
        home = obj.__globals__.get("__name__", "")
        if _is_installed(home):
            return [*parts, home, get_version(home.partition(".")[0])]
        return [*parts, obj.__code__, _find_globals(obj)]

    def _describe_class(self, kind):
        parts = [kind.__qualname__, kind.__bases__]
        for name, value in vars(kind).items():
            if name not in _IDLE:
                parts += [name, self._digest_entry(value)]
        return parts

    def _digest_entry(self, value):
        """Digest a class's entry; one that cannot be stored counts by its type."""
        if isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget, value.fset
        elif isinstance(value, cached_property):
            value = value.func
        try:
            return _ContentHasher(self.seen).hash(value)
        except Exception:
            return type(value).__qualname__


def _describe_code(code):
    """Return what a function's code does, without where it stands."""
    return [
        *(code.co_name, code.co_code, code.co_consts, code.co_names),
        *(code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags),
        *(code.co_argcount, code.co_kwonlyargcount, code.co_posonlyargcount),
        getattr(code, "co_exceptiontable", b""),
    ]


def _list_cells(function):
    """List the cells of a closure, apart from those that are still empty."""
    cells = function.__closure__ or ()
    return [cell for cell in cells if cell != type(cell)()]


def _find_globals(function):
    """Return the globals that a function uses, by name.

    Of a module that is not installed, these are its attributes that the code names.
    """
    names, found = _list_names(function.__code__), {}
    for name in names:
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if inspect.ismodule(value) and not _is_installed(value.__name__):
            used = {n: getattr(value, n) for n in names if hasattr(value, n)}
            value = value.__name__, used
        found[name] = value
    return found


def _list_names(code):
    """List the names that code uses, and the functions inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names.update(_list_names(constant))
    return sorted(names)


@lru_cache
def _is_installed(name):
    """Whether a module's code changes only with the version of its package."""
    package = name.partition(".")[0]
    if package in {"sklearn_mm", *sys.stdlib_module_names}:
        return True
    path = getattr(sys.modules.get(name), "__file__", None) or ""
    return "site-packages" in path or "dist-packages" in path


@lru_cache
def get_version(package):
    """Return the version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return getattr(sys.modules.get(package), "__version__", None)
