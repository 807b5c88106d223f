"""Listens to an RTP stream as FFmpeg hears it, run as a program: SDP file, seconds of sound, file for the samples.

Speech is written as 8,000 samples a second, 16 bits. FFmpeg's RTP, SRTP and jitter handling share nothing with ours.
"""

import sys
from pathlib import Path

import av


def main(description: str, seconds: float, target: str) -> None:
    options = {"protocol_whitelist": "file,crypto,rtp,udp,srtp", "reorder_queue_size": "0"}
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    with av.open(description, options=options, timeout=(20.0, 10.0)) as container, Path(target).open("wb") as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
        left = round(seconds * 8000)
        for frame in container.decode(audio=0):
            for narrow in resampler.resample(frame):
                samples = narrow.to_ndarray().reshape(-1)
                file.write(samples.astype("<i2").tobytes())
                left -= len(samples)
            if left <= 0:
                return


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3])
