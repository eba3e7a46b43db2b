"""The labels of the worlds."""

from __future__ import annotations

from leaps_core import models
from leaps_core.models.worlds import listed


def test_labels_are_those_of_the_libraries() -> None:
    from torchvision.models.video import R3D_18_Weights

    names = models.labels("kinetics400")
    assert list(names) == R3D_18_Weights.KINETICS400_V1.meta["categories"] == sorted(names)
    assert (names[0], names[169], names[399]) == ("abseiling", "juggling balls", "zumba")
    ssv2 = models.labels("ssv2")
    assert len(set(ssv2)) == 174 and list(ssv2) == sorted(ssv2, key=str.lower)


def test_labels_files_hold_the_same_classes() -> None:
    assert sorted(listed("kinetics400_uniformerv2")) == list(listed("kinetics400"))
