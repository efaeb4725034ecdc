"""Compare fusion rules with missing or conflicting modalities and label noise.

python -m benchmarks.bench_conflict [--quick]

The data home (SKLEARN_MM_DATA) must hold av_digits, mosi and houses.
"""

import warnings
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from benchmarks import harness
from benchmarks.views import digits, digits_heard, houses, mosi
from sklearn_mm import MultimodalStackingClassifier, MultimodalVotingClassifier
from sklearn_mm.ensemble import LogLinearPool

RULES = {
    "soft": "soft",
    "product": "product",
    "log-linear": LogLinearPool(divide_prior=True),
}
#: Numbers of training rows of each table; None for all.
SIZES = {
    digits: (150, 450, None),
    digits_heard: (150, 450),
    mosi: (150, None),
    houses: (150, None),
}
#: How many times the test rows of a split are corrupted.
N_DRAWS = 3


@dataclass(frozen=True)
class Condition:
    """Shares of missing cells per modality, of rows in conflict, of wrong labels."""

    name: str
    train_missing: float = 0.0
    test_missing: float = 0.0
    conflict: float = 0.0
    label_noise: float = 0.0


CONDITIONS = (
    Condition("complete"),
    *(Condition(f"{s:.0%} missing in training", s) for s in (0.1, 0.3, 0.5)),
    *(Condition(f"{s:.0%} missing in prediction", 0, s) for s in (0.1, 0.3, 0.5)),
    *(Condition(f"{s:.0%} missing in both", s, s) for s in (0.1, 0.3, 0.5)),
    *(Condition(f"{s:.0%} in conflict", conflict=s) for s in (0.2, 0.4)),
    *(Condition(f"{s:.0%} label noise", label_noise=s) for s in (0.2, 0.4)),
)


class Remembered(ClassifierMixin, BaseEstimator):
    """A model that is fitted once per training set, as fusions share their members."""

    memory = {}  # of all instances: fitted models, and predictions by them

    def __init__(self, name, model):
        self.name = name
        self.model = model

    def fit(self, X, y):
        self.key_ = (self.name, digest(X), digest(y))
        if self.key_ not in self.memory:
            self.memory[self.key_] = self.model.fit(X, y)
        self.classes_ = self.memory[self.key_].classes_
        return self

    def predict_proba(self, X):
        key = (*self.key_, digest(X))
        if key not in self.memory:
            self.memory[key] = self.memory[self.key_].predict_proba(X)
        return self.memory[key]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def digest(array):
    """Hash an array's values."""
    return blake2b(np.ascontiguousarray(array), digest_size=16).digest()


def drop_cells(X, columns, share, rng):
    """Remove a share of each modality's cells, but never all cells of a row."""
    lost = rng.random((len(X), len(columns))) < share
    kept = rng.integers(len(columns), size=len(X))
    everything = np.flatnonzero(lost.all(axis=1))
    lost[everything, kept[everything]] = False
    X = X.copy()
    for part, rows in zip(columns.values(), lost.T):
        X[rows, part] = np.nan
    return X


def swap_cells(X, y, columns, share, rng):
    """Replace one modality of a share of the rows by that of a row of another class.

    Z. Xu, J. Si, Z. Guan, W. Zhao, Y. Wu and X. Gao (2024), "Reliable conflictive
    multi-view learning", AAAI.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The table.
    swapped : ndarray of shape (n_samples,), bool
        The rows in conflict.
    """
    corrupted, swapped = X.copy(), np.zeros(len(X), dtype=bool)
    parts = list(columns.values())
    for row in rng.permutation(len(X))[: round(share * len(X))]:
        part = parts[rng.integers(len(parts))]
        donor = rng.choice(np.flatnonzero(y != y[row]))
        corrupted[row, part], swapped[row] = X[donor, part], True
    return corrupted, swapped


def mislabel(y, share, rng):
    """Replace a share of the labels by other classes."""
    classes, codes = np.unique(y, return_inverse=True)
    wrong = rng.permutation(len(y))[: round(share * len(y))]
    codes[wrong] += rng.integers(1, len(classes), size=len(wrong))
    return classes[codes % len(classes)]


def make_fusions(members, cv=None):
    """Make the fusions to compare, by name."""
    fusions = {
        "soft, confidence": MultimodalVotingClassifier(
            members, weights="confidence", cv=cv
        ),
        "hard": MultimodalVotingClassifier(members, voting="hard"),
        "stacking": MultimodalStackingClassifier(members, cv=cv),
    }
    for name, rule in RULES.items():
        equal = MultimodalVotingClassifier(members, voting=rule, cv=cv)
        fusions[name] = equal
        fusions[f"{name}, learned"] = clone(equal).set_params(weights="learned")
    return {name: fusions[name] for name in sorted(fusions)}


def fit_fusions(views, rows, X, y, make):
    """Fit the fusions, and the modality with the best out-of-fold accuracy alone."""
    members = [(n, Remembered(n, model), c) for n, model, c in views.make_members()]
    params, cv = {}, None
    if views.groups is not None:
        params["groups"] = views.groups[rows]
        cv = GroupKFold(min(5, len(np.unique(params["groups"]))))
    guarded = MultimodalStackingClassifier(members, guard=True, cv=cv)
    scores = guarded.fit(X, y, **params).unimodal_scores_
    best = max(scores, key=scores.get)
    others = {name: "drop" for name in scores if name != best}
    alone = MultimodalVotingClassifier(members).set_params(**others)
    fusions = {n: each.fit(X, y, **params) for n, each in make(members, cv).items()}
    return fusions | {"stacking, guard": guarded, "best alone": alone.fit(X, y)}


def score(fusion, X, y):
    """Compute accuracy and log-loss, NaN for fusions without probabilities."""
    accuracy = np.mean(fusion.predict(X) == y)
    if not hasattr(fusion, "predict_proba"):
        return accuracy, np.nan
    proba = fusion.predict_proba(X)
    true = proba[np.arange(len(y)), np.searchsorted(fusion.classes_, y)]
    return accuracy, -np.log(np.maximum(true, 1e-15)).mean()


def score_split(views, train, test, seed, make=make_fusions):
    """Score the fusions on one split under each condition.

    Yields
    ------
    condition, fusion : str
        What is scored; the fusion "disagreement" is how well it finds conflicts.
    scores : tuple of (float, float)
        Accuracy and log-loss; area under the ROC curve and NaN.
    """
    columns = views.columns
    X, y, X_test, y_test = views.X[train], views.y[train], views.X[test], views.y[test]
    for corruption in dict.fromkeys(
        (c.train_missing, c.label_noise) for c in CONDITIONS
    ):
        Remembered.memory.clear()
        rng = np.random.default_rng([seed, 0])
        X_train = drop_cells(X, columns, corruption[0], rng)
        labels = mislabel(y, corruption[1], rng)
        fusions = fit_fusions(views, train, X_train, labels, make)
        for condition in CONDITIONS:
            if (condition.train_missing, condition.label_noise) != corruption:
                continue
            is_corrupted = condition.test_missing or condition.conflict
            for draw in range(N_DRAWS if is_corrupted else 1):
                rng = np.random.default_rng([seed, draw])
                table = drop_cells(X_test, columns, condition.test_missing, rng)
                table, swapped = swap_cells(
                    table, y_test, columns, condition.conflict, rng
                )
                for name, fusion in fusions.items():
                    yield condition.name, name, score(fusion, table, y_test)
                if condition.conflict:
                    found = fusions["soft"].disagreement(table)
                    area = roc_auc_score(swapped, found)
                    yield condition.name, "disagreement", (area, np.nan)


def score_table(load, size, seeds, make=make_fusions):
    """Average over splits, draws and seeds: ``{condition: {fusion: scores}}``."""
    scores = {condition.name: {} for condition in CONDITIONS}
    for seed in seeds:
        views = load(seed)
        for train, test in views.splits:
            train = np.random.default_rng(seed).permutation(train)[:size]
            for condition, name, pair in score_split(views, train, test, seed, make):
                scores[condition].setdefault(name, []).append(pair)
    return {
        condition: {name: np.mean(pairs, axis=0) for name, pairs in row.items()}
        for condition, row in scores.items()
    }


def print_table(title, rows, metric):
    """Print a Markdown table of one metric: conditions and fusions."""
    names = [name for name in rows["complete"] if name != "disagreement"]
    print(f"\n{title}\n\n| | {' | '.join(names)} |")
    print(f"| --- |{' --- |' * len(names)}")
    for condition, scores in rows.items():
        cells = (scores[name][metric] for name in names)
        figures = " | ".join("" if np.isnan(c) else f"{c:.3f}" for c in cells)
        print(f"| {condition} | {figures} |", flush=True)


def print_overview(results, metric):
    """Print the means over tables and shares, by kind of condition."""
    kinds = {}
    for rows in results.values():
        for condition, scores in rows.items():
            kinds.setdefault(condition.split("% ")[-1], []).append(scores)
    means = {
        kind: {
            name: np.mean([scores[name] for scores in rows], axis=0) for name in rows[0]
        }
        for kind, rows in kinds.items()
    }
    print_table(
        f"mean over all tables: {('accuracy', 'log-loss')[metric]}", means, metric
    )


def summarize_learning(results):
    """Print and record the difference of learned and equal weights over all rows."""
    print("\n| learned - equal | accuracy | worst row | of it | < -.003 | log-loss |")
    print("| --- | --- | --- | --- | --- | --- |")
    records = []
    for rule in RULES:
        changes = {
            f"{table}, {condition}": scores[f"{rule}, learned"] - scores[rule]
            for table, rows in results.items()
            for condition, scores in rows.items()
        }
        accuracy, loss = np.transpose(list(changes.values()))
        worst = min(changes, key=lambda row: changes[row][0])
        n_below = f"{(accuracy < -0.003).sum()} of {len(accuracy)}"
        print(
            f"| {rule} | {accuracy.mean():+.4f} | {worst} | {accuracy.min():+.4f} | "
            f"{n_below} | {loss.mean():+.4f} |"
        )
        records.append((rule, accuracy.min(), loss.mean()))
    print()
    for rule, worst, loss in records:
        work = f"{rule}, learned weights"
        harness.record(f"{work}, worst accuracy", "equal weights", worst, "", -0.003)
        harness.record(f"{work}, mean log-loss", "equal weights", loss, "", at_most=0)


def summarize_stacking(results):
    """Record how far guarded stacking falls below equal votes and the best modality."""
    gaps = {
        f"{table}, {condition}": scores["stacking, guard"][0]
        - max(scores["soft"][0], scores["best alone"][0])
        for table, rows in results.items()
        for condition, scores in rows.items()
    }
    worst = min(gaps, key=gaps.get)
    print(f"\nstacking with guard loses most on: {worst}")
    work = "stacking, guard, worst accuracy"
    harness.record(work, "equal vote, best alone", gaps[worst], "")


def summarize_conflicts(results):
    """Print and record how well disagreement finds the rows in conflict."""
    names = [c.name for c in CONDITIONS if c.conflict]
    areas = {
        table: [rows[name]["disagreement"][0] for name in names]
        for table, rows in results.items()
    }
    print(f"\n| disagreement: ROC AUC | {' | '.join(names)} |")
    print(f"| --- |{' --- |' * len(names)}")
    for table, values in areas.items():
        print(f"| {table} | {' | '.join(f'{value:.3f}' for value in values)} |")
    print()
    for name, area in zip(names, areas["digits"]):
        work = f"disagreement, digits, {name}"
        harness.record(work, "area under the ROC curve", area, "", 0.9)


def main(quick=False):
    warnings.simplefilter("ignore")
    results = {}
    for load, sizes in SIZES.items():
        for size in sizes[-1:] if quick else sizes:
            title = load.__name__ if size is None else f"{load.__name__}, {size} rows"
            results[title] = score_table(load, size, range(1 if quick else 3))
            print_table(f"{title}: accuracy", results[title], 0)
            print_table(f"{title}: log-loss", results[title], 1)
    for metric in (0, 1):
        print_overview(results, metric)
    summarize_learning(results)
    summarize_stacking(results)
    summarize_conflicts(results)


if __name__ == "__main__":
    harness.run(main)
