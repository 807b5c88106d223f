"""One-time codes: RFC 6238's own vectors, and which codes are taken when, and how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import OneTimeCodeError
from harness.protocols.totp import CodeCheck, code_of, secret_of, step_of

KEYS = {"sha1": b"12345678901234567890", "sha256": b"12345678901234567890123456789012"}
KEYS["sha512"] = (b"1234567890" * 7)[:64]
VECTORS = (
    (59, "94287082", "46119246", "90693936"),
    (1_111_111_109, "07081804", "68084774", "25091201"),
    (1_111_111_111, "14050471", "67062674", "99943326"),
    (1_234_567_890, "89005924", "91819424", "93441116"),
    (2_000_000_000, "69279037", "90698825", "38618901"),
    (20_000_000_000, "65353130", "77737706", "47863826"),
)


@pytest.mark.parametrize("vector", VECTORS)
def test_codes_are_those_of_rfc_6238_appendix_b(vector: tuple[int, str, str, str]) -> None:
    at, *codes = vector
    for (algorithm, key), code in zip(KEYS.items(), codes, strict=True):
        assert code_of(key, step_of(at), digits=8, algorithm=algorithm) == code


def test_codes_of_counters_are_those_of_rfc_4226_appendix_d() -> None:
    codes = [code_of(KEYS["sha1"], count) for count in range(10)]
    assert " ".join(codes) == "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489"


def test_a_code_is_taken_once_and_within_a_step_of_its_time() -> None:
    key, at = KEYS["sha1"], 1_000_000_000.0
    code = code_of(key, step_of(at))
    for late, right in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        assert CodeCheck(key).take(code, at + late) is right
    check = CodeCheck(key)
    assert check.take(code, at) and not check.take(code, at), "a replay"
    assert not check.take(code_of(key, step_of(at) - 1), at), "of before what was taken"
    assert check.take(code_of(key, step_of(at) + 1), at)


@given(st.text(max_size=12))
def test_what_is_no_code_is_not_taken(text: str) -> None:
    key, at = KEYS["sha1"], 1_000_000_000.0
    right = {code_of(key, step_of(at) + each) for each in (-1, 0, 1)}
    assert CodeCheck(key).take(text, at) is (text in right)


def test_secrets_are_read_as_authenticators_are_told_them() -> None:
    assert secret_of("gezd gnbv gy3t qojq GEZD GNBV GY3T QOJQ") == KEYS["sha1"]
    for wrong in ("", "A" * 8, "0189" * 8, "é" * 16):
        with pytest.raises(OneTimeCodeError):
            secret_of(wrong)
