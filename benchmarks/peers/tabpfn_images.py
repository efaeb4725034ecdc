"""TabPFN with pictures, by tabpfn-extensions. https://github.com/PriorLabs"""

from tabpfn import TabPFNClassifier, TabPFNRegressor
from tabpfn_extensions.image import TabPFNWithImages

NAME = "tabpfn-extensions, images"
REQUIREMENTS = ["tabpfn-extensions[image]"]
CONSTRAINTS = ["torch==2.14.1", "torchvision==0.29.1"]
IMPORT = "tabpfn_extensions.image"
CANNOT = {
    "reviews": "no pictures in it",
    "digits": "no sound",
    "sentiment": "no pictures in it",
}


def emoji():
    return TabPFNWithImages(TabPFNClassifier(), image_features_indices=[0])


def houses():
    photos = [4, 5, 6, 7]  # positions in the table
    return TabPFNWithImages(TabPFNRegressor(), image_features_indices=photos)


TASKS = {"emoji": emoji, "houses": houses}
