"""Make the table by which ``fetch_av_digits`` pairs and verifies what it downloads.

    python tools/make_av_digits_index.py DATA_HOME/av_digits \
        sklearn_mm/datasets/data/av_digits_real.csv.gz

DATA_HOME/av_digits holds index.csv, audio/*.wav (the Free Spoken Digit Dataset) and
image/*.png (from the MNIST test file, paired as index.csv's mnist_test_index says).
"""

import sys
from pathlib import Path

import cv2
import pandas as pd

from sklearn_mm.datasets._fetch_av_digits import digest


def main(folder, path):
    index = pd.read_csv(folder / "index.csv", dtype=str)
    index["audio_digest"] = [digest((folder / f).read_bytes()) for f in index["audio"]]
    index["image_digest"] = [
        digest(cv2.imread(str(folder / f), cv2.IMREAD_UNCHANGED).tobytes())
        for f in index["image"]
    ]
    # A fixed time: the same input makes the same file.
    compression = {"method": "gzip", "mtime": 0, "compresslevel": 9}
    index.to_csv(path, index=False, compression=compression)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
