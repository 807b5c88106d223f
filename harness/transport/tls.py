"""TLS over any byte stream, real or virtual: contexts from files, and the pump between cipher text and plain text.

The pump is made of the standard library's SSLObject and memory buffers, not of the loop's own TLS: so TLS runs in
virtual time too, and a capture holds what really crossed, the cipher text.
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.errors import TransportError

READ_SIZE: Final = 16_384
"""Bytes of plain text taken at once: one TLS record (RFC 8446 §5.1)."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where certificates are, as PEM files; paths, so that no key is ever part of a value that is printed."""

    certificate: Path | None = None
    """Our certificate, with those that lead to the authority; a server needs one."""
    key: Path | None = None
    """Its private key; None where it is in the same file."""
    authority: Path | None = None
    """Who may have signed the peer's certificate; None: whoever the system trusts."""
    mutual: bool = False
    """Server: the client must show a certificate."""
    check_name: bool = True
    """Client: the certificate must name the host that was asked for."""


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """What a listening side needs: TLS 1.2 or later (RFC 8996). Raises TransportError on files that can't be used."""
    if files.certificate is None:
        raise TransportError("TLS: a listening side needs a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, files)
    if files.mutual:
        if files.authority is None:
            raise TransportError("TLS: mutual authentication needs the authority that signed the clients' certificates")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """What a connecting side needs: the peer's certificate is always checked. Raises TransportError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = files.check_name
    if files.authority is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    for path in (files.certificate, files.key, files.authority):
        if path is not None and not path.is_file():
            raise TransportError(f"TLS: there is no file {path}")
    try:
        if files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key)
        if files.authority is not None:
            context.load_verify_locations(files.authority)
    except (ssl.SSLError, OSError) as error:
        names = ", ".join(str(path) for path in (files.certificate, files.key, files.authority) if path is not None)
        raise TransportError(f"TLS: {names} can't be used: {_reason(error)}") from error


@dataclass(frozen=True, slots=True)
class TlsSession:
    """What a handshake settled."""

    version: str
    """`TLSv1.3`…"""
    cipher: str
    peer: str
    """The subject of the peer's certificate as `CN=…, O=…`; empty where it showed none."""
    peer_names: tuple[str, ...]
    """Its subject alternative names: hosts, addresses and URIs."""


class TlsPump:
    """One connection's TLS: cipher text in, plain text and cipher text out. No I/O of its own."""

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, server_name: str = "") -> None:
        """`server_name`: whom a client asks for (SNI, and the name that the certificate must hold)."""
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name or None
        )
        self.session: TlsSession | None = None
        """None until the handshake is over."""

    def start(self) -> bytes:
        """The first cipher text: the client's hello, or nothing."""
        self._shake()
        return self._outgoing.read()

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Take cipher text; returns plain text that it held, and cipher text to be sent.

        Raises TransportError where the handshake fails or the peer breaks the protocol; `alert` then says why to it.
        """
        self._incoming.write(data)
        if self.session is None:
            self._shake()
        plain = bytearray()
        if self.session is not None:
            try:
                while chunk := self._tls.read(READ_SIZE):
                    plain += chunk
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                pass
            except ssl.SSLError as error:
                raise TransportError(f"TLS: {_reason(error)}") from error
        return bytes(plain), self._outgoing.read()

    def send(self, data: bytes) -> bytes:
        """The cipher text of some plain text, once the handshake is over."""
        self._tls.write(data)
        return self._outgoing.read()

    def alert(self) -> bytes:
        """What is still to be sent after a failure: the alert that names it to the peer."""
        return self._outgoing.read()

    def finish(self) -> bytes:
        """Say that nothing more follows (close_notify)."""
        with contextlib.suppress(ssl.SSLError):  # the peer need not have said so yet
            self._tls.unwrap()
        return self._outgoing.read()

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise TransportError(f"TLS handshake failed: {_reason(error)}") from error
        cipher = self._tls.cipher()
        certificate = self._tls.getpeercert() or {}
        self.session = TlsSession(
            self._tls.version() or "", cipher[0] if cipher else "", _subject(certificate), _names(certificate)
        )


def _subject(certificate: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for part in certificate.get("subject", ()) for name, value in part)


def _names(certificate: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(value) for _, value in certificate.get("subjectAltName", ()))


def _reason(error: Exception) -> str:
    """OpenSSL's reason as words: `certificate verify failed: unable to get local issuer certificate`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error)
