"""SRTP held against RFC 3711 as OpenSSL carries it out: the test vectors, and our packets opened by it alone."""

import hmac
import random
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import MediaError, RtpError
from harness.protocols.rtp import ReceiverReport, RtpPacket, build_compound
from harness.protocols.rtp.security import SUITES
from harness.protocols.rtp.srtp import MAX_PACKET, ReplayedError, SrtpSession, UnauthenticError
from suites.selftest.witness import need

TAGS = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}
COUNTER_MODE = sorted(TAGS)


def openssl_ctr(key, counter, data):
    """AES in counter mode, by OpenSSL."""
    command = [need("openssl", package="openssl"), "enc", "-aes-128-ctr", "-K", key.hex(), "-iv", counter.hex()]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=30).stdout


def derived(master, salt, label, size):
    """A session key (RFC 3711 section 4.3.1), with a key derivation rate of zero."""
    block = (int.from_bytes(salt) ^ label << 48) << 16
    return openssl_ctr(master, block.to_bytes(16), bytes(size))


def opened(packet, master_key, tag_size, *, control=False, roll_over=0):
    """The packet within, by RFC 3711 section 3.3 and 3.4 alone; fails where the tag is wrong."""
    master, salt = master_key[:16], master_key[16:]
    first = 3 if control else 0
    cipher, auth, session_salt = (
        derived(master, salt, first + label, size) for label, size in ((0, 16), (1, 20), (2, 14))
    )
    body, tag = packet[:-tag_size], packet[-tag_size:]
    if control:
        index = int.from_bytes(body[-4:])
        assert index >> 31 == 1  # encrypted
        index, head, ssrc, covered = index & 0x7FFFFFFF, body[:8], int.from_bytes(body[4:8]), body
        secret = body[8:-4]
    else:
        index = roll_over << 16 | int.from_bytes(body[2:4])
        head, ssrc, covered = body[:12], int.from_bytes(body[8:12]), body + roll_over.to_bytes(4)
        secret = body[12:]
    assert hmac.digest(auth, covered, "sha1")[:tag_size] == tag
    counter = int.from_bytes(session_salt) << 16 ^ ssrc << 64 ^ index << 16
    return head + openssl_ctr(cipher, counter.to_bytes(16), secret)


def pair(suite, seed=1):
    keys = random.Random(seed)
    ours, theirs = keys.randbytes(SUITES[suite]), keys.randbytes(SUITES[suite])
    return SrtpSession(suite, ours, theirs), SrtpSession(suite, theirs, ours), ours


def packet(sequence, ssrc=0x1234, size=160):
    return RtpPacket(8, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, ssrc, bytes(range(size % 256)) * 1).build()


@pytest.mark.witness("openssl")
def test_the_rfcs_own_vectors_come_out():
    """RFC 3711 appendix B.2 and B.3."""
    keystream = openssl_ctr(
        bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"), bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000"), bytes(32)
    )
    assert keystream.hex().upper() == "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"
    master, salt = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139"), bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert derived(master, salt, 0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derived(master, salt, 2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derived(master, salt, 1, 20).hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


@pytest.mark.witness("openssl")
@pytest.mark.parametrize("suite", COUNTER_MODE)
def test_our_packets_are_opened_by_openssl(suite):
    near, _, key = pair(suite)
    for sequence in (1, 2, 30_000, 60_000, 65_535):
        secured = near.protect(packet(sequence))
        assert packet(sequence)[12:] not in secured
        assert opened(secured, key, TAGS[suite]) == packet(sequence)
    assert opened(near.protect(packet(0)), key, TAGS[suite], roll_over=1) == packet(0)
    report = build_compound([ReceiverReport(0x1234)])
    # reports have the long tag with either suite (RFC 4568 section 6.2.2)
    assert opened(near.protect_control(report), key, 10, control=True) == report


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_what_is_secured_is_opened_and_nothing_else(suite):
    near, far, _ = pair(suite)
    secured = near.protect(packet(1))
    assert far.unprotect(secured) == packet(1)
    with pytest.raises(ReplayedError):
        far.unprotect(secured)
    _, stranger, _ = pair(suite, seed=2)
    with pytest.raises(UnauthenticError):
        stranger.unprotect(near.protect(packet(2)))
    changed = bytearray(near.protect(packet(3)))
    changed[20] ^= 1
    with pytest.raises(UnauthenticError):
        far.unprotect(bytes(changed))
    report = build_compound([ReceiverReport(0x1234)])
    assert far.unprotect_control(near.protect_control(report)) == report


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_lost_and_reordered_packets_across_a_roll_over_are_opened(suite):
    near, far, _ = pair(suite)
    secured = {sequence: near.protect(packet(sequence)) for sequence in range(65_500, 65_600)}
    order = [number for number in secured if number % 7]
    for at in range(1, len(order) - 2, 3):
        order[at], order[at + 1] = order[at + 1], order[at]
    for number in order:
        assert far.unprotect(secured[number]) == packet(number)


def test_another_ssrc_of_the_same_session_is_opened():
    near, far, _ = pair("AES_CM_128_HMAC_SHA1_80")
    for ssrc in (1, 2, 3):
        assert far.unprotect(near.protect(packet(9, ssrc))) == packet(9, ssrc)


@settings(max_examples=200)
@given(st.binary(max_size=2000), st.booleans())
def test_any_octets_are_refused_by_name(data, control):
    _, far, _ = pair("AES_CM_128_HMAC_SHA1_80")
    with pytest.raises(RtpError, match="SRTP"):
        (far.unprotect_control if control else far.unprotect)(data)


def test_what_can_not_be_secured_is_our_own_error():
    near, _, _ = pair("AES_CM_128_HMAC_SHA1_80")
    with pytest.raises(MediaError, match=f"at most {MAX_PACKET}"):
        near.protect(bytes(MAX_PACKET + 1))
    near.protect(packet(1))
    with pytest.raises(MediaError, match="replay"):
        near.protect(packet(1))
    with pytest.raises(MediaError, match="no SRTP suite"):
        SrtpSession("AES_256_CM_HMAC_SHA1_80", bytes(46), bytes(46))
    with pytest.raises(MediaError, match="do not fit"):
        SrtpSession("AES_CM_128_HMAC_SHA1_80", bytes(5), bytes(30))


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_the_longest_packet_is_secured_and_opened(suite):
    near, far, _ = pair(suite)
    longest = RtpPacket(8, 1, 0, 7, bytes(MAX_PACKET - 12)).build()
    assert far.unprotect(near.protect(longest)) == longest
