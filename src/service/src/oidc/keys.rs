//! The keys that tokens are signed with. They are made here and kept sealed in the database, so that all servers have the
//! same; signing and verifying is ring's. Of each algorithm there is one in use and one that comes next, which applications
//! know beforehand.

use std::sync::{Arc, PoisonError, RwLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
    },
};
use rsa::{RsaPrivateKey, pkcs8::EncodePrivateKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use vestibule_core::{id::SigningKeyId, oidc::application::Signing, ports::Moment, refusal::Refusal};
use vestibule_storage::{SigningKeyRow, again};
use zeroize::Zeroizing;

use crate::{
    Failure, Issuer, Operator, Service, Visitor,
    keys::{Purpose, Unsealable},
    operator::OperatorError,
};

/// How long a server works with what it knows of the keys.
const KNOWN_FOR: TimeDelta = TimeDelta::seconds(60);
/// How long what a key has signed is good after another took its place.
const GOOD_AFTERWARDS: TimeDelta = TimeDelta::hours(24);
/// Bits of an RSA key.
const RSA_BITS: usize = 2048;
/// Longest token of ours that is read, in bytes.
const TOKEN_MAX: usize = 16 * 1024;

/// What the header of an ID token says that it is.
pub(super) const ID_TOKEN: &str = "JWT";

/// A key, ready to sign.
struct SigningKey {
    id: SigningKeyId,
    algorithm: Signing,
    pair: Pair,
    /// Whether it is in use, and not the next one or one that was.
    is_current: bool,
}

enum Pair {
    Es256(Box<EcdsaKeyPair>),
    Rs256(Box<RsaKeyPair>),
}

/// All keys, as they were when they were last read.
struct Known {
    at: Moment,
    keys: Vec<SigningKey>,
}

/// The keys that this server knows.
#[derive(Default)]
pub(crate) struct SigningRing {
    known: RwLock<Option<Arc<Known>>>,
    /// Held by whoever makes keys, which takes a while.
    making: Mutex<()>,
}

/// What a token says of itself.
#[derive(Deserialize, Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

impl Pair {
    fn read(algorithm: Signing, der: &[u8]) -> Result<Self, Unsealable> {
        Ok(match algorithm {
            Signing::Es256 => {
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new());
                Self::Es256(Box::new(pair.map_err(|_| Unsealable)?))
            }
            Signing::Rs256 => Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(der).map_err(|_| Unsealable)?)),
        })
    }

    /// Makes one, in PKCS #8. An RSA key takes a second: not for a thread that serves.
    fn make(algorithm: Signing) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        match algorithm {
            Signing::Es256 => {
                let made =
                    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
                Ok(Zeroizing::new(made.map_err(|_| Unsealable)?.as_ref().to_vec()))
            }
            Signing::Rs256 => {
                let made =
                    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS).map_err(|_| Unsealable)?;
                Ok(Zeroizing::new(
                    made.to_pkcs8_der().map_err(|_| Unsealable)?.as_bytes().to_vec(),
                ))
            }
        }
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => Ok(pair
                .sign(&random, text)
                .map_err(|_| Unsealable)?
                .as_ref()
                .to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .map_err(|_| Unsealable)?;
                Ok(signature)
            }
        }
    }

    fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(pair) => {
                let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key());
                public.verify(text, signature).is_ok()
            }
            Self::Rs256(pair) => {
                let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                public
                    .verify(&RSA_PKCS1_2048_8192_SHA256, text, signature)
                    .is_ok()
            }
        }
    }

    /// The public half (RFC 7518, section 6).
    fn public(&self) -> Value {
        match self {
            Self::Es256(pair) => {
                // An uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref();
                let half = |range: std::ops::Range<usize>| {
                    URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default())
                };
                json!({ "kty": "EC", "crv": "P-256", "x": half(1..33), "y": half(33..65) })
            }
            Self::Rs256(pair) => {
                let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({
                    "kty": "RSA",
                    "n": URL_SAFE_NO_PAD.encode(public.n),
                    "e": URL_SAFE_NO_PAD.encode(public.e),
                })
            }
        }
    }
}

impl SigningKey {
    fn jwk(&self) -> Value {
        let mut jwk = self.pair.public();
        jwk["kid"] = self.id.to_string().into();
        jwk["alg"] = self.algorithm.as_str().into();
        jwk["use"] = "sig".into();
        jwk
    }
}

impl Known {
    fn current(&self, algorithm: Signing) -> Option<&SigningKey> {
        self.keys
            .iter()
            .find(|key| key.is_current && key.algorithm == algorithm)
    }
}

impl SigningRing {
    fn fresh(&self, now: Moment) -> Option<Arc<Known>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known
            .as_ref()
            .filter(|known| (now - known.at).abs() < KNOWN_FOR)
            .cloned()
    }

    fn put(&self, known: &Arc<Known>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(known));
    }

    fn forget(&self) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Issuer {
    /// The public halves of all keys: in use, next, and those whose signatures are still good (RFC 7517).
    ///
    /// # Errors
    /// A failing database.
    pub async fn public_keys(&self, visitor: &Visitor) -> Result<Value, Refusal> {
        visitor
            .attempt(async {
                for algorithm in Signing::ALL {
                    self.keys_with(algorithm).await?;
                }
                let known = self.known_keys().await?;
                let keys: Vec<_> = known.keys.iter().map(SigningKey::jwk).collect();
                Ok(json!({ "keys": keys }))
            })
            .await
    }
}

impl Operator {
    /// Puts the next signing keys into use and makes others that come next. What was signed before is good for a day.
    ///
    /// # Errors
    /// A failing database.
    pub async fn rotate_signing_keys(&self) -> Result<(), OperatorError> {
        let now = self.now();
        let mut algorithms = Vec::new();
        for row in self.inner.store.read().await?.signing_keys().await? {
            if !algorithms.contains(&row.algorithm) {
                algorithms.push(row.algorithm);
            }
        }
        for algorithm in algorithms {
            let next = self.make_key(algorithm, None).await?;
            again(async || {
                let mut work = self.operate().await?;
                work.begin_next_signing_key(algorithm, now, now + GOOD_AFTERWARDS)
                    .await?;
                work.insert_signing_key(&next).await?;
                work.commit().await
            })
            .await?;
        }
        self.inner.signing.forget();
        Ok(())
    }
}

impl Service {
    /// Signs claims with the key in use.
    pub(crate) async fn sign<C: Serialize>(
        &self,
        algorithm: Signing,
        typ: &str,
        claims: &C,
    ) -> Result<String, Failure> {
        let known = self.keys_with(algorithm).await?;
        let key = known.current(algorithm).ok_or(Unsealable)?;
        let header = Header {
            alg: algorithm.as_str(),
            typ,
            kid: &key.id.to_string(),
        };
        let part = |json: Result<Vec<u8>, serde_json::Error>| {
            json.map(|json| URL_SAFE_NO_PAD.encode(json))
                .map_err(|_| Unsealable)
        };
        let text = format!(
            "{}.{}",
            part(serde_json::to_vec(&header))?,
            part(serde_json::to_vec(claims))?
        );
        let signature = key.pair.sign(text.as_bytes())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of an ID token that one of our keys has signed, however old it is; `None` for anything else. The same keys
    /// sign logout tokens, which say much the same and are sent to applications for another end.
    pub(super) async fn signed_claims<C: DeserializeOwned>(&self, token: &str) -> Result<Option<C>, Failure> {
        if token.len() > TOKEN_MAX {
            return Ok(None);
        }
        let Some((text, signature)) = token.rsplit_once('.') else {
            return Ok(None);
        };
        let Some((header, claims)) = text.split_once('.') else {
            return Ok(None);
        };
        let decoded = [header, claims, signature].map(|part| URL_SAFE_NO_PAD.decode(part));
        let [Ok(header), Ok(claims), Ok(signature)] = decoded else {
            return Ok(None);
        };
        let Ok(header) = serde_json::from_slice::<Header<'_>>(&header) else {
            return Ok(None);
        };
        if header.typ != ID_TOKEN {
            return Ok(None);
        }
        let known = self.known_keys().await?;
        let signed = known.keys.iter().any(|key| {
            key.id.to_string() == header.kid
                && key.algorithm.as_str() == header.alg
                && key.pair.has_signed(text.as_bytes(), &signature)
        });
        Ok(signed.then(|| serde_json::from_slice(&claims).ok()).flatten())
    }

    /// The keys, with one in use and one that comes next of this algorithm. They are made when there are none.
    async fn keys_with(&self, algorithm: Signing) -> Result<Arc<Known>, Failure> {
        let known = self.known_keys().await?;
        if known.current(algorithm).is_some() {
            return Ok(known);
        }
        let _making = self.inner.signing.making.lock().await;
        let known = self.read_keys().await?;
        if known.current(algorithm).is_some() {
            return Ok(known);
        }
        let now = self.now();
        let keys = [
            self.make_key(algorithm, Some(now)).await?,
            self.make_key(algorithm, None).await?,
        ];
        again(async || {
            let mut writer = self.inner.store.write().await?;
            for key in &keys {
                writer.insert_signing_key(key).await?;
            }
            writer.commit().await
        })
        .await?;
        self.read_keys().await
    }

    async fn known_keys(&self) -> Result<Arc<Known>, Failure> {
        match self.inner.signing.fresh(self.now()) {
            Some(known) => Ok(known),
            None => self.read_keys().await,
        }
    }

    async fn read_keys(&self) -> Result<Arc<Known>, Failure> {
        let now = self.now();
        let rows = self.inner.store.read().await?.signing_keys().await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            if row.ends_at.is_some_and(|end| end <= now) {
                continue;
            }
            let der = self
                .inner
                .keys
                .open(Purpose::SigningKey, row.id.0.as_bytes(), &row.sealed)?;
            keys.push(SigningKey {
                id: row.id,
                algorithm: row.algorithm,
                pair: Pair::read(row.algorithm, &der)?,
                is_current: row.begins_at.is_some() && row.ends_at.is_none(),
            });
        }
        let known = Arc::new(Known { at: now, keys });
        self.inner.signing.put(&known);
        Ok(known)
    }

    /// Makes a key on a thread of its own, and seals it.
    async fn make_key(
        &self,
        algorithm: Signing,
        begins_at: Option<Moment>,
    ) -> Result<SigningKeyRow, Unsealable> {
        let made = tokio::task::spawn_blocking(move || Pair::make(algorithm)).await;
        let der = made.map_err(|_| Unsealable)??;
        let now = self.now();
        let id = SigningKeyId::new(now, self.random());
        Ok(SigningKeyRow {
            id,
            algorithm,
            sealed: self
                .inner
                .keys
                .seal(Purpose::SigningKey, id.0.as_bytes(), &der, self.random())?,
            created_at: now,
            begins_at,
            ends_at: None,
        })
    }
}
