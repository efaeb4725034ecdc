"""Time ways of doing one thing in turns, and set figures beside their targets."""

import argparse
import json
import time
from pathlib import Path
from statistics import median

#: What this process has measured, as ``record`` keeps it.
RECORDS = []


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
        print(
            f"{name:<44}{results[name][0]:>10.3f}{results[name][1]:>8.2f}", flush=True
        )
    return results


def record(work, against, value, unit="x", at_least=None, at_most=None, ms=None):
    """Keep a figure beside its target, for the table of ``python -m benchmarks``.

    Parameters
    ----------
    work, against : str
        What was measured, and what it is compared to.
    value : float
        The figure.
    unit : str
        Its unit; "x" is a ratio.
    at_least, at_most : float or None
        The target.
    ms : float or None
        The time of an item in milliseconds, if that says more.
    """
    target = None
    if at_least is not None:
        target, met = f">= {at_least:g}", value >= at_least
    elif at_most is not None:
        target, met = f"<= {at_most:g}", value <= at_most
    entry = {"work": work, "against": against, "value": float(value), "unit": unit}
    if target is not None:
        entry |= {"target": target, "met": bool(met)}
    if ms is not None:
        entry["ms"] = float(ms)
    RECORDS.append(entry)
    print(format_record(entry), flush=True)


def format_record(entry):
    """Write a figure and its target in a line."""
    figure = f"{entry['value']:.4g} {entry['unit']}"
    target = f"{entry['target']:>9}" if "target" in entry else ""
    mark = {True: "met", False: "MISSED"}.get(entry.get("met"), "")
    return f"{entry['work']:<52}{entry['against']:<34}{figure:>12} {target:<10}{mark}"


def run(main):
    """Run a benchmark as a script: ``[--quick] [--json FILE]``.

    Parameters
    ----------
    main : callable
        Takes ``quick``, whether few items and rounds will do.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="few items and rounds")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    main(options.quick)
    if options.json is not None:
        options.json.write_text(json.dumps(RECORDS))
