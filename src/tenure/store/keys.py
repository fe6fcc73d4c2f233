"""The key an installation signs with: made at first use, readable by its owner alone."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from tenure.core.errors import StoreError

PRIVATE, PUBLIC = "audit.pem", "audit.pub.pem"


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The key of this installation, made at first use for its owner alone, with the public key beside it.

    Raises:
        StoreError: the folder cannot be written, or holds something else.
    """
    path = folder / PRIVATE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, type(key).__name__)
    return key


def public_key(folder: Path) -> Ed25519PublicKey:
    """The key that checks what was signed; for an auditor the public file is enough.

    Raises:
        StoreError: there is none.
    """
    path = folder / PUBLIC
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable(path, type(key).__name__)
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """By what a checkpoint names its key."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _make(path: Path) -> None:
    """Write a new key pair; whoever else does the same at the same time, one of them stays."""
    key = Ed25519PrivateKey.generate()
    mine = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(mine, path)
    except FileExistsError:
        return
    finally:
        mine.unlink()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_name(PUBLIC).write_bytes(public)


def _unusable(path: Path, found: str) -> StoreError:
    return StoreError(
        expected="an Ed25519 key in PEM",
        found=found,
        where=str(path),
        fix="restore the file from a backup; with a new key, what the old one signed can no longer be checked",
    )
