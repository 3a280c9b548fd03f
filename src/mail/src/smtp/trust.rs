//! Whose certificates are trusted: those that a public authority signed, those that a certificate of the operator's file
//! signed, and the certificates of that file themselves.

use std::{fmt, sync::Arc};

use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use super::settings::SettingsError;

/// Takes what the library takes, and what is byte for byte a certificate that the operator gave: `openssl req -x509` makes
/// an authority's certificate, without a name that the library reads, which people then use as their server's. Whoever has
/// its key is who the operator meant. It must be in date.
struct Given {
    library: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

/// How TLS is spoken to a mail server.
///
/// # Errors
/// [`SettingsError::Certificate`] when the file holds no certificate, or one that is none.
pub(super) fn tls(pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, SettingsError> {
    let unusable = |_| SettingsError::Certificate;
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let mut given = Vec::new();
    if let Some(pem) = pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| SettingsError::Certificate)?;
            roots.add(certificate.clone()).map_err(unusable)?;
            given.push(certificate);
        }
        if given.is_empty() {
            return Err(SettingsError::Certificate);
        }
    }
    let provider = Arc::new(ring::default_provider());
    let library = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|_| SettingsError::Certificate)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Given { library, given }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
        let judged =
            self.library
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match judged {
            // The library looks at the dates before everything else.
            Err(Error::InvalidCertificate(
                Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
            )) => judged,
            Err(Error::InvalidCertificate(_)) if self.given.iter().any(|given| given == end_entity) => {
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.library.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.library.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.library.supported_verify_schemes()
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}
