from __future__ import annotations

from reelremix.engine.export.ranking import ranking_to_dict
from tests.engine.examples import MANIFEST


def test_a_ranking_of_nothing_says_why() -> None:
    document = ranking_to_dict([], MANIFEST.rejected, "nothing was found")
    assert document["candidates"] == [] and document["notice"] == "nothing was found"
    assert document["rejected"][0]["reason"] == "starts mid-thought"
