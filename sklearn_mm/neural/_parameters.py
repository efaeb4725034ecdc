"""A network's parameters: skorch's, and those of estimators among them."""

import inspect


class ParametersMixin:
    """Sets parameters as scikit-learn and skorch both would have it."""

    def set_params(self, **params):
        """Set parameters, those of estimators among the parameters too.

        Parameters
        ----------
        **params : dict
            Values by name, as ``get_params`` gives them, and ``module__*`` and so on.

        Returns
        -------
        self
            The estimator.
        """
        nested = {}
        for key in [key for key in params if "__" in key]:
            name, _, rest = key.partition("__")
            if hasattr(params.get(name, vars(self).get(name)), "set_params"):
                nested.setdefault(name, {})[rest] = params.pop(key)
        super().set_params(**params)
        for name, own in nested.items():
            vars(self)[name].set_params(**own)
        return self

    @property
    def _params_to_validate(self):
        """Arguments beyond the signatures', which skorch checks by their prefixes."""
        known = {
            name
            for parent in type(self).__mro__
            if "__init__" in vars(parent)
            for name in inspect.signature(parent.__init__).parameters
        }
        return set(self._get_param_names()) - known

    def _get_param_names(self):
        return [k for k in vars(self) if not k.endswith("_") and not k.startswith("_")]
