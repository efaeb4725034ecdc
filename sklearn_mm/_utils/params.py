"""Parameters that are dicts, whose entries are nested parameters."""


class DictParamsMixin:
    """Reaches the entries of dicts: ``encoders__title__ngram_range``.

    ``_dict_params`` names the parameters. ``encoders__title`` is the entry "title", and
    ``encoders__title__ngram_range`` a parameter of it. Only entries whose keys are
    strings have such names.
    """

    _dict_params: tuple = ()

    def get_params(self, deep=True):
        """Get the parameters, and with ``deep`` the entries of dicts among them.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the entries of dicts, and their own parameters.

        Returns
        -------
        dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        if not deep:
            return params
        for parameter in self._dict_params:
            entries = getattr(self, parameter)
            # What is no dict is refused by fit, not here.
            for key, value in entries.items() if isinstance(entries, dict) else ():
                if not isinstance(key, str):
                    continue
                params[f"{parameter}__{key}"] = value
                if hasattr(value, "get_params") and not isinstance(value, type):
                    nested = value.get_params(deep=True)
                    for name, inner in nested.items():
                        params[f"{parameter}__{key}__{name}"] = inner
        return params

    def set_params(self, **params):
        """Set parameters; those of dicts by ``parameter__key`` and what follows.

        Parameters
        ----------
        **params : dict
            Values by name, as ``get_params`` returns them. ``parameter__key`` also
            adds an entry that is not there yet.

        Returns
        -------
        self
            The estimator.
        """
        nested = {
            name: params.pop(name)
            for name in list(params)
            if name.partition("__")[0] in self._dict_params and "__" in name
        }
        super().set_params(**params)
        for name in sorted(nested, key=len):  # an entry before its parameters
            self._set_entry(*name.split("__", 1), nested[name])
        return self

    def _set_entry(self, parameter, path, value):
        entries = dict(getattr(self, parameter) or {})
        # Keys may hold "__" themselves: the longest one that fits is meant.
        owners = [
            key
            for key in entries
            if isinstance(key, str) and path.startswith(f"{key}__")
        ]
        if path in entries or (not owners and "__" not in path):
            entries[path] = value
            setattr(self, parameter, entries)
            return
        if not owners:
            raise ValueError(
                f"Invalid parameter {parameter}__{path!r} of {type(self).__name__}: "
                f"{parameter} has no entry that it could belong to, only "
                f"{list(entries)}. Pass the entry first, {parameter}={{...}}."
            )
        owner = max(owners, key=len)
        entries[owner].set_params(**{path[len(owner) + 2 :]: value})
