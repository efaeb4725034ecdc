"""Models behind a web service: what docs/serving.md says, and what clients may send."""

import base64
import contextlib
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mm import (
    AudioLoader,
    AudioStatistics,
    HOGEncoder,
    ImageLoader,
    MultimodalVotingClassifier,
    NetClassifier,
    trusted_types,
)
from sklearn_mm.datasets import load_av_digits
from sklearn_mm.nets import ImageCNN

from .conftest import ROOT, encode_image

PAGE = (ROOT / "docs" / "serving.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.M | re.S)
#: The page's code that is no doctest.
SERVICE, LOAD_SKOPS, LOG, REQUEST = (code for kind, code in BLOCKS if not kind)


@pytest.fixture(scope="module")
def table():
    """Images and sounds as bytes, and their digits."""
    X, y = load_av_digits(return_X_y=True)
    images = [encode_image(image) for image in X["image"]]
    return pd.DataFrame({"image": images, "audio": X["audio"]}), np.asarray(y)


@pytest.fixture(scope="module")
def fusion(table):
    X, y = table
    image = make_pipeline(
        ImageLoader(on_error="missing", max_bytes=10**6),
        HOGEncoder(),
        LogisticRegression(),
    )
    audio = make_pipeline(
        AudioLoader(8000, on_error="missing", max_bytes=10**6),
        AudioStatistics(8000),
        StandardScaler(),
        LogisticRegression(),
    )
    fusion = MultimodalVotingClassifier(
        [("image", image, "image"), ("audio", audio, "audio")]
    )
    return fusion.fit(X[:400], y[:400])


@pytest.fixture(scope="module")
def net(table):
    X, y = table
    net = NetClassifier(ImageCNN, max_epochs=3, module__n_filters=4, random_state=0)
    return make_pipeline(ImageLoader(on_error="missing"), net).fit(X[["image"]], y)


@pytest.fixture(params=["joblib", "skops"])
def client(request, fusion, tmp_path, monkeypatch):
    """The documented service, run on a model that was saved in either way."""
    testclient = pytest.importorskip("fastapi.testclient")
    pytest.importorskip("python_multipart")
    code = SERVICE
    if request.param == "joblib":
        joblib.dump(fusion, tmp_path / "model.joblib")
    else:
        sio = pytest.importorskip("skops.io")
        sio.dump(fusion, tmp_path / "model.skops")
        code = code.replace('model = joblib.load("model.joblib")\n', LOAD_SKOPS)
        assert "joblib.load" not in code
    (tmp_path / "service.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("service", tmp_path / "service.py")
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():  # the service sets a filter
        spec.loader.exec_module(module)
        yield testclient.TestClient(module.app)


def test_the_documented_service_answers_uploads(client, fusion, table):
    X, _ = table
    row = X[400:401].reset_index(drop=True)
    image, audio = row.iloc[0]
    for files in ({"image": image, "audio": audio}, {"image": image}, {"audio": audio}):
        response = client.post("/predict", files=files)
        assert response.status_code == 200
        cells = {name: [files.get(name)] for name in row}
        expected = fusion.predict_proba(pd.DataFrame(cells, dtype=object))[0]
        answer = response.json()
        assert list(answer["probabilities"]) == [str(n) for n in fusion.classes_]
        given = list(answer["probabilities"].values())
        np.testing.assert_allclose(given, expected, rtol=1e-6)
        assert answer["class"] == str(fusion.classes_[expected.argmax()])


def test_the_documented_service_goes_by_the_other_modality_or_answers_422(
    client, table
):
    image, audio = table[0].iloc[400]
    alone = client.post("/predict", files={"audio": audio}).json()
    for broken in (b"not an image", image[:50], b"\0" * (10**6 + 1)):
        files = {"image": broken, "audio": audio}
        assert client.post("/predict", files=files).json() == alone
        response = client.post("/predict", files={"image": broken})
        assert response.status_code == 422
        assert "can be read" in response.json()["detail"]
    assert client.post("/predict").status_code == 422
    # A text is no path to a file of the server.
    response = client.post("/predict", data={"image": os.path.abspath(__file__)})
    assert response.status_code == 422


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """MLflow with stores of its own, and no calls home."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("skops")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # of mlflow-skinny, the only
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    yield mlflow
    mlflow.set_tracking_uri(before)


def test_the_documented_lines_log_a_model_that_mlflow_loads(mlflow, fusion, table):
    X, _ = table
    names = {"fusion": fusion}
    exec(LOG, names)
    expected = fusion.predict(X[400:])
    assert (names["same"].predict(X[400:]) == expected).all()
    pyfunc = mlflow.pyfunc.load_model(names["logged"].model_uri)
    assert (pyfunc.predict(X[400:]) == expected).all()


def test_mlflow_saves_a_pipeline_with_a_network(mlflow, net, table, tmp_path):
    X, _ = table
    mlflow.sklearn.save_model(
        net, tmp_path / "net", skops_trusted_types=trusted_types(), pip_requirements=[]
    )
    expected = net.predict(X[["image"]])
    for load in (mlflow.sklearn.load_model, mlflow.pyfunc.load_model):
        assert (load(str(tmp_path / "net")).predict(X[["image"]]) == expected).all()


class Server:
    """``mlflow models serve`` on a free port of this machine."""

    def __init__(self, folder, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        binaries = os.path.dirname(sys.executable)
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "models", "serve", "-m", folder),
                *("--env-manager", "local", "--host", "127.0.0.1"),
                *("--port", str(self.port)),
            ],
            env={
                **os.environ,
                "PATH": binaries + os.pathsep + os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def wait(self, seconds=120):
        """Return when it answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                return self.ask("ping")
            except OSError:
                try:
                    code = self.process.wait(timeout=0.2)
                except subprocess.TimeoutExpired:
                    continue
                raise AssertionError(f"the server ended with {code}") from None
        raise AssertionError(f"the server did not answer within {seconds} s")

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}",
            data,
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.read()

    def stop(self):
        """End it and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="ends a process group")
def test_mlflow_serves_bytes_in_base64(mlflow, fusion, table, tmp_path):
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    X, _ = table
    columns = [ColSpec("binary", "image"), ColSpec("binary", "audio")]
    mlflow.sklearn.save_model(
        fusion,
        tmp_path / "model",
        signature=ModelSignature(Schema(columns)),
        skops_trusted_types=trusted_types(),
        pip_requirements=[],
    )
    rows = X[400:406].copy()
    cells = [[base64.b64encode(c).decode() for c in row] for row in rows.to_numpy()]
    cells[1][0] = cells[2][1] = ""  # missing, as the documentation says
    rows.iloc[1, 0] = rows.iloc[2, 1] = None
    body = json.loads(REQUEST)
    assert body["dataframe_split"]["columns"] == list(rows)
    assert body["dataframe_split"]["data"][0][1] == ""
    body["dataframe_split"]["data"] = cells
    with open(tmp_path / "log", "wb") as log:
        server = Server(tmp_path / "model", log)
        try:
            server.wait()
            answer = json.loads(server.ask("invocations", body))
        finally:
            server.stop()
    assert answer["predictions"] == fusion.predict(rows).tolist()
