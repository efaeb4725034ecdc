"""How the score falls as modalities go missing, are mixed up, or become noisy."""

from functools import partial

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length

from ._cells import as_table, count_rows
from ._disturb_table import DISTURBANCES, MOVES, disturb_columns, find_files, find_kinds
from ._modalities import find_modalities
from ._predictions import find_scorer, quiet


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
    """Score an estimator while one modality after the other is disturbed.

    Parameters
    ----------
    estimator : estimator
        A fitted fusion estimator, joint net, pipeline or search of these, or any
        estimator over a table that takes missing cells.
    X : DataFrame, ndarray or dict of arrays, with n_samples rows
        The table; rows that were not fitted on. It stays as it is.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Target.
    modalities : dict of str to columns or None, default=None
        Columns of each modality. By default those of the estimator's own specs; if it
        has none, or they overlap or choose by a callable, each column is a modality.
    scoring : str, callable or None, default=None
        A scorer or its name; by default the estimator's own score.
    shares : sequence of float, default=(0, 0.1, 0.3, 0.5, 0.7)
        Shares of the rows from which the modality is "missing", or which get another
        row's cells ("swapped").
    strengths : dict of str to dict, or None, default=None
        Strengths of the other disturbances, in place of those in the table below:
        ``{"audio": {"noise": (30, 20)}}``; an empty tuple leaves one out.
    random_state : int, RandomState or None, default=None
        Draws rows and noise, the same for all strengths of a disturbance.

    Returns
    -------
    DataFrame
        Columns ``modality``, ``disturbance``, ``strength``, ``score``, and ``loss``,
        what is lost of the undisturbed table's score.

    Notes
    -----
    ========  =============  ==================================================
    cells     disturbance    strength (default)
    ========  =============  ==================================================
    image     blur           sigma, share of the shorter side (0.02, 0.05, 0.1)
    image     noise          standard deviation; white is 1 (0.1, 0.2, 0.4)
    image     occlusion      share of the area (0.1, 0.3, 0.5)
    audio     noise          signal-to-noise ratio in dB (20, 10, 0)
    text      typing errors  share of the letters (0.05, 0.1, 0.2)
    text      dropped words  share of the words (0.1, 0.3, 0.5)
    sequence  jitter         in standard deviations of the channel (0.1, 0.3, 1)
    numeric   noise          in standard deviations of the column (0.1, 0.3, 1)
    vector    noise          the same, number by number (0.1, 0.3, 1)
    ========  =============  ==================================================

    What a column holds is found from its cells. Files are decoded, and handed over as
    arrays; cells that are missing or cannot be read stay as they are.

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
    X = as_table(X)
    check_consistent_length(np.empty(count_rows(X)), y)
    parts = find_modalities(estimator, X, modalities)
    scorer, _ = find_scorer(estimator, scoring)
    strengths = _check_strengths(strengths)
    generator = check_random_state(random_state)
    whole = scorer(estimator, X, y)
    rows = []
    for name, keys in parts.items():
        files = find_files(estimator, name)
        kinds = find_kinds(X, keys, files)
        for disturbance, own, values in _list_trials(kinds, shares, strengths):
            seed = generator.randint(2**31 - 1)
            for strength in values:
                score = whole
                if disturbance not in MOVES or strength > 0:
                    disturbed = disturb_columns(
                        X, own, disturbance, strength, seed, files
                    )
                    with quiet():
                        score = scorer(estimator, disturbed, y)
                row = (name, disturbance, float(strength), score, whole - score)
                rows.append(row)
    columns = ["modality", "disturbance", "strength", "score", "loss"]
    return pd.DataFrame(rows, columns=columns)


def _check_strengths(strengths):
    """Give the strengths by kind and disturbance, the user's in place of ours."""
    known = {
        kind: {name: values for name, (_, values) in own.items()}
        for kind, own in DISTURBANCES.items()
    }
    for kind, own in (strengths or {}).items():
        for name, values in own.items():
            if name not in known.get(kind, ()):
                raise ValueError(
                    f"strengths: there is no {name!r} of {kind!r}, only "
                    f"{ {kind: list(own) for kind, own in known.items()} }."
                )
            known[kind][name] = np.atleast_1d(values).tolist()
    return known


def _list_trials(kinds, shares, strengths):
    """List disturbances of a modality, the columns that each is for, its strengths."""
    yield from ((move, kinds, shares) for move in MOVES)
    for kind in dict.fromkeys(kinds.values()):
        own = {key: found for key, found in kinds.items() if found == kind}
        for disturbance, values in strengths.get(kind, {}).items():
            yield disturbance, own, values


def make_robustness_scorer(
    disturbance="missing", strength=0.3, *, modality=None, scoring=None, random_state=0
):
    """Make a scorer that disturbs the table first.

    So that :class:`~sklearn.model_selection.GridSearchCV` prefers what still works when
    cells are missing or noisy.

    Parameters
    ----------
    disturbance : str, default="missing"
        "missing", "swapped", or one of those that :func:`robustness_report` lists.
    strength : float, default=0.3
        Its strength: of "missing" and "swapped" the share of the rows.
    modality : str or None, default=None
        What is disturbed; by default each modality by itself, of those that the
        disturbance is for.
    scoring : str, callable or None, default=None
        A scorer or its name; by default the estimator's own score.
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
    X = as_table(X)
    parts = find_modalities(estimator, X)
    if modality is not None and modality not in parts:
        raise ValueError(f"there is no modality {modality!r}, only {list(parts)}.")
    generator = check_random_state(random_state)
    known = []
    for name, keys in parts.items():
        seed = generator.randint(2**31 - 1)
        if modality not in (None, name):
            continue
        files = find_files(estimator, name)
        kinds = find_kinds(X, keys, files)
        own = {*MOVES, *(d for k in kinds.values() for d in DISTURBANCES.get(k, ()))}
        known.extend(own)
        if disturbance in own:
            X = disturb_columns(X, kinds, disturbance, strength, seed, files)
    if disturbance not in known:
        raise ValueError(
            f"there is no disturbance {disturbance!r} for these cells, only "
            f"{sorted(set(known))}."
        )
    with quiet():
        return find_scorer(estimator, scoring)[0](estimator, X, y)
