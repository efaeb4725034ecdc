"""Time several ways of doing one thing, interleaved, and print their ratios."""

import time
from statistics import median


def compare(title, ways, n_items, repeats=5):
    """Run every way ``repeats`` times in turns; print times and ratios to the first.

    Parameters
    ----------
    title : str
        What is done.
    ways : dict of str to callable
        The ways; the first is what a user would write.
    n_items : int
        Number of items that a call handles.
    repeats : int
        Number of rounds, after one that warms up.

    Returns
    -------
    dict of str to (float, float)
        For each way the median time per item in milliseconds, and the median over the
        rounds of the first way's time divided by its own.
    """
    times = {name: [] for name in ways}
    for _ in range(repeats + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    first = next(iter(ways))
    results = {}
    print(f"\n{title}\n{'':<44}{'ms/item':>10}{'ratio':>8}")
    for name in ways:
        rounds = list(zip(times[first], times[name]))[1:]
        results[name] = (
            median(own for _, own in rounds) / n_items * 1000,
            median(base / own for base, own in rounds),
        )
        print(f"{name:<44}{results[name][0]:>10.3f}{results[name][1]:>8.2f}")
    return results
