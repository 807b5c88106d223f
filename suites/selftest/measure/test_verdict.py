"""Verdicts on streams: each finding from its own cause, and the whole of a load in good time."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.endpoints.media import PortStats, Recording
from harness.endpoints.media.wav import read_wav
from harness.errors import LocalError
from harness.measure.verdict import Due, Flow, burst_ratio_of, judge, recognised
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.resample import converted

AUDIO = Path(__file__).parents[3] / "fixtures" / "audio"
ANNOUNCEMENT = read_wav(AUDIO / "call-taker.wav")
OTHERS = {name: read_wav(AUDIO / f"{name}.wav") for name in ("caller-999", "dispatch", "officer-reply")}

GOOD = PortStats(
    packets_sent=500,
    packets_received=500,
    jitter_ms=1.2,
    delay_ms=40.0,
    round_trip_ms=30.0,
    first_packet=10.1,
    first_voice=10.4,
    peer_lost=0,
)
STRICT = Due(codec="PCMA", first_audio_s=1.0, loss=0.01, jitter_ms=20, delay_ms=150, mos=4.0)


def heard(samples, lead=0.7):
    """A recording of samples over a G.711 path, after some silence."""
    law = CODECS["PCMA"]
    line = np.concatenate([np.zeros(round(lead * 8000), np.int16), samples, np.zeros(4000, np.int16)])
    return Recording(10.0, law.decode(law.encode(line)))


def test_a_good_stream_passes_and_tells_its_figures():
    verdict = judge(GOOD, since=10.0, due=STRICT)
    assert verdict.passed
    assert (verdict.codec, verdict.flow, verdict.first_audio_s, verdict.loss) == ("PCMA", Flow.BOTH, 0.4, 0.0)
    assert verdict.delay_ms == 15 + 40 + 20
    assert verdict.mos == pytest.approx(4.41, abs=0.01)
    assert verdict.correlation is None
    assert json.loads(json.dumps(verdict.as_json()))["flow"] == "both ways"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"codec": "PCMU"}, "codec PCMU, due PCMA"),
        ({"first_voice": None}, "no speech was heard, due within 1 s"),
        ({"first_voice": 12.5}, "speech was heard after 2.50 s, due within 1 s"),
        ({"lost": 20, "packets_received": 480}, "loss 4.00%, at most 1% is due"),
        ({"late": 30}, "loss 6.00%, at most 1% is due"),
        ({"jitter_ms": 35.0}, "jitter 35.00 ms, at most 20 ms is due"),
        ({"delay_ms": 180.0}, "delay 215.00 ms, at most 150 ms is due"),
        ({"packets_received": 3}, "audio only from us, due both ways"),
        ({"packets_sent": 0}, "audio only to us, due both ways"),
        ({"peer_lost": 499}, "audio only to us, due both ways"),
        ({"packets_sent": 0, "packets_received": 0}, "audio neither way, due both ways"),
    ],
)
def test_each_fault_is_a_finding_of_its_own(changed, told):
    verdict = judge(replace(GOOD, **changed), since=10.0, due=STRICT)
    assert not verdict.passed
    assert told in verdict.findings


def test_a_low_score_is_a_finding_with_its_figure():
    lossy = replace(GOOD, lost=100, packets_received=400, loss_bursts=20)
    verdict = judge(lossy, since=10.0, due=Due(mos=4.0))
    assert verdict.burst_ratio == pytest.approx(5 * 0.8)
    assert verdict.findings == (f"MOS {verdict.mos:.2f}, at least 4 is due",)
    random_ = judge(replace(lossy, loss_bursts=80), since=10.0)
    assert verdict.mos < random_.mos < 3


def test_a_measured_delay_is_taken_instead_of_an_estimate():
    assert judge(GOOD, since=10.0, delay_ms=280.0).mos < 4.1


def test_what_does_not_matter_is_no_finding():
    assert judge(PortStats(), since=0.0, due=Due(flow=None)).passed


def test_the_announcement_that_is_due_is_told_from_another():
    due = Due(reference=ANNOUNCEMENT)
    right = judge(GOOD, since=10.0, due=due, heard=heard(ANNOUNCEMENT))
    assert right.correlation > 0.9
    assert right.passed
    wrong = judge(GOOD, since=10.0, due=due, heard=heard(OTHERS["dispatch"]))
    assert wrong.correlation < 0.4
    assert "the words heard are not those due" in wrong.findings[0]
    silent = judge(GOOD, since=10.0, due=due, heard=heard(np.zeros(20_000, np.int16)))
    assert silent.correlation < 0.2


def test_half_an_announcement_is_not_the_announcement():
    half = judge(GOOD, since=10.0, due=Due(reference=ANNOUNCEMENT), heard=heard(ANNOUNCEMENT[: len(ANNOUNCEMENT) // 3]))
    assert not half.passed


def test_a_wideband_recording_is_compared_at_its_own_rate():
    wide = Recording(10.0, converted(heard(ANNOUNCEMENT).samples, 8000, 16_000), 16_000)
    assert judge(replace(GOOD, codec="G722"), since=10.0, due=Due(reference=ANNOUNCEMENT), heard=wide).passed


def test_the_announcement_that_was_heard_is_recognised():
    references = OTHERS | {"call-taker": ANNOUNCEMENT}
    assert recognised(references, heard(OTHERS["officer-reply"]))[0] == "officer-reply"
    name, likeness = recognised(references, heard(ANNOUNCEMENT))
    assert (name, likeness > 0.9) == ("call-taker", True)
    with pytest.raises(LocalError, match="no references"):
        recognised({}, heard(ANNOUNCEMENT))


def test_a_reference_without_a_recording_is_our_own_error():
    with pytest.raises(LocalError, match="nothing was recorded"):
        judge(GOOD, since=0.0, due=Due(reference=ANNOUNCEMENT))


def test_burst_ratios_of_random_and_of_clustered_losses():
    assert burst_ratio_of(0, 0, 100) == 1.0
    assert burst_ratio_of(10, 10, 100) == 1.0
    assert burst_ratio_of(50, 10, 1000) == pytest.approx(4.75)
