//! Entered codes of every kind: counted before they are compared, on the one counter of the account (product.md 4.5).

use chrono::TimeDelta;
use vestibule_core::{
    account::{Account, LockReason},
    audit::{AuditEntry, Event},
    authenticator::{AppMatch, AppSecret},
    backup_code::BackupCode,
    company::Company,
    form::code_problem,
    id::{AccountId, CodeId, CompanyId},
    limits::WRONG_CODES_TO_LOCK,
    mail::Mail,
    ports::Moment,
    refusal::{CodeHint, Field, Refusal},
    secret::{SixDigits, same},
    session::Proof,
    sign_in::{AfterCode, Comparison, OldCode, after_code, own_code},
};
use vestibule_storage::{
    AppRow, BackupSet, CodeCount, IssuedRow, MailedCodeRow, Reader, StoreError, Writer, again,
};
use zeroize::Zeroizing;

use crate::{
    Failure, Service, Visitor,
    counted::{Counted, TakeBack},
    keys::{Fit, Purpose},
    letters::Receiver,
};

/// A try on the account's one counter of wrong codes.
pub(crate) struct CodeTry {
    company: CompanyId,
    account: AccountId,
    count: CodeCount,
}

impl CodeTry {
    /// Takes it back, as part of a transaction.
    pub async fn take_back_in(&self, writer: &mut Writer) -> Result<(), StoreError> {
        writer
            .uncount_wrong_code(self.company, self.account, self.count.round)
            .await
    }
}

impl TakeBack for CodeTry {
    async fn take_back(&self, writer: &mut Writer) -> Result<(), StoreError> {
        self.take_back_in(writer).await
    }
}

/// An authenticator app as its codes are compared.
pub(crate) struct OpenApp {
    secret: AppSecret,
    /// The secret as it is stored.
    sealed: Vec<u8>,
    /// The last step that was used.
    step: i64,
}

/// A well-formed entry.
pub(crate) enum Entered {
    /// A mailed code, or one of an authenticator app.
    Digits(SixDigits),
    /// One of the ten, or one that an administrator issued.
    Backup(BackupCode),
}

/// Something that can be used once, and was entered.
pub(crate) enum Found {
    /// The mailed code.
    Mailed(CodeId),
    /// A step of the authenticator app, under the secret it was computed with.
    App { sealed: Vec<u8>, step: i64 },
    /// One of the ten backup codes.
    Backup([u8; 32]),
    /// The backup code that an administrator issued.
    Issued([u8; 32]),
}

impl Entered {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for anything that is no code.
    pub fn parse(typed: &str) -> Result<Self, Refusal> {
        if let Some(problem) = code_problem(typed) {
            return Err(Refusal::field(Field::Code, problem));
        }
        SixDigits::parse(typed)
            .map(Self::Digits)
            .or_else(|| BackupCode::parse(typed).map(Self::Backup))
            .ok_or(Refusal::Malformed)
    }

    /// What was entered, the same however it was typed.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Digits(digits) => digits.reveal().as_bytes(),
            Self::Backup(code) => code.bytes(),
        }
    }
}

impl Found {
    /// What it proves.
    pub const fn proof(&self) -> Proof {
        match self {
            Self::Mailed(_) => Proof::EmailCode,
            Self::App { .. } => Proof::AppCode,
            Self::Backup(_) => Proof::BackupCode,
            Self::Issued(_) => Proof::IssuedCode,
        }
    }
}

impl Service {
    /// Counts a try in a transaction of its own, before anything is compared: neither parallel guesses, nor a dropped
    /// connection, nor a crash gives a free guess.
    pub(crate) async fn count_code(&self, account: &Account) -> Result<Counted<CodeTry>, Failure> {
        let ids = (account.company, account.id);
        let mut writer = self.inner.store.write_one().await?;
        let mut counted = writer
            .count_wrong_code(ids.0, ids.1, WRONG_CODES_TO_LOCK - 1)
            .await?;
        writer.commit().await?;
        if counted.is_none() {
            counted = self.count_last_code(ids).await?;
        }
        let Some(count) = counted else {
            self.complete_lock(account.company, account.id).await?;
            return Err(Refusal::AccountLocked.into());
        };
        let counted = CodeTry {
            company: account.company,
            account: account.id,
            count,
        };
        Ok(Counted::new(&self.inner.store, counted))
    }

    /// Counts the try that locks the account if it is wrong, together with when that was.
    async fn count_last_code(
        &self,
        (company, account): (CompanyId, AccountId),
    ) -> Result<Option<CodeCount>, StoreError> {
        let mut writer = self.inner.store.write().await?;
        let counted = writer
            .count_wrong_code(company, account, WRONG_CODES_TO_LOCK)
            .await?;
        if counted.is_some() {
            writer
                .note_last_code(company, account, self.database_now())
                .await?;
        }
        writer.commit().await?;
        Ok(counted)
    }

    /// What follows from a code that was not right.
    pub(crate) async fn refuse_code(
        &self,
        receiver: Receiver<'_>,
        comparison: Comparison,
        counted: Counted<CodeTry>,
        visitor: &Visitor,
    ) -> Result<Refusal, Failure> {
        let Receiver { company, account } = receiver;
        let number = counted.what().count.number;
        let after = after_code(comparison, number);
        // Before anything that can fail: what was compared and is wrong counts, whatever becomes of its notice.
        match after {
            AfterCode::Wrong { .. } | AfterCode::Lock => counted.stands(),
            AfterCode::Session | AfterCode::Uncount(_) => counted.take_back().await,
        }
        Ok(match after {
            AfterCode::Session => Refusal::SignInExpired,
            AfterCode::Uncount(OldCode::Replaced) => Refusal::CodeReplaced,
            AfterCode::Uncount(OldCode::Expired) => Refusal::CodeExpired,
            AfterCode::Uncount(OldCode::Elsewhere) => Refusal::CodeElsewhere,
            AfterCode::Wrong { left, hint } => {
                let entry = AuditEntry {
                    detail: Some(number.to_string()),
                    ..visitor.entry(Event::CodeRefused, Some(company.id), Some(account.id))
                };
                self.note(entry).await?;
                Refusal::WrongCode { left, hint }
            }
            AfterCode::Lock => {
                again(|| self.lock(company, account, visitor)).await?;
                Refusal::AccountLocked
            }
        })
    }

    /// Remembers a code that is mailed to the account, so that it is known again when it is old.
    pub(crate) async fn remember_code(
        &self,
        writer: &mut Writer,
        account: &Account,
        (code, digits): (CodeId, &SixDigits),
    ) -> Result<(), StoreError> {
        let fingerprint = self
            .inner
            .keys
            .fingerprint(Purpose::Code, &mailed_parts(account, digits));
        writer
            .remember_code(account.company, account.id, code, &fingerprint, self.now())
            .await
    }

    /// Whether what is wrong here was mailed to this account within a day for something else, and never used. `mailed_at`
    /// says when a code was last mailed for what it was entered for, `may_be_right` whether any code could have been right
    /// there.
    ///
    /// An entry that fits one of at most twenty codes is not counted. That opens nothing and tells nothing that is of use:
    /// of a million entries, twenty.
    pub(crate) fn compare_others(
        &self,
        account: &Account,
        entered: &SixDigits,
        codes: &[MailedCodeRow],
        mailed_at: Option<Moment>,
        may_be_right: bool,
    ) -> Comparison {
        let now = self.now();
        let parts = mailed_parts(account, entered);
        let mut found = Comparison::Wrong(None);
        // Oldest first: when two codes happen to be equal, the newest decides.
        for code in codes.iter().rev() {
            // One of a key that is gone is none of these: what is guessed is the newest code, which was judged before.
            if self.inner.keys.fits(Purpose::Code, &parts, &code.fingerprint) == Fit::Right {
                found = own_code(now, code.created_at, code.live_until, mailed_at, may_be_right);
            }
        }
        found
    }

    /// What was mailed to this account within a day. Read before anything is compared: a fault of ours that comes after a
    /// comparison would make a wrong guess free.
    pub(crate) async fn mailed_within_a_day(
        &self,
        reader: &mut Reader,
        account: &Account,
    ) -> Result<Vec<MailedCodeRow>, StoreError> {
        let since = self.now() - TimeDelta::days(1);
        reader.mailed_codes(account.company, account.id, since).await
    }

    /// The authenticator app of an account that has one, with its secret opened. Read before anything is compared, like
    /// [`Service::mailed_within_a_day`].
    ///
    /// # Errors
    /// [`Failure::Unsealable`] when no key opens the secret: that refuses everybody, it lets nobody in.
    pub(crate) async fn open_app(
        &self,
        reader: &mut Reader,
        account: &Account,
    ) -> Result<Option<OpenApp>, Failure> {
        if !account.app_factor {
            return Ok(None);
        }
        let Some(AppRow { sealed, step }) = reader.app_of(account.company, account.id).await? else {
            return Ok(None);
        };
        let secret = self.open_app_secret(account, &sealed)?;
        Ok(Some(OpenApp { secret, sealed, step }))
    }

    /// Which step of the account's authenticator app was entered.
    pub(crate) async fn find_app_code(
        &self,
        account: &Account,
        entered: &SixDigits,
        app: OpenApp,
    ) -> (Comparison, Option<Found>) {
        let OpenApp {
            secret,
            sealed,
            step: last,
        } = app;
        match secret.find(entered, self.now()) {
            AppMatch::Step(step) if step > last => (Comparison::Right, Some(Found::App { sealed, step })),
            AppMatch::Step(_) => (Comparison::Wrong(Some(CodeHint::Used)), None),
            AppMatch::Off { step, hint } => {
                // Whoever guessed it now knows when it will be right. What cannot be noted is not told: it was compared,
                // and is wrong all the same.
                let noted = self.note_hinted_step(account, step).await;
                if let Err(error) = &noted {
                    tracing::warn!(%error, "a hint about a phone's clock is kept back");
                }
                (Comparison::Wrong(noted.is_ok().then_some(hint)), None)
            }
            AppMatch::Nothing => (Comparison::Wrong(None), None),
        }
    }

    async fn note_hinted_step(&self, account: &Account, step: i64) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write_one().await?;
        writer.note_hinted_step(account.company, account.id, step).await?;
        writer.commit().await
    }

    /// Which backup code was entered: one of the ten, or the one that an administrator issued.
    pub(crate) async fn find_backup_code(
        &self,
        account: &Account,
        entered: &BackupCode,
    ) -> Result<(Comparison, Option<Found>), Failure> {
        let mut reader = self.inner.store.read().await?;
        let set = reader.backup_codes_of(account.company, account.id).await?;
        let issued = reader.issued_code_of(account.company, account.id).await?;
        drop(reader);
        if let Some(BackupSet { salt, codes, .. }) = set {
            let hash = self.hash_backup_code(entered, &salt).await?;
            // All are compared, whatever fits first.
            let mut fitting = None;
            for code in &codes {
                if same(&code.code_hash, &hash) {
                    fitting = Some(code);
                }
            }
            if let Some(code) = fitting {
                return Ok(match code.used_at {
                    None => (Comparison::Right, Some(Found::Backup(hash))),
                    Some(_) => (Comparison::Wrong(Some(CodeHint::Used)), None),
                });
            }
        }
        if let Some(IssuedRow {
            salt,
            code_hash,
            expires_at,
            used_at,
        }) = issued
        {
            let hash = self.hash_backup_code(entered, &salt).await?;
            if same(&code_hash, &hash) {
                return Ok(match used_at {
                    Some(_) => (Comparison::Wrong(Some(CodeHint::Used)), None),
                    None if expires_at <= self.now() => (Comparison::Expired, None),
                    None => (Comparison::Right, Some(Found::Issued(hash))),
                });
            }
        }
        Ok((Comparison::Wrong(None), None))
    }

    /// Uses up what was entered, as part of the transaction that it opens the door for. Of several requests at once,
    /// one gets `true`.
    pub(crate) async fn use_up(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        found: &Found,
        visitor: &Visitor,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let Receiver { company, account } = receiver;
        let (event, detail) = match found {
            Found::Mailed(code) => return writer.use_code(company.id, *code, now).await,
            Found::App { sealed, step } => {
                return writer.use_app_step(company.id, account.id, sealed, *step).await;
            }
            Found::Backup(hash) => {
                if !writer.use_backup_code(company.id, account.id, hash, now).await? {
                    return Ok(false);
                }
                let left = writer
                    .backup_codes_left(company.id, account.id)
                    .await?
                    .unwrap_or(0);
                let mail = Mail::BackupCodeUsed {
                    about: receiver.about(visitor),
                    left: u32::try_from(left).unwrap_or_default(),
                };
                self.tell(writer, receiver, mail).await?;
                (Event::BackupCodeUsed, Some(left.to_string()))
            }
            Found::Issued(hash) => {
                if !writer.use_issued_code(company.id, account.id, hash, now).await? {
                    return Ok(false);
                }
                (Event::IssuedCodeUsed, None)
            }
        };
        let entry = AuditEntry {
            detail,
            ..visitor.entry(event, Some(company.id), Some(account.id))
        };
        self.record(writer, &entry).await?;
        Ok(true)
    }

    /// The hash of a backup code. One salt serves a whole set, so that a try costs one hash (N16).
    async fn hash_backup_code(&self, code: &BackupCode, salt: &[u8]) -> Result<[u8; 32], Failure> {
        let bytes = Zeroizing::new(code.bytes().to_vec());
        let hashes = self.inner.hasher.derive(vec![bytes], salt.to_vec()).await?;
        Ok(hashes.first().copied().unwrap_or_default())
    }

    /// Hides an app's secret for the database: it opens only for this account of this company.
    pub(crate) fn seal_app_secret(&self, account: &Account, secret: &AppSecret) -> Result<Vec<u8>, Failure> {
        let context = app_context(account.company, account.id);
        Ok(self
            .inner
            .keys
            .seal(Purpose::AppSecret, &context, secret.bytes(), self.random())?)
    }

    /// The app's secret of an account.
    pub(crate) fn open_app_secret(&self, account: &Account, sealed: &[u8]) -> Result<AppSecret, Failure> {
        let plain = self.inner.keys.open(
            Purpose::AppSecret,
            &app_context(account.company, account.id),
            sealed,
        )?;
        AppSecret::from_bytes(&plain).ok_or(Failure::Unsealable(crate::keys::Unsealable))
    }

    async fn lock(&self, company: &Company, account: &Account, visitor: &Visitor) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        self.lock_in(&mut writer, company, account, visitor).await?;
        writer.commit().await?;
        Ok(())
    }

    /// Locks the account: its pending sign-ins, its set-ups, a backup code that was issued to it and all trust in browsers
    /// end, and the agent hears of it by mail.
    pub(crate) async fn lock_in(
        &self,
        writer: &mut Writer,
        company: &Company,
        account: &Account,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        let locked = writer
            .lock_account(
                company.id,
                account.id,
                LockReason::WrongCodes.as_str(),
                self.now(),
            )
            .await?;
        if !locked {
            return Ok(());
        }
        writer.delete_pendings_of(company.id, account.id).await?;
        writer.end_set_ups_of(company.id, account.id).await?;
        writer.end_trusted_of(company.id, account.id).await?;
        writer.end_issued_code(company.id, account.id, self.now()).await?;
        let receiver = Receiver::new(company, account);
        let about = receiver.about(visitor);
        let mail = Mail::AccountLocked {
            name: about.name,
            company: about.company,
            account: about.account,
            browser: about.browser,
            address: about.address,
            times: about.times,
        };
        self.tell(writer, receiver, mail).await?;
        self.record(
            writer,
            &visitor.entry(Event::AccountLocked, Some(company.id), Some(account.id)),
        )
        .await
    }
}

/// What the fingerprint of a mailed code covers under which it is known again: whose it was. Nothing opens by it.
fn mailed_parts<'a>(account: &'a Account, digits: &'a SixDigits) -> [&'a [u8]; 4] {
    [
        account.company.0.as_bytes(),
        account.id.0.as_bytes(),
        digits.reveal().as_bytes(),
        b"mailed",
    ]
}

/// What an app's secret is bound to: swapped between two accounts, neither opens.
pub(crate) fn app_context(company: CompanyId, account: AccountId) -> Vec<u8> {
    [company.0.as_bytes().as_slice(), account.0.as_bytes()].concat()
}
