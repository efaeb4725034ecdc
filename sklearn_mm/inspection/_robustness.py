"""How the score drops as modalities become missing, swapped or noisy."""

from functools import partial

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from ..tables import n_rows, read_table
from ._declared import find_column_modalities, find_declared, find_files
from ._disturb import MOVES, disturb_columns, list_disturbances, list_strengths
from ._modalities import find_modalities
from ._predictions import find_scorer, ignore_abstention


def robustness_report(
    estimator,
    X,
    y,
    *,
    modalities=None,
    scoring=None,
    shares=(0, 0.1, 0.3, 0.5, 0.7),
    strengths=None,
    random_state=None,
):
    """Score an estimator with one modality at a time disturbed.

    Parameters
    ----------
    estimator : estimator
        A fitted fusion estimator or joint net, a pipeline or search around one, or
        any estimator of tables that accepts missing cells.
    X : DataFrame, ndarray or dict of arrays, with n_samples rows
        The table, preferably of held-out rows. It is not modified.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    modalities : dict of str to columns or None, default=None
        Columns of each modality. By default, those of the estimator's specs; if it has
        none, or they overlap or select columns with a callable, each column is a
        modality.
    scoring : str, callable or None, default=None
        A scorer or its name. By default, the estimator's ``score``.
    shares : sequence of float, default=(0, 0.1, 0.3, 0.5, 0.7)
        Shares of the rows where the modality is made "missing", or where its cells are
        "swapped" with those of another row.
    strengths : dict of str to dict, or None, default=None
        Strengths of the other disturbances by modality of the cells and name of the
        disturbance, in place of the defaults: ``{"audio": {"noise": (30, 20)}}``. An
        empty tuple skips the disturbance.
    random_state : int, RandomState or None, default=None
        Draws rows and noise, the same for all strengths of a disturbance.

    Returns
    -------
    DataFrame
        Columns ``modality``, ``disturbance``, ``strength``, ``score``, and ``loss``,
        the difference from the score of the undisturbed table.

    Notes
    -----
    Each column is disturbed according to the modality of its cells: as declared by a
    part of the estimator, such as ``MultimodalVectorizer(columns={"dna": modality})``,
    or else as detected. The disturbances and their default strengths are those of
    :class:`~sklearn_mm.Modality` objects; the objects in
    ``sklearn_mm.modalities.MODALITIES`` list the built-in ones. Disturbed files become
    arrays; missing and unreadable cells are not disturbed.

    References
    ----------
    D. Hendrycks and T. Dietterich (2019), "Benchmarking neural network robustness to
    common corruptions and perturbations", ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_mm import MultimodalVotingClassifier
    >>> from sklearn_mm.inspection import robustness_report
    >>> X, y = load_digits(return_X_y=True)  # upper and lower halves of digits
    >>> X, model = X / 16, LogisticRegression()
    >>> fusion = MultimodalVotingClassifier(
    ...     [("upper", model, slice(0, 32)), ("lower", model, slice(32, 64))]
    ... ).fit(X[:1000], y[:1000])
    >>> report = robustness_report(
    ...     fusion, X[1000:], y[1000:], shares=[0, 0.5], random_state=0
    ... )
    >>> report[report["disturbance"] == "missing"].round(2).drop(columns="loss")
      modality disturbance  strength  score
    0    upper     missing       0.0   0.90
    1    upper     missing       0.5   0.86
    7    lower     missing       0.0   0.90
    8    lower     missing       0.5   0.86
    """
    X = read_table(X)
    check_consistent_length(np.empty(n_rows(X)), y)
    parts = find_modalities(estimator, X, modalities)
    scorer, _ = find_scorer(estimator, scoring)
    strengths = _check_strengths(strengths, list_strengths(estimator))
    generator = check_random_state(random_state)
    declared = find_declared(estimator)
    undisturbed = scorer(estimator, X, y)
    rows = []
    for name, keys in parts.items():
        files = find_files(estimator, name)
        found = find_column_modalities(X, keys, declared, files)
        for disturbance, own, values in _iter_trials(found, shares, strengths):
            seed = generator.randint(2**31 - 1)
            for strength in values:
                score = undisturbed
                if disturbance not in MOVES or strength > 0:
                    disturbed = disturb_columns(
                        X, own, disturbance, strength, seed, files
                    )
                    with ignore_abstention():
                        score = scorer(estimator, disturbed, y)
                loss = undisturbed - score
                rows.append((name, disturbance, float(strength), score, loss))
    columns = ["modality", "disturbance", "strength", "score", "loss"]
    return pd.DataFrame(rows, columns=columns)


def _check_strengths(strengths, defaults):
    """Return the strengths by modality and disturbance, defaults where none is given.

    Both arguments are dicts of dicts; ``defaults`` is modified.
    """
    for modality, own in (strengths or {}).items():
        for name, values in own.items():
            if name not in defaults.get(modality, ()):
                raise ValueError(
                    f"strengths: there is no {name!r} of {modality!r}, only "
                    f"{ {known: list(own) for known, own in defaults.items()} }."
                )
            defaults[modality][name] = np.atleast_1d(values).tolist()
    return defaults


def _iter_trials(modalities, shares, strengths):
    """Yield disturbances, the columns that they apply to, and their strengths."""
    yield from ((move, modalities, shares) for move in MOVES)
    for name in dict.fromkeys(m.name for m in modalities.values() if m is not None):
        own = {
            key: modality
            for key, modality in modalities.items()
            if modality is not None and modality.name == name
        }
        for disturbance, values in strengths.get(name, {}).items():
            yield disturbance, own, values


def make_robustness_scorer(
    disturbance="missing", strength=0.3, *, modality=None, scoring=None, random_state=0
):
    """Make a scorer that disturbs the table before it scores.

    With it, :class:`~sklearn.model_selection.GridSearchCV` prefers estimators that
    still work when cells are missing or noisy.

    Parameters
    ----------
    disturbance : str, default="missing"
        "missing", "swapped", or another disturbance in :func:`robustness_report`.
    strength : float, default=0.3
        Its strength; for "missing" and "swapped", the share of the rows.
    modality : str, list of str or None, default=None
        The modality to disturb. Those in a list are disturbed together, in one table,
        with rows and noise drawn for each. By default, each modality that the
        disturbance applies to is disturbed by itself, and the result is the mean of
        their scores.
    scoring : str, callable or None, default=None
        A scorer or its name. By default, the estimator's ``score``.
    random_state : int, RandomState or None, default=0
        Draws rows and noise. An int draws the same ones in each call.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_mm.inspection import make_robustness_scorer
    >>> X, y = load_digits(n_class=2, return_X_y=True)
    >>> trees = HistGradientBoostingClassifier(max_iter=10)
    >>> scorer = make_robustness_scorer("missing", 0.3)
    >>> bool(cross_val_score(trees, X, y, scoring=scorer, cv=3).min() > 0.7)
    True
    """
    return partial(
        _score_disturbed,
        disturbance=disturbance,
        strength=strength,
        modality=modality,
        scoring=scoring,
        random_state=random_state,
    )


def _score_disturbed(
    estimator, X, y=None, *, disturbance, strength, modality, scoring, random_state
):
    X = read_table(X)
    parts = find_modalities(estimator, X)
    alone = modality is None
    chosen = list(parts) if alone else np.atleast_1d(modality).tolist()
    unknown = [name for name in chosen if name not in parts]
    if unknown:
        raise ValueError(f"there is no modality {unknown[0]!r}, only {list(parts)}.")
    generator = check_random_state(random_state)
    seeds = {name: generator.randint(2**31 - 1) for name in parts}
    declared = find_declared(estimator)
    disturbed, known, table = [], set(), X
    for name in chosen:
        files = find_files(estimator, name)
        found = find_column_modalities(X, parts[name], declared, files)
        own = set(MOVES).union(*map(list_disturbances, found.values()))
        known |= own
        if disturbance in own:
            table = disturb_columns(
                X if alone else table, found, disturbance, strength, seeds[name], files
            )
            disturbed.append(table)
    if disturbance not in known:
        raise ValueError(
            f"there is no disturbance {disturbance!r} for these cells, only "
            f"{sorted(known)}."
        )
    scorer, _ = find_scorer(estimator, scoring)
    with ignore_abstention():
        scores = [
            scorer(estimator, table, y) for table in disturbed[0 if alone else -1 :]
        ]
    return float(np.mean(scores))
