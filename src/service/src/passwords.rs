//! Password hashing: argon2id off the async threads, as many at once as there are cores (N3, N5, N6).

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use tokio::{runtime::Runtime, sync::Semaphore};
use unicode_normalization::UnicodeNormalization;
use vestibule_core::{
    limits::{PASSWORD_MAX, PASSWORD_MAX_BYTES},
    ports::Randomness,
    secret::Password,
};
use zeroize::Zeroizing;

/// How long a sign-in waits for its turn before it is told to come back (N6).
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Memory in KiB above which a stored hash is called damaged instead of being computed (attacks.md T184).
const MEMORY_MAX_KIB: u32 = 256 * 1024;
/// Passes above which a stored hash is called damaged.
const PASSES_MAX: u32 = 16;

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

/// Why there is no answer about a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// No core became free in time.
    #[error("too many passwords to hash at once")]
    Busy,
    /// The hashing library or its thread failed.
    #[error("a password could not be hashed")]
    Failed,
}

/// Hashes and compares passwords.
pub struct Hasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    threads: Threads,
    dummy: String,
}

/// As many threads as there are turns, and always the same: the allocator keeps 19 MiB for every thread that has ever
/// hashed, so on the threads of the main runtime a flood of sign-ins would leave hundreds of them behind.
struct Threads(Option<Runtime>);

impl Threads {
    fn new(count: usize) -> Result<Self, HashingError> {
        tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(count)
            .thread_name("hashing")
            .build()
            .map(|runtime| Self(Some(runtime)))
            .map_err(|_| HashingError::Failed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let runtime = self.0.as_ref().ok_or(HashingError::Failed)?;
        runtime
            .handle()
            .spawn_blocking(work)
            .await
            .map_err(|_| HashingError::Failed)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // A runtime may not wait for its threads where others run.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
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
    /// A hasher with `at_once` turns (usually the number of cores, at least 1).
    ///
    /// # Errors
    /// [`HashingError::Failed`] when the cost is out of argon2's range.
    pub fn new(cost: HashCost, at_once: usize, randomness: &dyn Randomness) -> Result<Self, HashingError> {
        let params =
            Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(|_| HashingError::Failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut nobody = [0; 32];
        randomness.fill(&mut nobody);
        let dummy = hash(&argon2, &nobody, salt(randomness))?;
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(at_once.max(1))),
            threads: Threads::new(at_once.max(1))?,
            dummy,
        })
    }

    /// Hashes a new password into a PHC string.
    ///
    /// # Errors
    /// [`HashingError::Busy`] when no core became free within two seconds.
    pub async fn hash(
        &self,
        password: &Password,
        randomness: &dyn Randomness,
    ) -> Result<String, HashingError> {
        let salt = salt(randomness);
        let argon2 = self.argon2.clone();
        let bytes = prepared(password);
        self.in_turn(move || hash(&argon2, &bytes, salt)).await?
    }

    /// Compares a password with a stored hash. Without one it compares with a dummy, so that accounts that do not
    /// exist cost the same time, and answers [`Verdict::Wrong`].
    ///
    /// # Errors
    /// [`HashingError::Busy`] when no core became free within two seconds.
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<Verdict, HashingError> {
        let overlong =
            password.reveal().len() > PASSWORD_MAX_BYTES || password.reveal().chars().count() > PASSWORD_MAX;
        if overlong {
            return Ok(Verdict::Wrong);
        }
        let usable = stored.filter(|stored| is_sound(stored));
        let known = usable.is_some();
        let phc = usable.unwrap_or(&self.dummy).to_owned();
        let argon2 = self.argon2.clone();
        let bytes = prepared(password);
        let right = self
            .in_turn(move || {
                let parsed = PasswordHash::new(&phc).map_err(|_| HashingError::Failed)?;
                let right = argon2.verify_password(&bytes, &parsed).is_ok();
                let outdated = Params::try_from(&parsed).map_or(true, |params| {
                    (params.m_cost(), params.t_cost()) != (argon2.params().m_cost(), argon2.params().t_cost())
                });
                Ok((right, outdated))
            })
            .await??;
        Ok(match right {
            (true, outdated) if known => Verdict::Right { outdated },
            _ => Verdict::Wrong,
        })
    }

    /// Hashes secrets that are random already, all with one salt of at least 8 bytes, to 32 bytes each (N16).
    ///
    /// # Errors
    /// [`HashingError::Busy`] when no core became free within two seconds.
    pub async fn derive(
        &self,
        secrets: Vec<Zeroizing<Vec<u8>>>,
        salt: Vec<u8>,
    ) -> Result<Vec<[u8; 32]>, HashingError> {
        let argon2 = self.argon2.clone();
        self.in_turn(move || {
            secrets
                .iter()
                .map(|secret| {
                    let mut hash = [0; 32];
                    argon2
                        .hash_password_into(secret, &salt, &mut hash)
                        .map_err(|_| HashingError::Failed)?;
                    Ok(hash)
                })
                .collect()
        })
        .await?
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let turn = tokio::time::timeout(LONGEST_WAIT, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| HashingError::Busy)?
            .map_err(|_| HashingError::Failed)?;
        self.threads
            .run(move || {
                // The turn ends with the work, even when nobody waits for the answer any more.
                let _turn = turn;
                work()
            })
            .await
    }
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

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: [u8; 16]) -> Result<String, HashingError> {
    argon2
        .hash_password_with_salt(password, &salt)
        .map(|phc: PasswordHash| phc.to_string())
        .map_err(|_| HashingError::Failed)
}

/// A stored hash that asks for gigabytes or is no argon2id hash is damage, not a password.
fn is_sound(stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|phc| {
        phc.algorithm.as_str() == "argon2id"
            && Params::try_from(&phc)
                .is_ok_and(|params| params.m_cost() <= MEMORY_MAX_KIB && params.t_cost() <= PASSES_MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_core::ports::SeededRandomness;

    const CHEAP: HashCost = HashCost {
        memory_kib: 64,
        passes: 1,
    };

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_exact_password_fits() {
        let randomness = SeededRandomness::new(1);
        let hasher = Hasher::new(CHEAP, 2, &randomness).unwrap();
        let long = format!("Ünï{}x", "y".repeat(96));
        let stored = hasher.hash(&password(&long), &randomness).await.unwrap();
        let right = Verdict::Right { outdated: false };
        assert_eq!(hasher.verify(&password(&long), Some(&stored)).await, Ok(right));
        let decomposed = long.replace('Ü', "U\u{308}");
        assert_eq!(
            hasher.verify(&password(&decomposed), Some(&stored)).await,
            Ok(right),
            "NFC"
        );
        for wrong in [
            &long[..72],
            &format!(" {long}"),
            &format!("{long} "),
            &long.to_uppercase(),
            &format!("{long}\0"),
        ] {
            assert_eq!(
                hasher.verify(&password(wrong), Some(&stored)).await,
                Ok(Verdict::Wrong)
            );
        }
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
        ] {
            assert_eq!(
                hasher.verify(&password("x"), stored).await,
                Ok(Verdict::Wrong),
                "{stored:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_overlong_password_is_not_hashed() {
        let randomness = SeededRandomness::new(3);
        // A single turn that is taken: hashing would have to wait for it and end as Busy.
        let hasher = Hasher::new(CHEAP, 1, &randomness).unwrap();
        let _taken = hasher.turns.acquire().await.unwrap();
        assert_eq!(
            hasher.verify(&password(&"x".repeat(129)), None).await,
            Ok(Verdict::Wrong)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_says_so_after_two_seconds() {
        let randomness = SeededRandomness::new(4);
        let hasher = Hasher::new(CHEAP, 1, &randomness).unwrap();
        let _taken = hasher.turns.acquire().await.unwrap();
        assert_eq!(hasher.verify(&password("x"), None).await, Err(HashingError::Busy));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_outdated() {
        let randomness = SeededRandomness::new(5);
        let old = Hasher::new(CHEAP, 1, &randomness).unwrap();
        let new = Hasher::new(
            HashCost {
                memory_kib: 128,
                passes: 1,
            },
            1,
            &randomness,
        )
        .unwrap();
        let stored = old.hash(&password("right"), &randomness).await.unwrap();
        assert_eq!(
            new.verify(&password("right"), Some(&stored)).await,
            Ok(Verdict::Right { outdated: true })
        );
    }
}
