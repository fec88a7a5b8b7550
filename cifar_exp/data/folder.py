"""Images of the user's own, by class."""

import hashlib
import json
from functools import partial

from cifar_exp.config.schema import DataSection
from cifar_exp.data.cache import cached
from cifar_exp.data.class_folders import decode, list_split
from cifar_exp.data.dataset import Dataset, Report


def load_folder(section: DataSection, report: Report) -> Dataset:
    """root/train/<class>/* and root/test/<class>/*: any classes, any sizes.

    The fingerprint covers pixels and class names. Raises UserError, naming folder or file.
    """
    root = section.folder
    train = list_split(root / "train")
    test = list_split(root / "test", train.class_names, "; train and test have the same classes")
    size = section.image_size
    digest = hashlib.sha256(json.dumps(train.class_names).encode())
    sets = {}
    for split, listing in (("train", train), ("test", test)):
        sets[split], pixels = cached(
            f"{listing.signature} {size}", partial(decode, listing, size, report)
        )
        digest.update(f"{pixels} {[len(names) for names in listing.files]}".encode())
    return Dataset(
        name="folder",
        fingerprint=digest.hexdigest(),
        class_names=train.class_names,
        superclasses=None,
        train=sets["train"],
        test=sets["test"],
    )
