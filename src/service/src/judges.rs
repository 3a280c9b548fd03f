//! Judging new passwords off the async threads: zxcvbn takes long enough to be felt by everybody whose request waits
//! behind it (N4, attacks.md T010).

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use vestibule_core::{account::Account, company::Company, secret::Password, signed_in::FormFieldProblem};

use crate::{
    Failure, Service,
    hashing::HashingError,
    profile::{
        Judgement,
        password::{judge, new_password_problems},
    },
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

/// The turns of each reason.
pub(crate) struct Judges([Arc<Semaphore>; Reason::ALL.len()]);

impl Default for Judges {
    fn default() -> Self {
        Self(Reason::ALL.map(|reason| Arc::new(Semaphore::new(reason.turns()))))
    }
}

impl Judges {
    /// Does the work on a thread that may take its time.
    ///
    /// # Errors
    /// [`HashingError::Slow`] when its turn did not come in time.
    pub async fn in_turn<T: Send + 'static>(
        &self,
        reason: Reason,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let [typing, form] = &self.0;
        let turns = match reason {
            Reason::Typing => typing,
            Reason::Form => form,
        };
        let turn = tokio::time::timeout(reason.longest_wait(), Arc::clone(turns).acquire_owned())
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
        let new = new.clone();
        let judged = move || judge(&new, &company, &account);
        Ok(self.inner.judges.in_turn(Reason::Typing, judged).await?)
    }

    /// Everything that is wrong with a new password that was typed twice.
    pub(crate) async fn judge_new(
        &self,
        new: &Password,
        confirm: &Password,
        company: &Company,
        account: &Account,
    ) -> Result<Vec<FormFieldProblem>, Failure> {
        let (new, confirm) = (new.clone(), confirm.clone());
        let (company, account) = (company.clone(), account.clone());
        let judged = move || new_password_problems(&new, &confirm, &company, &account);
        Ok(self.inner.judges.in_turn(Reason::Form, judged).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that ends only when somebody else on the only async thread gets on.
    #[tokio::test]
    async fn whoever_is_judged_keeps_nobody_waiting() {
        let judges = Judges::default();
        let (sender, receiver) = std::sync::mpsc::channel();
        let (done, ()) = tokio::join!(
            judges.in_turn(Reason::Form, move || receiver.recv().is_ok()),
            async move { sender.send(()).unwrap() }
        );
        assert_eq!(done, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_typing_is_told_so_and_forms_go_on() {
        let judges = Judges::default();
        let [typing, _] = &judges.0;
        let taken = typing.acquire().await.unwrap();
        assert_eq!(
            judges.in_turn(Reason::Typing, || ()).await,
            Err(HashingError::Slow)
        );
        assert_eq!(judges.in_turn(Reason::Form, || 1).await, Ok(1));
        drop(taken);
        assert_eq!(judges.in_turn(Reason::Typing, || 2).await, Ok(2));
    }
}
