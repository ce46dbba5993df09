"""Bodies that no sensible client sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reelremix.daemon.bodies import MOST_BYTES, check_body
from reelremix.errors import ConfigError


@pytest.mark.parametrize(("body", "said"), [
    (b"\xff\xfe", "not text in UTF-8"),
    (b"{", "not JSON"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a": ' * 30 + b"1" + b"}" * 30, "nested too deeply"),
    (b'{"priority": ' + b"9" * 5000 + b"}", "not JSON"),
    (b'{"priority": 1e400}', "body.priority must be a number"),
    (b'{"priority": NaN}', "body.priority must be a number"),
    (b'{"days": 9007199254740993}', "body.days must be a number within"),
    (rb'{"ids": ["a", "b\u0000"]}', "body.ids[1] must not hold a null byte"),
    (rb'{"request": {"source": "/\ud800.mp4"}}', "body.request.source holds half a character"),
    (rb'{"options": {"c\udfff": 1}}', "a name in body.options holds half a character"),
    (rb'{"options": {"c\u0000": 1}}', "a name in body.options must not hold a null byte"),
])  # fmt: skip
def test_what_nothing_can_hold_is_refused_by_name(body: bytes, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_body(body)
    assert said in caught.value.message and len(caught.value.message) < 200


@pytest.mark.parametrize("body", [
    b"", b"null", b"{}", '{"origin": "é\U0001f600"}'.encode(), rb'"\ud83d\ude00"', b'{"a": -1.5}',
])  # fmt: skip
def test_anything_else_is_left_to_its_route(body: bytes) -> None:
    check_body(body)


def test_the_largest_body_holds_the_longest_request() -> None:
    longest: dict[str, Any] = {
        "source": "/" + "x/" * 2000,
        "vocabulary": ["name"] * 9999,
    }
    assert len(json.dumps(longest)) < MOST_BYTES
