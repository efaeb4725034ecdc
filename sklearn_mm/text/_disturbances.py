"""Disturbances of a text: typing errors, dropped words."""

import string

_LETTERS = string.ascii_lowercase


def misspell(cell, strength, generator):
    """Replace letters with other letters.

    Parameters
    ----------
    cell : str
        The text.
    strength : float
        Share of the letters.
    generator : Generator
        Draws the letters to replace and their replacements.

    Returns
    -------
    str
        A text of the same length.
    """
    characters = list(cell)
    letters = [i for i, character in enumerate(cell) if character.isalpha()]
    for i in _choose(letters, strength, generator):
        others = _LETTERS.replace(characters[i].lower(), "")
        letter = others[generator.integers(len(others))]
        characters[i] = letter.upper() if characters[i].isupper() else letter
    return "".join(characters)


def drop_words(cell, strength, generator):
    """Leave out words.

    Parameters
    ----------
    cell : str
        The text.
    strength : float
        Share of the words.
    generator : Generator
        Draws the words to drop.

    Returns
    -------
    str
        The other words, in their order.
    """
    words = cell.split()
    dropped = set(_choose(range(len(words)), strength, generator))
    return " ".join(word for i, word in enumerate(words) if i not in dropped)


def _choose(positions, share, generator):
    """Choose a share of positions, rounded up or down at random."""
    n_chosen = int(share * len(positions) + generator.random())
    order = generator.permutation(len(positions))
    return [positions[i] for i in order[:n_chosen]]


#: By name, each with its default strengths.
DISTURBANCES = {
    "typing errors": (misspell, (0.05, 0.1, 0.2)),
    "dropped words": (drop_words, (0.1, 0.3, 0.5)),
}
