"""What a saved model says of the versions that made it, and of what it lacks."""

import inspect
import warnings
from importlib import import_module

from ..exceptions import ModelVersionWarning

_STAMP = "_versions"


class VersionMixin:
    """Stamps an estimator's state with versions, and compares them when it is loaded.

    scikit-learn does so for its own estimators only. ``_stamped`` lists the packages.
    """

    _stamped = ("sklearn_mm", "sklearn")

    def __getstate__(self):
        """Give the attributes, and the versions of this package and those below it."""
        return self._stamp(super().__getstate__())

    def __setstate__(self, state):
        """Take the attributes over, with a warning if other versions made them."""
        super().__setstate__(self._check_state(state))

    def _stamp(self, state):
        return {**state, _STAMP: self._find_versions()}

    def _check_state(self, state):
        """Give the state without its stamp; warn of other versions, refuse gaps."""
        found, here = state.get(_STAMP, {}), self._find_versions()
        name = type(self).__name__
        if found != here:
            warnings.warn(
                ModelVersionWarning(estimator_name=name, found=found, here=here),
                stacklevel=3,
            )
        lacking = sorted(_list_parameters(type(self)) - set(state))
        if lacking:
            raise ValueError(
                f"{name}: the saved model lacks {', '.join(lacking)}. It was saved by "
                f"sklearn_mm {found.get('sklearn_mm', 'of an unknown version')}, here "
                f"is {here['sklearn_mm']}: load it with that version, or fit it anew."
            )
        return {key: value for key, value in state.items() if key != _STAMP}

    @classmethod
    def _find_versions(cls):
        # Builds of one version for a CPU and for GPUs, 2.9.0+cpu, are the same.
        return {
            package: str(import_module(package).__version__).partition("+")[0]
            for package in cls._stamped
        }


def _list_parameters(kind):
    """List the arguments of the constructors of this package's classes."""
    names = set()
    for parent in kind.__mro__:
        own = parent.__module__.startswith("sklearn_mm.") and "__init__" in vars(parent)
        if own:
            parameters = inspect.signature(parent.__init__).parameters.values()
            kinds = {p.kind for p in parameters}
            names |= {
                p.name
                for p in parameters
                if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
            }
            if inspect.Parameter.VAR_KEYWORD not in kinds:  # nothing goes further up
                break
    return names - {"self"}
