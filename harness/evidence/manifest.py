"""A manifest of evidence files with their SHA-256, signed with an Ed25519 key, and what differs from it later.

The signature covers the manifest's canonical JSON. It proves that nothing changed since somebody who has the key
signed. Whose key it is, only its fingerprint tells, compared with one that came another way.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from harness.errors import LocalError
from harness.evidence.run_store import EvidenceFile

MAX_KEY: Final = 16 * 1024
"""Bytes of a key's file."""
MAX_MANIFEST: Final = 128 * 1024 * 1024
"""Bytes of a manifest's file."""


class ManifestError(LocalError):
    """A key or a manifest can't be used."""


def make_key(path: Path) -> str:
    """Write a new private key (PEM, readable by its owner alone) and return its fingerprint. Raises ManifestError."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(pem)
    except FileExistsError:
        raise ManifestError(f"{path} is there already; a key is never written over") from None
    except OSError as error:
        raise ManifestError(f"{path}: the key can't be written: {error.strerror}") from error
    return fingerprint(_raw(key.public_key()))


def read_key(path: Path) -> Ed25519PrivateKey:
    """Return a private key. Raises ManifestError for a file that holds none, or one of another kind."""
    try:
        with path.open("rb") as file:
            key = load_pem_private_key(file.read(MAX_KEY), None)
    except OSError as error:
        raise ManifestError(
            f"{path}: the key can't be read: {error.strerror}; make one: iccs dossier key FILE"
        ) from error
    except (ValueError, TypeError) as error:
        raise ManifestError(f"{path}: found no key in PEM without a passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ManifestError(f"{path}: found another kind of key; allowed: Ed25519")
    return key


def fingerprint(public: bytes) -> str:
    """Return a public key's SHA-256 in hexadecimal."""
    return sha256(public).hexdigest()


def signed(files: Iterable[EvidenceFile], facts: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the manifest: files, what the signer says of them, public key and signature."""
    listed = [{"path": each.path, "size": each.size, "sha256": each.sha256} for each in files]
    content = {"facts": dict(facts), "files": listed}
    return {
        **content,
        "public_key": base64.b64encode(_raw(key.public_key())).decode(),
        "signature": base64.b64encode(key.sign(_canonical(content))).decode(),
    }


def differences(manifest: Path, root: Path, expected: str | None = None) -> tuple[list[str], str]:
    """Return what differs between a manifest and the files in ``root``, a line each, and the key's fingerprint.

    ``expected`` is the fingerprint that the key must have. Raises ManifestError for what is no manifest.
    """
    try:
        if manifest.stat().st_size > MAX_MANIFEST:
            raise ManifestError(f"{manifest}: more than {MAX_MANIFEST} bytes")
        told = json.loads(manifest.read_text(encoding="utf-8"))
        content = {"facts": told["facts"], "files": told["files"]}
        public = base64.b64decode(told["public_key"], validate=True)
        signature = base64.b64decode(told["signature"], validate=True)
        listed = [(str(each["path"]), str(each["sha256"])) for each in told["files"]]
        key = Ed25519PublicKey.from_public_bytes(public)
    except OSError as error:
        raise ManifestError(f"{manifest}: can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ManifestError(f"{manifest}: found no manifest of ours ({type(error).__name__})") from error
    found = []
    try:
        key.verify(signature, _canonical(content))
    except InvalidSignature:
        found.append(f"{manifest}: the signature does not fit: the manifest was changed")
    if expected is not None and fingerprint(public) != expected.lower():
        found.append(f"{manifest}: signed with the key {fingerprint(public)}, not {expected}")
    found += [line for path, digest in listed if (line := _changed(root, path, digest))]
    return found, fingerprint(public)


def _changed(root: Path, name: str, digest: str) -> str:
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        return f"{name}: outside the dossier's folder"
    try:
        with path.open("rb") as file:
            return "" if file_digest(file, "sha256").hexdigest() == digest else f"{name}: was changed"
    except FileNotFoundError:
        return f"{name}: is gone"
    except OSError as error:
        return f"{name}: can't be read: {error.strerror}"


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
