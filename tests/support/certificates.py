"""TLS certificates made on the spot."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Signs certificates; whoever trusts it trusts them."""

    key: Any
    certificate: x509.Certificate

    def trusted(self) -> ssl.SSLContext:
        """What a client checks certificates with that knows this authority alone."""
        return ssl.create_default_context(cadata=self.certificate.public_bytes(Encoding.PEM).decode())

    def server(self, home: Path, name: str, *, valid_for: timedelta = timedelta(days=1)) -> ssl.SSLContext:
        """What a server of this name shows; with a negative time it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(name, key, issuer=self.certificate.subject, by=self.key, valid_for=valid_for)
        pem = home / "server.pem"
        pem.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context


def an_authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of the tests")])
    certificate = _signed("authority", key, issuer=name, by=key, valid_for=timedelta(days=1), subject=name)
    return Authority(key=key, certificate=certificate)


def _signed(
    name: str, key: Any, *, issuer: x509.Name, by: Any, valid_for: timedelta, subject: x509.Name | None = None
) -> x509.Certificate:
    end = datetime.now(UTC) + valid_for  # noqa: TID251 - whoever checks it has the real time too
    identifier = x509.SubjectKeyIdentifier.from_public_key(by.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject or x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=subject is not None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(by, hashes.SHA256())
    )
