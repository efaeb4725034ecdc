"""The page of results, made of what the runs wrote."""

from benchmarks.peers import MODALITIES, PEERS

HEAD = """# Against the others

Made by `python -m benchmarks.peers` on {date} ({system}, {machine}, {cores} cores,
Python {python}); no figure here is typed in. Each peer has an environment of its own
with torch constrained, and does each task in a process of its own: the first split of
the tasks in `benchmarks/tasks.py`, whose data are real. What each does is in the file
of its name here; nothing was tuned to the tests. Where a training takes a limit of time
it has one, which that file says: on this machine the fine-tuning of large networks ends
by it, long before it is done.

- *lines*: of code for the task, its helpers and imports included. Half of AutoGluon
  MultiModal's read its networks from packages, which elsewhere it downloads.
- *MB*: the most memory of the process, its children's included.
- *broken*: one file of twenty rows is cut off in the middle, then `predict`. *missing*:
  one cell of the task's first modality is None. *answers, others change*: rows that
  were not touched get other predictions.
- *Pipeline*, *GridSearchCV*: of the package's own estimator, or that there is none;
  *joblib*: the fitted model gives the same in another process.
"""
SCORES = {
    "reviews": "F1 of who recommends",
    "digits": "accuracy, by voice and handwriting of others",
    "emoji": "accuracy",
    "houses": "R² of the logarithm of the price",
    "sentiment": "accuracy",
}


def write_page(results):
    """Write the page.

    Parameters
    ----------
    results : dict
        By peer what was found, and "machine".

    Returns
    -------
    str
        Markdown.
    """
    peers = [peer for peer in PEERS if peer in results]
    parts = [HEAD.format(**results["machine"]), list_peers(results, peers)]
    for task in MODALITIES:
        rows = [peer for peer in peers if task in results[peer]["tasks"]]
        if rows:
            parts.append(f"## {task}: {SCORES[task]}\n")
            parts.append(list_figures(results, rows, task))
            parts.append(list_checks(results, rows, task))
    return "\n".join(parts)


def make_table(heads, rows):
    """Write a table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    lines = [" | ".join(str(cell).replace("|", "/") for cell in line) for line in lines]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def list_peers(results, peers):
    """List versions and seconds of the import, or what is in the way."""
    rows = []
    for peer in peers:
        entry = results[peer]
        versions = [f"{k} {v}" for k, v in entry["versions"].items() if v is not None]
        seconds = f"{entry['import']:.2f}" if "import" in entry else ""
        why_not = entry.get("error", "")
        rows.append([entry["name"], ", ".join(versions), seconds, why_not])
    return make_table(["", "versions", "import, s", "why not"], rows)


def list_figures(results, peers, task):
    """List lines, scores, seconds and memory of a task, the best score first."""
    found = [(results[peer]["name"], results[peer]["tasks"][task]) for peer in peers]
    found.sort(key=lambda pair: -pair[1].get("score", float("-inf")))
    rows = []
    for name, figures in found:
        if "score" not in figures:
            reason = figures.get("cannot") or figures.get("error", "")
            rows.append([name, "", "", "", "", "", reason])
            continue
        row = [name, figures["lines"], f"{figures['score']:.3f}"]
        row += [f"{figures['fit']:.1f}", f"{figures['predict']:.2f}"]
        remark = figures.get("error", "")
        if figures["without"]:
            remark = "; ".join([f"without {', '.join(figures['without'])}", remark])
        rows.append([*row, f"{figures['memory'] / 2**20:,.0f}", remark.strip("; ")])
    return make_table(["", "lines", "score", "fit, s", "predict, s", "MB", ""], rows)


def list_checks(results, peers, task):
    """List what goes wrong and what works, of those that have a score."""
    checks = ["broken", "missing", "pipeline", "grid", "joblib"]
    rows = [
        [results[peer]["name"], *(figures.get(check, "") for check in checks)]
        for peer in peers
        if "score" in (figures := results[peer]["tasks"][task])
    ]
    heads = ["", "broken file", "missing cell", "Pipeline", "GridSearchCV", "joblib"]
    return make_table(heads, rows)
