"""Audio as pipes and concatenation leave it: read to the end, or refused.

SKLEARN_MM_FUZZ multiplies the number of files; see benchmarks/README.md, "Robustness".
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_mm import AudioLoader, LoadError

from .hostile import examples
from .pipes import FILES, RATE


@pytest.mark.parametrize("kind", FILES)
@examples(15)
@given(st.data())
def test_audio_is_read_to_its_end(kind, data):
    file = data.draw(FILES[kind])
    (loaded,) = AudioLoader(RATE).transform([file.data])
    assert loaded.shape == file.signal.shape
    known = ~np.isnan(file.signal)
    np.testing.assert_allclose(loaded[known], file.signal[known], atol=1e-6)


@pytest.mark.parametrize("kind", FILES)
@examples(8)
@given(st.data())
def test_audio_that_is_cut_off_is_refused(kind, data):
    file = data.draw(FILES[kind].filter(lambda file: file.ends is not None))
    end = data.draw(st.integers(1, len(file.data) - 1))
    try:
        (loaded,) = AudioLoader(RATE).transform([file.data[:end]])
    except LoadError:
        return
    n_bytes = len(file.data) - end
    is_whole = loaded.shape == file.signal.shape
    assert is_whole or end in file.ends, f"{n_bytes} bytes are lost"
