//! Password hashing: argon2id on threads of its own, behind one fair line (N3, N5, N6).

mod line;
mod threads;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt},
};
use unicode_normalization::UnicodeNormalization;
use vestibule_core::{
    limits::{PASSWORD_MAX, PASSWORD_MAX_BYTES},
    ports::Randomness,
    secret::{Password, same},
};
use zeroize::Zeroizing;

pub use line::{Full, Key, Lane, Line, Place, Turn};
use threads::{Memory, Threads};

/// Memory in KiB above which a stored hash is called damaged instead of being computed (attacks.md T184).
const MEMORY_MAX_KIB: u32 = 256 * 1024;
/// Passes above which a stored hash is called damaged.
const PASSES_MAX: u32 = 16;
/// Bytes of a hash (N5).
const HASH_BYTES: usize = 32;

/// How much work a hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Default for HashCost {
    /// 19 MiB and two passes (N5, OWASP Password Storage).
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
        }
    }
}

impl HashCost {
    fn argon2(self) -> Result<Argon2<'static>, HashingError> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(HASH_BYTES))
            .map_err(|_| HashingError::Failed)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Why there is no answer about a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many wait for a thread. Nothing was counted, nothing compared.
    #[error("too many passwords to hash at once")]
    Busy {
        /// Seconds after which there is room again, as far as can be told.
        retry_after: u32,
    },
    /// Too many new passwords are judged at once.
    #[error("too many passwords to judge at once")]
    Slow,
    /// The hashing library or its thread failed.
    #[error("a password could not be hashed")]
    Failed,
}

impl From<Full> for HashingError {
    fn from(Full { retry_after }: Full) -> Self {
        Self::Busy { retry_after }
    }
}

/// Hashes and compares passwords.
pub struct Hasher {
    cost: HashCost,
    argon2: Argon2<'static>,
    line: Line,
    threads: Threads,
    dummy: PasswordHash,
}

/// What comparing a password with a stored hash found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Right {
        /// The hash is weaker than today's cost: make a new one.
        outdated: bool,
    },
    /// It is not.
    Wrong,
}

impl Hasher {
    /// A hasher with so many threads (usually the number of cores, at least 1).
    ///
    /// # Errors
    /// [`HashingError::Failed`] when the cost is out of argon2's range.
    pub fn new(cost: HashCost, threads: usize, randomness: &dyn Randomness) -> Result<Self, HashingError> {
        let argon2 = cost.argon2()?;
        let mut nobody = [0; 32];
        randomness.fill(&mut nobody);
        // A hash of nothing would be as good, but it must look like any other.
        let dummy = phc(&argon2, &salt(randomness), &nobody)?;
        let blocks = argon2.params().block_count();
        Ok(Self {
            cost,
            argon2,
            line: Line::new(threads),
            threads: Threads::start(threads, blocks)?,
            dummy,
        })
    }

    /// The line before the threads.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Hashes a new password into a PHC string.
    ///
    /// # Errors
    /// [`HashingError::Busy`] when too many wait.
    pub async fn hash(
        &self,
        password: &Password,
        randomness: &dyn Randomness,
    ) -> Result<String, HashingError> {
        let salt = salt(randomness);
        let _turn = self.line.turn(Lane::Known, None, &Place::default()).await?;
        let argon2 = self.argon2.clone();
        let bytes = prepared(password);
        self.threads
            .run(move |memory| {
                let mut out = Zeroizing::new([0; HASH_BYTES]);
                memory.hash(&argon2, &bytes, &salt, &mut *out)?;
                Ok(phc(&argon2, &salt, &*out)?.to_string())
            })
            .await?
    }

    /// Compares the password of somebody who has proved something already with a stored hash, in its turn.
    ///
    /// # Errors
    /// [`HashingError::Busy`] when too many wait.
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<Verdict, HashingError> {
        let turn = self.line.turn(Lane::Known, None, &Place::default()).await?;
        self.verify_in(&turn, password, stored).await
    }

    /// Compares a password with a stored hash, in a turn that was waited for. Without one it compares with a dummy, so
    /// that accounts that do not exist cost the same time, and answers [`Verdict::Wrong`].
    ///
    /// # Errors
    /// [`HashingError::Failed`].
    pub async fn verify_in(
        &self,
        _turn: &Turn,
        password: &Password,
        stored: Option<&str>,
    ) -> Result<Verdict, HashingError> {
        if is_overlong(password) {
            return Ok(Verdict::Wrong);
        }
        let usable = stored.and_then(sound);
        let known = usable.is_some();
        let phc = usable.unwrap_or_else(|| self.dummy.clone());
        let bytes = prepared(password);
        let cost = self.cost;
        let (right, outdated) = self
            .threads
            .run(move |memory| compare(memory, &bytes, &phc, cost))
            .await??;
        Ok(if right && known {
            Verdict::Right { outdated }
        } else {
            Verdict::Wrong
        })
    }

    /// Hashes secrets that are random already, all with one salt of at least 8 bytes, to 32 bytes each (N16).
    ///
    /// # Errors
    /// [`HashingError::Busy`] when too many wait.
    pub async fn derive(
        &self,
        secrets: Vec<Zeroizing<Vec<u8>>>,
        salt: Vec<u8>,
    ) -> Result<Vec<[u8; HASH_BYTES]>, HashingError> {
        let _turn = self.line.turn(Lane::Known, None, &Place::default()).await?;
        let argon2 = self.argon2.clone();
        self.threads
            .run(move |memory| {
                secrets
                    .iter()
                    .map(|secret| {
                        let mut hash = [0; HASH_BYTES];
                        memory.hash(&argon2, secret, &salt, &mut hash)?;
                        Ok(hash)
                    })
                    .collect()
            })
            .await?
    }
}

/// Whether a password is longer than any that is accepted (N2): such a one is not worth a hash.
pub(crate) fn is_overlong(password: &Password) -> bool {
    password.reveal().len() > PASSWORD_MAX_BYTES || password.reveal().chars().count() > PASSWORD_MAX
}

/// Whether it is the password, and whether the stored hash is of another cost than today's. What a cheaper hash saves
/// is spent all the same: how long an answer takes must not tell how old a password is.
fn compare(
    memory: &mut Memory,
    password: &[u8],
    stored: &PasswordHash,
    today: HashCost,
) -> Result<(bool, bool), HashingError> {
    let (params, salt, expected) = parts(stored).ok_or(HashingError::Failed)?;
    let cost = HashCost {
        memory_kib: params.m_cost(),
        passes: params.t_cost(),
    };
    let mut computed = Zeroizing::new(vec![0; expected.as_bytes().len()]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    memory.hash(&argon2, password, salt.as_ref(), &mut computed)?;
    if let Some(rest) = rest_of(today, cost) {
        let mut unused = [0; HASH_BYTES];
        memory.hash(&rest.argon2()?, password, salt.as_ref(), &mut unused)?;
    }
    Ok((same(&computed, expected.as_bytes()), cost != today))
}

/// What is left to do of today's work after a cheaper hash; work is memory times passes.
fn rest_of(today: HashCost, done: HashCost) -> Option<HashCost> {
    let work = |cost: HashCost| u64::from(cost.memory_kib) * u64::from(cost.passes);
    let rest = work(today).checked_sub(work(done))? / u64::from(today.passes);
    let memory_kib = u32::try_from(rest).ok()?;
    // Less is beyond what argon2 takes, and beyond what can be measured.
    (memory_kib >= Params::MIN_M_COST).then_some(HashCost {
        memory_kib,
        passes: today.passes,
    })
}

/// NFC, nothing else (N3).
fn prepared(password: &Password) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(password.reveal().nfc().collect::<String>().into_bytes())
}

fn salt(randomness: &dyn Randomness) -> [u8; 16] {
    let mut salt = [0; 16];
    randomness.fill(&mut salt);
    salt
}

/// The stored form of a hash: algorithm, cost, salt and hash in one string.
fn phc(argon2: &Argon2<'_>, salt: &[u8], hash: &[u8]) -> Result<PasswordHash, HashingError> {
    let failed = |_| HashingError::Failed;
    Ok(PasswordHash {
        algorithm: Ident::new(ARGON2ID).map_err(failed)?,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).map_err(|_| HashingError::Failed)?,
        salt: Some(Salt::new(salt).map_err(failed)?),
        hash: Some(Output::new(hash).map_err(failed)?),
    })
}

const ARGON2ID: &str = "argon2id";

fn parts(phc: &PasswordHash) -> Option<(Params, Salt, Output)> {
    Some((Params::try_from(phc).ok()?, phc.salt?, phc.hash?))
}

/// A stored hash as it can be computed. One that asks for gigabytes or is no argon2id hash is damage, not a password.
fn sound(stored: &str) -> Option<PasswordHash> {
    let phc = PasswordHash::new(stored).ok()?;
    let (params, ..) = parts(&phc)?;
    let sound = phc.algorithm.as_str() == ARGON2ID
        && phc.version == Some(Version::V0x13.into())
        && params.m_cost() <= MEMORY_MAX_KIB
        && params.t_cost() <= PASSES_MAX;
    sound.then_some(phc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_core::ports::SeededRandomness;

    const CHEAP: HashCost = HashCost {
        memory_kib: 64,
        passes: 1,
    };
    const RIGHT: Result<Verdict, HashingError> = Ok(Verdict::Right { outdated: false });

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    async fn verify(hasher: &Hasher, typed: &str, stored: Option<&str>) -> Result<Verdict, HashingError> {
        hasher.verify(&password(typed), stored).await
    }

    #[tokio::test]
    async fn only_the_exact_password_fits() {
        let randomness = SeededRandomness::new(1);
        let hasher = Hasher::new(CHEAP, 2, &randomness).unwrap();
        let long = format!("Ünï{}x", "y".repeat(96));
        let stored = hasher.hash(&password(&long), &randomness).await.unwrap();
        assert_eq!(verify(&hasher, &long, Some(&stored)).await, RIGHT);
        let decomposed = long.replace('Ü', "U\u{308}");
        assert_eq!(verify(&hasher, &decomposed, Some(&stored)).await, RIGHT, "NFC");
        for wrong in [
            &long[..72],
            &format!(" {long}"),
            &format!("{long} "),
            &long.to_uppercase(),
            &format!("{long}\0"),
        ] {
            assert_eq!(verify(&hasher, wrong, Some(&stored)).await, Ok(Verdict::Wrong));
        }
    }

    #[tokio::test]
    async fn what_is_stored_is_what_the_library_reads_and_writes() {
        let randomness = SeededRandomness::new(7);
        let hasher = Hasher::new(CHEAP, 1, &randomness).unwrap();
        let foreign = argon2::PasswordHasher::hash_password_with_salt(
            &hasher.argon2,
            "right".as_bytes(),
            b"somesaltsomesalt",
        )
        .map(|phc: PasswordHash| phc.to_string())
        .unwrap();
        assert_eq!(verify(&hasher, "right", Some(&foreign)).await, RIGHT);
        let ours = hasher.hash(&password("right"), &randomness).await.unwrap();
        let theirs = PasswordHash::new(&ours).unwrap();
        assert!(argon2::PasswordVerifier::verify_password(&hasher.argon2, b"right", &theirs).is_ok());
    }

    #[tokio::test]
    async fn no_account_and_damaged_hashes_are_simply_wrong() {
        let randomness = SeededRandomness::new(2);
        let hasher = Hasher::new(CHEAP, 2, &randomness).unwrap();
        let huge = "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for stored in [
            None,
            Some(""),
            Some("garbage"),
            Some(huge),
            Some("$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA"),
            Some("$argon2id$v=19$m=64,t=1,p=1"),
        ] {
            assert_eq!(
                verify(&hasher, "x", stored).await,
                Ok(Verdict::Wrong),
                "{stored:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_overlong_password_is_not_hashed() {
        let randomness = SeededRandomness::new(3);
        let hasher = Hasher::new(CHEAP, 1, &randomness).unwrap();
        // The only thread is busy until the answer is there.
        let (answered, wait) = std::sync::mpsc::channel::<()>();
        let busy = hasher.threads.run(move |_| wait.recv().is_err());
        let answer = async {
            let verdict = verify(&hasher, &"x".repeat(129), None).await;
            drop(answered);
            verdict
        };
        let (verdict, busy) = tokio::join!(answer, busy);
        assert_eq!((verdict, busy), (Ok(Verdict::Wrong), Ok(true)));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_outdated() {
        let randomness = SeededRandomness::new(5);
        let old = Hasher::new(CHEAP, 1, &randomness).unwrap();
        let dearer = HashCost {
            memory_kib: 128,
            passes: 1,
        };
        let new = Hasher::new(dearer, 1, &randomness).unwrap();
        let stored = old.hash(&password("right"), &randomness).await.unwrap();
        let outdated = Ok(Verdict::Right { outdated: true });
        assert_eq!(verify(&new, "right", Some(&stored)).await, outdated);
        let stored = new.hash(&password("right"), &randomness).await.unwrap();
        assert_eq!(verify(&old, "right", Some(&stored)).await, outdated);
    }

    #[test]
    fn what_a_cheaper_hash_saves_is_spent_all_the_same() {
        let today = HashCost::default();
        let cost = |memory_kib, passes| HashCost { memory_kib, passes };
        let work = |cost: HashCost| cost.memory_kib * cost.passes;
        for cheaper in [cost(12_288, 1), cost(4_096, 3), cost(19_456, 1), cost(8, 1)] {
            let rest = rest_of(today, cheaper).unwrap();
            assert!(
                (work(today) - work(cheaper) - work(rest)) < today.passes,
                "{cheaper:?}"
            );
            assert!(rest.argon2().is_ok());
        }
        for as_dear in [today, cost(47_104, 1), cost(65_536, 3), cost(19_455, 2)] {
            assert_eq!(rest_of(today, as_dear), None, "{as_dear:?}");
        }
    }
}
