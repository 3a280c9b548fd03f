//! Secrets at rest: versioned keys, what is sealed with them and what is fingerprinted with them.
//!
//! One key file holds one secret per version. From each secret a separate key is derived for every purpose
//! (HKDF-SHA256, RFC 5869), so that a value made for one purpose means nothing for another. What is written
//! always carries the version it was made with; the newest version writes, all versions read.

use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use vestibule_core::{ports::Randomness, secret::same};
use zeroize::Zeroizing;

const VERSION_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Fingerprints of one-time codes.
    Code,
    /// Session tokens that follow from a pending sign-in.
    Session,
    /// Tokens of trusted browsers that follow from one another.
    Trust,
    /// Names typed at sign-in, for counting tries.
    Subject,
    /// Mails waiting in the outbox.
    Outbox,
    /// Secrets of authenticator apps.
    AppSecret,
    /// Passwords of companies' mail servers.
    MailPassword,
    /// Secrets of companies' applications at providers.
    SsoSecret,
    /// What a browser's way to a provider and back needs at its end.
    SsoFlow,
    /// Requests of applications that are carried along during a sign-in.
    Request,
    /// Private keys that tokens are signed with.
    SigningKey,
    /// Tokens of applications that follow from one another.
    Refresh,
    /// Answers that wait for somebody who stood in line.
    Ticket,
    /// What a page shows for a moment to one session.
    Note,
    /// Forms that somebody sent in vain.
    Kept,
    /// How many wrong passwords a browser has sent.
    Tries,
    /// The fingerprint by which a key itself is known.
    Itself,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Code => b"vestibule one-time code v1",
            Self::Session => b"vestibule session v1",
            Self::Trust => b"vestibule trusted browser v1",
            Self::Subject => b"vestibule sign-in subject v1",
            Self::Outbox => b"vestibule outbox v1",
            Self::AppSecret => b"vestibule authenticator app v1",
            Self::MailPassword => b"vestibule mail server password v1",
            Self::SsoSecret => b"vestibule sso secret v1",
            Self::SsoFlow => b"vestibule sso flow v1",
            Self::Request => b"vestibule authorization request v1",
            Self::SigningKey => b"vestibule signing key v1",
            Self::Refresh => b"vestibule refresh token v1",
            Self::Ticket => b"vestibule ticket v1",
            Self::Note => b"vestibule session note v1",
            Self::Kept => b"vestibule kept v1",
            Self::Tries => b"vestibule tries v1",
            Self::Itself => b"vestibule key v1",
        }
    }
}

/// One version of the secret.
#[derive(Clone)]
pub struct Key {
    /// Grows with every rotation; starts at 1.
    pub version: u32,
    /// 256 random bits.
    pub secret: Zeroizing<[u8; 32]>,
}

/// By what a key is known without being given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFingerprint(pub [u8; 32]);

impl std::fmt::Display for KeyFingerprint {
    /// The beginning: enough to tell keys apart.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, byte) in self.0.iter().take(8).enumerate() {
            let dash = if place > 0 && place % 2 == 0 { "-" } else { "" };
            write!(f, "{dash}{byte:02x}")?;
        }
        Ok(())
    }
}

/// Whether a stored fingerprint is the one of what somebody entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is.
    Right,
    /// It is not.
    Wrong,
    /// It was made with a key that is not here: nobody can tell, and nobody guessed.
    UnknownKey,
}

/// Where the versions come from, asked again when a value was made with one that is not known yet: another process has
/// rotated the keys. `None` when they cannot be read at the moment.
pub type Source = Box<dyn Fn() -> Option<Vec<Key>> + Send + Sync>;

/// All versions of the secret.
pub struct Keys {
    known: RwLock<Arc<[Key]>>,
    source: Option<Source>,
}

/// No key, or two of one version.
#[derive(Debug, thiserror::Error)]
#[error("the key file needs at least one key, and each version only once")]
pub struct BadKeys;

/// A sealed value that cannot be opened: another context, another key, or damaged.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened")]
pub struct Unsealable;

impl Keys {
    /// Takes the versions in any order.
    ///
    /// # Errors
    /// [`BadKeys`] when there is none or two share a version.
    pub fn new(keys: Vec<Key>) -> Result<Self, BadKeys> {
        Ok(Self {
            known: RwLock::new(sorted(keys)?),
            source: None,
        })
    }

    /// The same, with a place to look for newer versions.
    #[must_use]
    pub fn with_source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Looks for newer versions. What is known stays known: a file that lost a key, or holds another under the same
    /// version, must not take away what this process can still read.
    pub fn reload(&self) {
        let Some(Ok(found)) = self.source.as_ref().and_then(|source| source()).map(sorted) else {
            return;
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let mut keys = known.to_vec();
        for key in found.iter() {
            match keys.iter().find(|old| old.version == key.version) {
                None => keys.push(key.clone()),
                Some(old) if same(old.secret.as_ref(), key.secret.as_ref()) => {}
                Some(_) => tracing::error!(
                    version = key.version,
                    "the key file holds another key of this version than before: the one before stays in use"
                ),
            }
        }
        if keys.len() > known.len()
            && let Ok(keys) = sorted(keys)
        {
            *known = keys;
        }
    }

    /// The versions that are here, the oldest first, with what they are known by.
    pub fn fingerprints(&self) -> Vec<(u32, KeyFingerprint)> {
        let known = self.known();
        let of = |key: &Key| (key.version, KeyFingerprint(digest(key, Purpose::Itself, &[])));
        known.iter().map(of).collect()
    }

    /// Whether a sealed value was made with the newest version.
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        let newest = self.known().last().map(|key| key.version.to_be_bytes());
        sealed.first_chunk::<VERSION_BYTES>().copied() == newest
    }

    fn known(&self) -> Arc<[Key]> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A fingerprint of `parts` with the newest key: version and HMAC-SHA256.
    pub fn fingerprint(&self, purpose: Purpose, parts: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::with_capacity(VERSION_BYTES + 32);
        if let Some(newest) = self.known().last() {
            out.extend_from_slice(&newest.version.to_be_bytes());
            out.extend_from_slice(&digest(newest, purpose, parts));
        }
        out
    }

    /// The fingerprint without its version, for values that are never compared with a stored one of an older key.
    pub fn derive(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        self.known()
            .last()
            .map_or([0; 32], |newest| digest(newest, purpose, parts))
    }

    /// What [`Keys::derive`] makes of each of these with every version that is here, the newest first.
    pub fn derive_with_each<const N: usize>(
        &self,
        purpose: Purpose,
        values: [&[&[u8]]; N],
    ) -> Vec<[[u8; 32]; N]> {
        let with = |key: &Key| values.map(|parts| digest(key, purpose, parts));
        self.known().iter().rev().map(with).collect()
    }

    /// Whether `stored` is the fingerprint of `parts`, with whichever key it was made. Constant time.
    pub fn fits(&self, purpose: Purpose, parts: &[&[u8]], stored: &[u8]) -> Fit {
        let Some((version, stored)) = stored.split_first_chunk::<VERSION_BYTES>() else {
            return Fit::Wrong;
        };
        let fits = self.with_version(u32::from_be_bytes(*version), |key| {
            same(&digest(key, purpose, parts), stored)
        });
        match fits {
            Some(true) => Fit::Right,
            Some(false) => Fit::Wrong,
            None => Fit::UnknownKey,
        }
    }

    /// Encrypts `plain` with the newest key so that it opens only under the same purpose and context
    /// (XChaCha20-Poly1305, the context is authenticated).
    ///
    /// # Errors
    /// [`Unsealable`] when the library refuses, which it does only for more than 256 GiB.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plain: &[u8],
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, Unsealable> {
        let known = self.known();
        let newest = known.last().ok_or(Unsealable)?;
        let mut nonce = [0; NONCE_BYTES];
        randomness.fill(&mut nonce);
        let secret = cipher(newest, purpose)
            .encrypt(
                XNonce::from_slice(&nonce),
                Payload {
                    msg: plain,
                    aad: context,
                },
            )
            .map_err(|_| Unsealable)?;
        Ok([&newest.version.to_be_bytes()[..], &nonce, &secret].concat())
    }

    /// Decrypts what [`Keys::seal`] made.
    ///
    /// # Errors
    /// [`Unsealable`] for another purpose, context or key, and for anything changed since.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (version, rest) = sealed.split_first_chunk::<VERSION_BYTES>().ok_or(Unsealable)?;
        let (nonce, secret) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unsealable)?;
        let payload = Payload {
            msg: secret,
            aad: context,
        };
        self.with_version(u32::from_be_bytes(*version), |key| {
            cipher(key, purpose).decrypt(XNonce::from_slice(nonce), payload)
        })
        .and_then(Result::ok)
        .map(Zeroizing::new)
        .ok_or(Unsealable)
    }

    fn with_version<T>(&self, version: u32, act: impl FnOnce(&Key) -> T) -> Option<T> {
        let find = |keys: Arc<[Key]>| keys.iter().position(|key| key.version == version);
        if find(self.known()).is_none() {
            self.reload();
        }
        let known = self.known();
        find(Arc::clone(&known))
            .and_then(|index| known.get(index))
            .map(act)
    }
}

fn sorted(mut keys: Vec<Key>) -> Result<Arc<[Key]>, BadKeys> {
    keys.sort_by_key(|key| key.version);
    let doubled = keys.windows(2).any(|pair| pair[0].version == pair[1].version);
    if keys.is_empty() || doubled {
        Err(BadKeys)
    } else {
        Ok(keys.into())
    }
}

fn derived(key: &Key, purpose: Purpose) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // 32 bytes is one block of the hash, so that HKDF cannot refuse.
    let expanded = Hkdf::<Sha256>::new(None, key.secret.as_ref()).expand(purpose.label(), out.as_mut());
    debug_assert!(expanded.is_ok());
    out
}

fn digest(key: &Key, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a short key with zeros to the block of its hash; done here, no length can be refused.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(derived(key, purpose).as_ref());
    let mut mac = <Hmac<Sha256> as Mac>::new(block.as_ref().into());
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn cipher(key: &Key, purpose: Purpose) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(derived(key, purpose).as_ref().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_core::ports::SeededRandomness;

    fn key(version: u32, byte: u8) -> Key {
        Key {
            version,
            secret: Zeroizing::new([byte; 32]),
        }
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let keys = Keys::new(vec![key(1, 1)]).unwrap();
        let sealed = keys
            .seal(Purpose::Outbox, b"mail 1", b"123456", &SeededRandomness::new(1))
            .unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"123456"));
        assert_eq!(
            keys.open(Purpose::Outbox, b"mail 1", &sealed).unwrap().as_slice(),
            b"123456"
        );
        assert!(keys.open(Purpose::Outbox, b"mail 2", &sealed).is_err());
        assert!(keys.open(Purpose::Code, b"mail 1", &sealed).is_err());
        for index in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[index] ^= 1;
            assert!(
                keys.open(Purpose::Outbox, b"mail 1", &damaged).is_err(),
                "byte {index}"
            );
        }
        assert!(keys.open(Purpose::Outbox, b"mail 1", &sealed[..20]).is_err());
    }

    #[test]
    fn old_values_live_on_after_a_rotation() {
        let old = Keys::new(vec![key(1, 1)]).unwrap();
        let both = Keys::new(vec![key(2, 2), key(1, 1)]).unwrap();
        let fingerprint = old.fingerprint(Purpose::Code, &[b"a", b"b"]);
        let fits = |keys: &Keys, purpose, parts: &[&[u8]]| keys.fits(purpose, parts, &fingerprint);
        assert_eq!(fits(&both, Purpose::Code, &[b"a", b"b"]), Fit::Right);
        assert_eq!(fits(&both, Purpose::Code, &[b"ab", b""]), Fit::Wrong);
        assert_eq!(fits(&both, Purpose::Session, &[b"a", b"b"]), Fit::Wrong);
        assert_ne!(both.fingerprint(Purpose::Code, &[b"a", b"b"]), fingerprint);
        let new = Keys::new(vec![key(2, 2)]).unwrap();
        assert_eq!(fits(&new, Purpose::Code, &[b"a", b"b"]), Fit::UnknownKey);
        let damaged = both.fits(Purpose::Code, &[b"a", b"b"], &fingerprint[..3]);
        assert_eq!(damaged, Fit::Wrong);
    }

    #[test]
    fn what_was_derived_before_a_rotation_is_found_again() {
        let old = Keys::new(vec![key(1, 1)]).unwrap();
        let both = Keys::new(vec![key(1, 1), key(2, 2)]).unwrap();
        let (a, b): (&[&[u8]], &[&[u8]]) = (&[b"a"], &[b"b"]);
        let of = |keys: &Keys| [a, b].map(|parts| keys.derive(Purpose::Refresh, parts));
        assert_eq!(
            both.derive_with_each(Purpose::Refresh, [a, b]),
            [of(&both), of(&old)]
        );
    }

    #[test]
    fn a_file_that_got_worse_takes_nothing_away() {
        for (file, versions) in [
            (vec![(2, 2)], vec![1, 2]),
            (vec![(1, 9)], vec![1]),
            (vec![(1, 9), (3, 3)], vec![1, 3]),
            (vec![], vec![1]),
        ] {
            let source = move || Some(file.iter().map(|&(version, byte)| key(version, byte)).collect());
            let keys = Keys::new(vec![key(1, 1)]).unwrap().with_source(Box::new(source));
            let before = keys.fingerprints();
            keys.reload();
            let after = keys.fingerprints();
            assert_eq!(after[0], before[0], "the key in use stays");
            assert_eq!(
                after.iter().map(|(version, _)| *version).collect::<Vec<_>>(),
                versions
            );
        }
    }

    #[test]
    fn a_fingerprint_tells_keys_apart_and_is_short() {
        let of = |byte| Keys::new(vec![key(1, byte)]).unwrap().fingerprints()[0].1;
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_eq!(of(1).to_string().len(), 19, "{}", of(1));
    }

    #[test]
    fn no_key_and_a_doubled_version_are_refused() {
        assert!(Keys::new(vec![]).is_err());
        assert!(Keys::new(vec![key(1, 1), key(1, 2)]).is_err());
    }
}
