"""Version stamps in saved models, and checks when one is loaded."""

import inspect
import warnings
from importlib import import_module

from ..exceptions import ModelVersionWarning

_STAMP = "_versions"


class VersionMixin:
    """Stamp an estimator's state with versions, and compare them on loading.

    scikit-learn does this for its own estimators only. ``_stamped`` lists the packages.
    """

    _stamped = ("sklearn_mm", "sklearn")

    def __getstate__(self):
        """Return the attributes and the versions of the stamped packages."""
        return self._stamp(super().__getstate__())

    def __setstate__(self, state):
        """Set the attributes, with a warning if other versions saved them."""
        super().__setstate__(self._check_state(state))

    def _stamp(self, state):
        return {**state, _STAMP: self._find_versions()}

    def _check_state(self, state):
        """Return the state without its stamp, or raise if a parameter is missing."""
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
                f"sklearn_mm {found.get('sklearn_mm', 'of an unknown version')}, and "
                f"this is {here['sklearn_mm']}: load it with that version, or refit it."
            )
        return {key: value for key, value in state.items() if key != _STAMP}

    @classmethod
    def _find_versions(cls):
        # 2.9.0+cpu and 2.9.0+cu126 count as the same version.
        return {
            package: str(import_module(package).__version__).partition("+")[0]
            for package in cls._stamped
        }


def _list_parameters(kind):
    """List the parameters of the constructors of this package's classes."""
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
            if inspect.Parameter.VAR_KEYWORD not in kinds:  # parents get no others
                break
    return names - {"self"}
