"""Other packages on the same tables, each in an environment of its own."""

import ast
from pathlib import Path

#: The modules of this folder that are peers, in the order of the tables.
PEERS = (
    "ours",
    "ours_pretrained",
    "by_hand",
    "with_skrub",
    "with_embetter",
    "with_mvlearn",
    "widedeep",
    "autogluon_tabular",
    "autogluon_multimodal",
    "with_ludwig",
    "tabpfn_images",
)

#: For each task the column whose cell goes missing, and whether it holds files.
MODALITIES = {
    "reviews": [("Review Text", False)],
    "digits": [("audio", True), ("image", True)],
    "emoji": [("image", True), ("annotation", False)],
    "houses": [("frontal", True), ("area", False)],
    "sentiment": [("text_cnn", False), ("text", False)],
}


def read_peer(peer):
    """Read what a peer's module says of itself, without importing the peer.

    Parameters
    ----------
    peer : str
        A module of this folder.

    Returns
    -------
    dict
        ``NAME``; ``REQUIREMENTS`` and ``CONSTRAINTS``, for pip; ``IMPORT``, the module
        whose import is timed; ``CANNOT``, why it has no such task; ``WITHOUT``, what it
        does not look at; ``TASKS``, the name of each task's function.
    """
    values = {"CONSTRAINTS": [], "CANNOT": {}, "WITHOUT": {}}
    tree = ast.parse((Path(__file__).parent / f"{peer}.py").read_text())
    for statement in tree.body:
        if not isinstance(statement, ast.Assign):
            continue
        name, value = statement.targets[0].id, statement.value
        if name == "TASKS":
            names = (node.id for node in value.values)
            values[name] = dict(zip(map(ast.literal_eval, value.keys), names))
        elif name in (*values, "NAME", "REQUIREMENTS", "IMPORT"):
            values[name] = ast.literal_eval(value)
    return values
