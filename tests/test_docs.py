"""The documentation's own code: what its API pages list."""

import importlib.util

import pytest

import sklearn_mm

from .conftest import ROOT


@pytest.fixture(scope="module")
def conf():
    spec = importlib.util.spec_from_file_location("conf", ROOT / "docs" / "conf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def public_objects():
    """All that a user can reach through the packages' ``__all__``."""
    for name in sklearn_mm.__all__:
        value = getattr(sklearn_mm, name)
        if hasattr(value, "__all__"):
            yield from (getattr(value, inner) for inner in value.__all__)
        else:
            yield value


def test_the_api_lists_every_public_name_once(conf):
    paths = [path for group in conf.group_by_subject().values() for path in group]
    listed = []
    for path in paths:
        value = sklearn_mm
        for name in path.split("."):
            value = getattr(value, name)
        listed.append(id(value))
    assert len(set(listed)) == len(listed)
    assert set(listed) == {id(value) for value in public_objects()}


def test_every_public_name_has_a_subject_of_its_own(conf):
    assert "Other" not in conf.group_by_subject()


def test_a_name_goes_to_the_most_specific_subject(conf):
    groups = conf.group_by_subject()
    assert "SpeechRecognizer" in groups["Speech"]
    assert "NetClassifier" in groups["Networks"]
    assert "FusionWarning" in groups["Errors and warnings"]


LABEL = ".. _sphx_glr_auto_examples_a.py:\n\n"


def test_the_first_sentence_of_an_example_becomes_its_title(conf):
    source = [f"{LABEL}One line:\na title.\n\nMore text.\n"]
    conf.entitle_example(None, "auto_examples/a", source)
    assert source == [f"{LABEL}One line: a title\n{'=' * 17}\n\nMore text.\n"]


@pytest.mark.parametrize("docname", ["auto_examples/a", "tables"])
def test_a_title_that_is_there_stays(conf, docname):
    text = f"{LABEL}Title\n=====\n\nMore text.\n"
    source = [text]
    conf.entitle_example(None, docname, source)
    assert source == [text]
