//! The threads that hash, each with memory of its own that is kept (N6).
//!
//! A hash fills 19 MiB. Asking the allocator for them each time costs a fifth of the time in page faults, and on changing
//! threads leaves hundreds of megabytes behind.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread,
};

use argon2::{Argon2, Block};
use tokio::sync::oneshot;
use zeroize::Zeroize as _;

use super::HashingError;
use crate::locked;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// A fixed number of threads. They end when it is dropped.
pub struct Threads {
    jobs: Sender<Job>,
}

/// What one thread hashes in.
#[derive(Default)]
pub struct Memory {
    blocks: Vec<Block>,
    dirty: bool,
}

impl Threads {
    /// Starts `count` threads that keep memory for hashes of so many blocks of 1 KiB. They take it with their first hash.
    ///
    /// # Errors
    /// [`HashingError::Failed`] when the system starts none.
    pub fn start(count: usize, blocks: usize) -> Result<Self, HashingError> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..count.max(1) {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name("hashing".to_owned())
                .spawn(move || work(&queue, blocks))
                .map_err(|_| HashingError::Failed)?;
        }
        Ok(Self { jobs })
    }

    /// Runs `work` on the next free thread. It is done even when nobody waits for its result any more.
    ///
    /// # Errors
    /// [`HashingError::Failed`] when the thread ended, which a panic in `work` makes it do.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            // Whoever asked may be gone.
            let _ = done.send(work(memory));
        });
        self.jobs.send(job).map_err(|_| HashingError::Failed)?;
        result.await.map_err(|_| HashingError::Failed)
    }
}

/// How much nicer than the rest of the program the threads are. Whoever hashes has waited already; a page of somebody who
/// is signed in takes a millisecond and goes first.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Lets other threads go first. Where the system counts niceness by process and not by thread, nothing is done.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "hashing threads keep their priority");
    }
}

fn work(queue: &Mutex<Receiver<Job>>, blocks: usize) {
    step_back();
    let mut memory = Memory::default();
    let next = |wait: bool| {
        let queue = locked(queue);
        if wait {
            queue.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            queue.try_recv()
        }
    };
    loop {
        let job = match next(false) {
            // The next hash overwrites what the last one left. Before a pause it is wiped.
            Err(TryRecvError::Empty) => {
                memory.wipe();
                next(true)
            }
            found => found,
        };
        let Ok(job) = job else { return };
        memory.keep(blocks);
        // A panic of one job, which would be a mistake of ours, must not cost a thread.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut memory)));
        if outcome.is_err() {
            tracing::error!("a hash failed");
        }
    }
}

impl Memory {
    fn keep(&mut self, blocks: usize) {
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, Block::default());
        }
        self.dirty = true;
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.dirty) {
            self.blocks.iter_mut().for_each(Block::zeroize);
        }
    }

    /// Computes a hash, in this memory when it is enough, which it is for all but damaged or foreign parameters.
    ///
    /// # Errors
    /// [`HashingError::Failed`] when the library refuses.
    pub fn hash(
        &mut self,
        argon2: &Argon2<'_>,
        secret: &[u8],
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), HashingError> {
        let hashed = if argon2.params().block_count() <= self.blocks.len() {
            argon2.hash_password_into_with_memory(secret, salt, out, &mut self.blocks)
        } else {
            argon2.hash_password_into(secret, salt, out)
        };
        hashed.map_err(|_| HashingError::Failed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_after_a_panic_and_memory_is_wiped_before_a_pause() {
        let threads = Threads::start(1, 8).unwrap();
        let failed: Result<(), _> = threads.run(|_| panic!("a mistake of ours")).await;
        assert_eq!(failed, Err(HashingError::Failed));
        threads
            .run(|memory| memory.blocks[3].as_mut().fill(7))
            .await
            .unwrap();
        let is_wiped = || {
            threads.run(|memory| {
                let mut words = memory.blocks.iter().flat_map(AsRef::as_ref);
                words.all(|word| *word == 0)
            })
        };
        // The thread either pauses between two pieces of work, and wipes, or finds the next at once: then nothing is
        // promised. Whoever gives it the time sees it pause.
        let wiped = tokio::time::timeout(Duration::from_secs(30), async {
            while !is_wiped().await.unwrap() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        assert!(wiped.await.is_ok(), "never wiped");
    }

    #[tokio::test]
    async fn the_same_hash_comes_from_kept_memory_and_from_new() {
        let params = argon2::Params::new(64, 1, 1, Some(32)).unwrap();
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut hashes = Vec::new();
        for blocks in [64, 8] {
            let (threads, argon2) = (Threads::start(1, blocks).unwrap(), argon2.clone());
            let hash = threads
                .run(move |memory| {
                    let mut out = [0; 32];
                    memory
                        .hash(&argon2, b"secret", b"some salt", &mut out)
                        .map(|()| out)
                })
                .await
                .unwrap();
            hashes.push(hash.unwrap());
        }
        assert_eq!(hashes[0], hashes[1]);
    }
}
