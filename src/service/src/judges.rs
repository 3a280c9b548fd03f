//! Judging new passwords off the async threads: zxcvbn takes long enough to be felt by everybody whose request waits
//! behind it (N4, attacks.md T010). An account has one turn at a time, so that nobody takes those of all others.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use vestibule_core::{
    account::Account, company::Company, id::AccountId, refusal::FieldProblem, secret::Password,
};

use crate::{
    Failure, Service,
    hashing::HashingError,
    profile::{
        Judgement,
        password::{judge, new_password_problems},
    },
    turns::TurnsOf,
};

/// What a password is judged for. Each has turns of its own, so that nobody's typing keeps a form waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Feedback while it is typed: without an answer the page says nothing.
    Typing,
    /// A form was sent.
    Form,
}

impl Reason {
    const ALL: [Self; 2] = [Self::Typing, Self::Form];

    /// How many are judged at once.
    const fn turns(self) -> usize {
        match self {
            Self::Typing => 1,
            Self::Form => 2,
        }
    }

    /// How long one waits for its turn.
    const fn longest_wait(self) -> Duration {
        match self {
            Self::Typing => Duration::from_millis(500),
            Self::Form => Duration::from_secs(5),
        }
    }
}

/// The turns of one reason.
struct Turns {
    all: Arc<Semaphore>,
    accounts: TurnsOf<AccountId>,
}

/// The turns of each reason.
pub(crate) struct Judges([Turns; Reason::ALL.len()]);

impl Default for Judges {
    fn default() -> Self {
        Self(Reason::ALL.map(|reason| Turns {
            all: Arc::new(Semaphore::new(reason.turns())),
            accounts: TurnsOf::new(1),
        }))
    }
}

impl Judges {
    /// Does the work about a password of this account on a thread that may take its time; `None` = the operator asks.
    ///
    /// # Errors
    /// [`HashingError::Slow`] when its turn did not come in time.
    pub async fn in_turn<T: Send + 'static>(
        &self,
        reason: Reason,
        account: Option<AccountId>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let [typing, form] = &self.0;
        let turns = match reason {
            Reason::Typing => typing,
            Reason::Form => form,
        };
        let own = account.map(|account| turns.accounts.of(account));
        let turn = async {
            // Its own first: whoever waits for that stands in nobody's way.
            let own = match own {
                Some(own) => Some(own.acquire_owned().await?),
                None => None,
            };
            let turn = Arc::clone(&turns.all).acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>((own, turn))
        };
        let turn = tokio::time::timeout(reason.longest_wait(), turn)
            .await
            .map_err(|_| HashingError::Slow)?
            .map_err(|_| HashingError::Failed)?;
        tokio::task::spawn_blocking(move || {
            // The turn ends with the work, even when nobody waits for the answer any more.
            let _turn = turn;
            work()
        })
        .await
        .map_err(|_| HashingError::Failed)
    }
}

impl Service {
    /// How good a password is that is being typed.
    pub(crate) async fn judge_typed(
        &self,
        new: &Password,
        company: Company,
        account: Account,
    ) -> Result<Judgement, Failure> {
        let (new, id) = (new.clone(), account.id);
        let judged = move || judge(&new, &company, &account);
        Ok(self
            .inner
            .judges
            .in_turn(Reason::Typing, Some(id), judged)
            .await?)
    }

    /// Everything that is wrong with a new password that was typed twice.
    pub(crate) async fn judge_new(
        &self,
        new: &Password,
        confirm: &Password,
        company: &Company,
        account: &Account,
    ) -> Result<Vec<FieldProblem>, Failure> {
        let (new, confirm) = (new.clone(), confirm.clone());
        let (company, account, id) = (company.clone(), account.clone(), account.id);
        let judged = move || new_password_problems(&new, &confirm, &company, &account);
        Ok(self.inner.judges.in_turn(Reason::Form, Some(id), judged).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::FutureExt as _;

    use super::*;
    use crate::locked;

    const ADA: Option<AccountId> = Some(AccountId(uuid::Uuid::from_u128(1)));
    const BOB: Option<AccountId> = Some(AccountId(uuid::Uuid::from_u128(2)));

    /// Work that ends only when somebody else on the only async thread gets on.
    #[tokio::test]
    async fn whoever_is_judged_keeps_nobody_waiting() {
        let judges = Judges::default();
        let (sender, receiver) = std::sync::mpsc::channel();
        let (done, ()) = tokio::join!(
            judges.in_turn(Reason::Form, ADA, move || receiver.recv().is_ok()),
            async move { sender.send(()).unwrap() }
        );
        assert_eq!(done, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_typing_is_told_so_and_forms_go_on() {
        let judges = Judges::default();
        let [typing, _] = &judges.0;
        let taken = typing.all.acquire().await.unwrap();
        assert_eq!(
            judges.in_turn(Reason::Typing, ADA, || ()).await,
            Err(HashingError::Slow)
        );
        assert_eq!(judges.in_turn(Reason::Form, ADA, || 1).await, Ok(1));
        drop(taken);
        assert_eq!(judges.in_turn(Reason::Typing, ADA, || 2).await, Ok(2));
    }

    #[tokio::test]
    async fn one_account_takes_one_turn_however_much_it_sends() {
        let judges = Judges::default();
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut flood: Vec<_> = (0..20)
            .map(|_| {
                let receiver = Arc::clone(&receiver);
                Box::pin(judges.in_turn(Reason::Form, ADA, move || {
                    let _ = locked(&receiver).recv();
                }))
            })
            .collect();
        for judged in &mut flood {
            assert!(judged.as_mut().now_or_never().is_none());
        }
        assert_eq!(judges.in_turn(Reason::Form, BOB, || 1).await, Ok(1));
        drop(sender);
        for judged in flood {
            assert_eq!(judged.await, Ok(()));
        }
    }
}
