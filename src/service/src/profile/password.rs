//! A new password.

use vestibule_core::{
    account::Account,
    audit::Event,
    company::Company,
    gate,
    limits::{PASSWORD_MAX, PASSWORD_MAX_BYTES},
    mail::Mail,
    password::{assess, problem},
    refusal::{Field, FieldProblem, Problem, Refusal},
    secret::Password,
};
use vestibule_storage::again;

use super::{Judgement, PasswordInput};
use crate::{
    Failure, Profile, Service, Visitor,
    accounts::PasswordToSet,
    counted::Counted,
    hashing::Lane,
    judges::Reason,
    letters::Receiver,
    sessions::{Need, SignedIn},
    sign_in::{
        password::usable,
        tries::{Compared, PasswordTry, forgive},
    },
};

impl Profile {
    /// Changes the password. All sessions end, this one too: the agent signs in with the new password. Trust in browsers,
    /// pending sign-ins and set-ups end with them, and a mail tells of it.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with everything that is wrong; [`Refusal::StepUpNeeded`] when the account has a
    /// second factor that was not proved moments ago; what the gate says.
    pub async fn change_password(&self, input: PasswordInput, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let signed_in = self.require(Need::Home, visitor).await?;
                let need = need_for(&signed_in.account);
                if need == Need::ProvedHome {
                    self.require(need, visitor).await?;
                }
                gate::admit(&signed_in.company, &signed_in.account)?;
                let account = Some(signed_in.account.id);
                let judged = move || (problems(&input, &signed_in), input, signed_in);
                let judged = self.inner.judges.in_turn(Reason::Form, account, judged);
                let (fields, input, signed_in) = judged.await?;
                if !fields.is_empty() {
                    return Err(Refusal::Invalid { fields }.into());
                }
                self.check_own_password(&signed_in, Field::OldPassword, &input.old, visitor)
                    .await?;
                let hash = self.inner.hasher.hash(&input.new, self.random()).await?;
                again(|| self.put_own_password(&hash, need, visitor)).await?;
                Ok(())
            })
            .await
    }

    /// How good a new password is, for feedback while it is typed. Changes nothing.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn judge_password(&self, new: &Password, visitor: &Visitor) -> Result<Judgement, Refusal> {
        let SignedIn { company, account, .. } = self.sign_in().signed_in(visitor).await?;
        visitor.attempt(self.judge_typed(new, company, account)).await
    }
}

impl Service {
    async fn put_own_password(&self, hash: &str, need: Need, visitor: &Visitor) -> Result<(), Failure> {
        let (mut work, SignedIn { company, account, .. }) = self.enter(need, visitor).await?;
        gate::admit(&company, &account)?;
        let (c, a) = (company.id, account.id);
        let receiver = Receiver::new(&company, &account);
        let password = PasswordToSet {
            hash,
            temporary_until: None,
        };
        self.put_password(&mut work, receiver, password).await?;
        let about = receiver.about(visitor);
        self.tell(&mut work, receiver, Mail::PasswordChanged { about })
            .await?;
        let entry = work.entry(Event::PasswordChanged, c, Some(a));
        self.record(&mut work, &entry).await?;
        Ok(work.commit().await?)
    }

    /// Checks the password of somebody who is signed in. Wrong ones count for the account like any other (N7); the
    /// address has nothing to do with it, because the session has proved itself.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for `field` when it is wrong, or may not be tried now.
    pub(crate) async fn check_own_password(
        &self,
        signed_in: &SignedIn,
        field: Field,
        typed: &Password,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        if let Some(problem) = typing_problem(typed) {
            return Err(Refusal::field(field, problem).into());
        }
        let SignedIn { company, account, .. } = signed_in;
        let mut reader = self.inner.store.read().await?;
        let candidate = self.candidate_for(&mut reader, company, account, visitor).await?;
        drop(reader);
        if !self.is_blocked(&candidate).await? {
            let line = self.inner.hasher.line();
            let mut turn = line
                .turn(Lane::Known, Some(candidate.key()), &visitor.place)
                .await?;
            let mut reader = self.inner.store.read().await?;
            let stored = reader.password_of(company.id, account.id).await?;
            drop(reader);
            let now = self.now();
            let stored = stored.as_ref().and_then(|stored| usable(stored, now));
            let compared = self.compare_counted(&candidate, &turn, typed, stored).await?;
            turn.compared();
            if let Compared::Right { counted, .. } = compared {
                return self.own_password_was_right(counted, visitor).await;
            }
        }
        if again(|| self.count_in_session(signed_in, visitor)).await? {
            return Err(Refusal::NotSignedIn.into());
        }
        Err(Refusal::field(field, Problem::Wrong).into())
    }

    async fn own_password_was_right(
        &self,
        counted: Counted<PasswordTry>,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        // Left with a fault, it is taken back all the same.
        again(async || {
            let mut writer = self.inner.store.write().await?;
            forgive(&mut writer, &counted, Some(&visitor.source), self.now()).await?;
            writer.commit().await
        })
        .await?;
        counted.stands();
        Ok(())
    }
}

/// The old password proves who it is where there is nothing else to prove.
const fn need_for(account: &Account) -> Need {
    if account.has_second_factor() {
        Need::ProvedHome
    } else {
        Need::Home
    }
}

/// How good a new password is for this account.
pub(crate) fn judge(new: &Password, company: &Company, account: &Account) -> Judgement {
    let names = names(company, account);
    let (strength, problem) = assess(new, &names, company.settings.password_min);
    Judgement { strength, problem }
}

/// The names that an attacker tries first (N4).
fn names<'a>(company: &'a Company, account: &'a Account) -> [&'a str; 6] {
    [
        &company.name,
        &account.name,
        &account.email,
        &account.person.first_name,
        &account.person.last_name,
        &account.person.alias,
    ]
}

/// What cannot be the password, whatever it is.
fn typing_problem(typed: &Password) -> Option<Problem> {
    let typed = typed.reveal();
    if typed.is_empty() {
        Some(Problem::Missing)
    } else if typed.chars().count() > PASSWORD_MAX || typed.len() > PASSWORD_MAX_BYTES {
        Some(Problem::TooLong { most: PASSWORD_MAX })
    } else {
        None
    }
}

/// Everything that is wrong with what was typed, before any hash is computed.
fn problems(input: &PasswordInput, signed_in: &SignedIn) -> Vec<FieldProblem> {
    let SignedIn { company, account, .. } = signed_in;
    let (old, new) = (input.old.reveal(), input.new.reveal());
    let new_problem = if !new.is_empty() && new == old {
        Some(Problem::Unchanged)
    } else {
        problem(
            &input.new,
            &names(company, account),
            company.settings.password_min,
        )
    };
    [
        (Field::OldPassword, typing_problem(&input.old)),
        (Field::NewPassword, new_problem),
        (
            Field::ConfirmPassword,
            confirm_problem(&input.new, &input.confirm),
        ),
    ]
    .into_iter()
    .filter_map(|(field, problem)| problem.map(|problem| FieldProblem { field, problem }))
    .collect()
}

fn confirm_problem(new: &Password, confirm: &Password) -> Option<Problem> {
    if confirm.reveal().is_empty() {
        Some(Problem::Missing)
    } else {
        (confirm.reveal() != new.reveal()).then_some(Problem::Different)
    }
}

/// Everything that is wrong with a new password that was typed twice.
pub(crate) fn new_password_problems(
    new: &Password,
    confirm: &Password,
    company: &Company,
    account: &Account,
) -> Vec<FieldProblem> {
    let new_problem = problem(new, &names(company, account), company.settings.password_min);
    [
        (Field::NewPassword, new_problem),
        (Field::ConfirmPassword, confirm_problem(new, confirm)),
    ]
    .into_iter()
    .filter_map(|(field, problem)| problem.map(|problem| FieldProblem { field, problem }))
    .collect()
}
