//! Setting up, replacing and turning off a second factor (N15; product.md section 3, Security Settings).
//!
//! A set-up belongs to the session that began it, ends after ten minutes, and a newer one of the same method replaces
//! it. Nothing counts as a second factor before its first code was right.

use chrono::TimeDelta;
use fast_qr::{
    QRBuilder,
    convert::{Builder as _, svg::SvgBuilder},
};
use uuid::Uuid;
use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    authenticator::{AppMatch, AppSecret},
    code::{may_mail, may_resend, resend_in, seconds_until},
    company::Company,
    form::code_problem,
    id::{CodeId, SetUpId},
    mail::{FactorChange, Mail},
    ports::Moment,
    refusal::{Field, Problem, Refusal},
    second_factor::{has_method, may_turn_off, set_up_ends_at},
    secret::SixDigits,
    session::{EndReason, Proof},
    sign_in::Comparison,
    sign_in_view::{CodeMail, Method},
};
use vestibule_storage::{NewSetUp, Reader, SetUpRow, StoreError, Writer, again};

use super::{AppSetUp, EmailSetUp, SetUpDone};
use crate::{
    Failure, Profile, Service, Visitor,
    codes::app_context,
    keys::{Fit, Purpose},
    letters::{CodeLetter, Receiver},
    sessions::{Need, SignedIn},
    sign_in::code_mail,
};

/// Size of the quiet zone around a QR code, in its modules (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// The right code that finishes a set-up. It must not be used again.
enum FirstCode {
    /// A mailed one.
    Mailed(CodeId),
    /// That of a step of the new app.
    App(i64),
}

impl Profile {
    /// Begins the set-up of codes by e-mail: a code goes to the account's address. One that was begun in this session
    /// moments ago goes on.
    ///
    /// # Errors
    /// `StepUpNeeded`; [`Refusal::CodeMailLimit`]; what the gate says.
    pub async fn begin_email_set_up(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let now = self.now();
                let (mut work, signed_in) = self.enter(Need::ProvedSetUp, visitor).await?;
                let open = self.open_set_up(&mut work, &signed_in, Method::Email).await?;
                if open.is_some_and(|open| resend_in(now, open.mailed_at) > 0) {
                    return Ok(());
                }
                let SignedIn {
                    session,
                    company,
                    account,
                    ..
                } = &signed_in;
                let set_up = NewSetUp {
                    company: company.id,
                    id: SetUpId::new(now, self.random()),
                    account: account.id,
                    session: *session,
                    method: Method::Email,
                    sealed: None,
                    created_at: now,
                    expires_at: set_up_ends_at(now),
                };
                work.begin_set_up(&set_up).await?;
                self.mail_set_up_code(
                    &mut work,
                    &signed_in,
                    (set_up.id, set_up.expires_at, None),
                    visitor,
                )
                .await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Mails a new set-up code; the old one is replaced. Never touches the counter of wrong codes (N12).
    ///
    /// # Errors
    /// `StepUpNeeded`, `SetUpOver`; [`Refusal::ResendTooSoon`], [`Refusal::ResendLimit`], [`Refusal::CodeMailLimit`].
    pub async fn resend_set_up_code(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let now = self.now();
                let (mut work, signed_in) = self.enter(Need::ProvedSetUp, visitor).await?;
                let open = self
                    .open_set_up(&mut work, &signed_in, Method::Email)
                    .await?
                    .ok_or(Refusal::SetUpOver)?;
                may_resend(now, open.mailed_at, open.resends)?;
                let company = signed_in.company.id;
                work.replace_set_up_codes(company, open.id, now).await?;
                self.mail_set_up_code(
                    &mut work,
                    &signed_in,
                    (open.id, open.expires_at, open.mailed_at),
                    visitor,
                )
                .await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Begins the set-up of an authenticator app with a new secret. A second factor that is on stays on until the new
    /// one is confirmed.
    ///
    /// # Errors
    /// `StepUpNeeded`; what the gate says.
    pub async fn begin_app_set_up(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let now = self.now();
                let (
                    mut work,
                    SignedIn {
                        session,
                        company,
                        account,
                        ..
                    },
                ) = self.enter(Need::ProvedSetUp, visitor).await?;
                let id = SetUpId::new(now, self.random());
                let sealed = self.inner.keys.seal(
                    Purpose::AppSecret,
                    &set_up_context(&account, id),
                    AppSecret::draw(self.random()).bytes(),
                    self.random(),
                )?;
                work.begin_set_up(&NewSetUp {
                    company: company.id,
                    id,
                    account: account.id,
                    session,
                    method: Method::App,
                    sealed: Some(sealed),
                    created_at: now,
                    expires_at: set_up_ends_at(now),
                })
                .await?;
                Ok(work.commit().await?)
            })
            .await
    }

    /// The set-up of codes by e-mail that is under way in this session.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; a failing database.
    pub async fn email_set_up(&self, visitor: &Visitor) -> Result<Option<EmailSetUp>, Refusal> {
        visitor
            .attempt(async {
                let signed_in = self.require(Need::SetUp, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let open = self.open_set_up(&mut reader, &signed_in, Method::Email).await?;
                let Some(open) = open else { return Ok(None) };
                let SignedIn { company, account, .. } = signed_in;
                let progress = reader
                    .newest_mail(company.id, account.id, Mail::SET_UP_CODE)
                    .await?;
                Ok(Some(EmailSetUp {
                    id: open.id,
                    address: account.email,
                    mail: match (open.mailed_at, progress) {
                        (None, _) => CodeMail::Limited,
                        (Some(_), None) => CodeMail::Queued,
                        (Some(_), Some(progress)) => code_mail(&progress),
                    },
                    resend_in: resend_in(self.now(), open.mailed_at),
                }))
            })
            .await
    }

    /// The set-up of an authenticator app that is under way in this session. Only there the secret can be read, and only
    /// with a recent proof of identity.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `StepUpNeeded`; a failing database.
    pub async fn app_set_up(&self, visitor: &Visitor) -> Result<Option<AppSetUp>, Refusal> {
        visitor
            .attempt(async {
                let signed_in = self.require(Need::SetUp, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let Some(open) = self.open_set_up(&mut reader, &signed_in, Method::App).await? else {
                    return Ok(None);
                };
                drop(reader);
                self.require(Need::ProvedSetUp, visitor).await?;
                let SignedIn { company, account, .. } = &signed_in;
                let secret = self.pending_secret(account, &open)?;
                let address = secret
                    .address(&company.name, &account.name)
                    .ok_or(crate::keys::Unsealable)?;
                let qr = QRBuilder::new(address.as_str())
                    .build()
                    .map_err(|_| crate::keys::Unsealable)?;
                Ok(Some(AppSetUp {
                    id: open.id,
                    qr: SvgBuilder::default().margin(QUIET_ZONE).to_str(&qr),
                    secret: secret.typed(),
                }))
            })
            .await
    }

    /// Finishes a set-up with its first code: the factor is on, all other sessions, pending sign-ins and trust in
    /// browsers end, and a mail tells of it. Wrong codes count on the account's one counter (N13). `set_up` is the
    /// identifier that the form carried.
    ///
    /// # Errors
    /// `SetUpOver` and `StepUpNeeded` (nothing was compared), [`Refusal::Invalid`] (not counted),
    /// [`Refusal::WrongCode`], [`Refusal::CodeReplaced`] and [`Refusal::CodeExpired`] (count taken back), what the gate
    /// says.
    pub async fn finish_set_up(
        &self,
        method: Method,
        set_up: &str,
        code: &str,
        visitor: &Visitor,
    ) -> Result<SetUpDone, Refusal> {
        visitor
            .attempt(async {
                let signed_in = self.require(Need::ProvedSetUp, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let open = self
                    .open_set_up(&mut reader, &signed_in, method)
                    .await?
                    .filter(|open| Uuid::parse_str(set_up).is_ok_and(|id| SetUpId(id) == open.id))
                    .ok_or(Refusal::SetUpOver)?;
                drop(reader);
                if let Some(problem) = code_problem(code) {
                    return Err(Refusal::field(Field::Code, problem).into());
                }
                let digits =
                    SixDigits::parse(code).ok_or_else(|| Refusal::field(Field::Code, Problem::NotACode))?;

                let SignedIn { company, account, .. } = &signed_in;
                let counted = self.count_code(account).await?;
                let compared = self
                    .compare_first_code(&signed_in, (method, &open), &digits)
                    .await;
                let (comparison, first) = match compared {
                    Ok(compared) => compared,
                    Err(failure) => {
                        counted.take_back().await;
                        self.note_unreadable(&failure, account, visitor).await?;
                        return Err(failure);
                    }
                };
                let (Comparison::Right, Some(first)) = (comparison, first) else {
                    let receiver = Receiver::new(company, account);
                    return Err(self
                        .refuse_code(receiver, comparison, counted, visitor)
                        .await?
                        .into());
                };
                counted.take_back().await;
                again(|| self.turn_on((&open, &first), visitor)).await
            })
            .await
    }

    /// Turns a second factor off; what is off already is fine. With the last factor the backup codes go too.
    ///
    /// # Errors
    /// `StepUpNeeded`; `LastFactor` when the company requires one; what the gate says.
    pub async fn turn_off(&self, method: Method, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let now = self.now();
                let (mut work, signed_in) = self.enter(Need::ProvedHome, visitor).await?;
                let SignedIn { company, account, .. } = &signed_in;
                if !has_method(account, method) {
                    return Ok(());
                }
                may_turn_off(company, account, method)?;
                let (change, last) = match method {
                    Method::Email => {
                        work.set_email_factor(company.id, account.id, false, now).await?;
                        (FactorChange::EmailOff, !account.app_factor)
                    }
                    Method::App => {
                        work.clear_app_secret(company.id, account.id, now).await?;
                        (FactorChange::AppOff, !account.email_factor)
                    }
                };
                if last {
                    work.delete_backup_codes(company.id, account.id).await?;
                    work.delete_issued_code(company.id, account.id).await?;
                }
                self.factor_changed(&mut work, &signed_in, change, visitor)
                    .await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }
}

impl Service {
    async fn mail_set_up_code(
        &self,
        writer: &mut Writer,
        signed_in: &SignedIn,
        (id, ends_at, mailed_at): (SetUpId, Moment, Option<Moment>),
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let now = self.now();
        let SignedIn { company, account, .. } = signed_in;
        let mailed = writer
            .code_mails_since(company.id, account.id, now - TimeDelta::days(1))
            .await?;
        may_mail(now, &mailed)?;
        writer
            .mark_set_up_mailed(company.id, id, mailed_at, now, mailed_at.is_some())
            .await?;
        let digits = SixDigits::draw(self.random());
        let hash = self
            .inner
            .keys
            .fingerprint(Purpose::Code, &set_up_parts(company, &id, &digits));
        let code = CodeId::new(now, self.random());
        writer
            .insert_set_up_code(company.id, id, code, &hash, now)
            .await?;
        self.remember_code(writer, account, (code, &digits)).await?;
        let receiver = Receiver::new(company, account);
        let mail = Mail::SetUpCode {
            about: receiver.about(visitor),
            code: digits.reveal().to_owned(),
            minutes: seconds_until(now, ends_at).div_ceil(60),
        };
        let letter = CodeLetter {
            expires_at: ends_at,
            pending: None,
        };
        Ok(self.send_code(writer, receiver, mail, letter, visitor).await?)
    }

    /// The set-up of this session, if it is not over.
    async fn open_set_up(
        &self,
        reader: &mut Reader,
        signed_in: &SignedIn,
        method: Method,
    ) -> Result<Option<SetUpRow>, StoreError> {
        let now = self.now();
        let open = reader
            .set_up_of(signed_in.company.id, signed_in.account.id, method)
            .await?;
        Ok(open.filter(|open| open.session == signed_in.session && now < open.expires_at))
    }

    fn pending_secret(&self, account: &Account, open: &SetUpRow) -> Result<AppSecret, Failure> {
        let sealed = open.sealed.as_deref().ok_or(crate::keys::Unsealable)?;
        let plain = self
            .inner
            .keys
            .open(Purpose::AppSecret, &set_up_context(account, open.id), sealed)?;
        Ok(AppSecret::from_bytes(&plain).ok_or(crate::keys::Unsealable)?)
    }

    async fn compare_first_code(
        &self,
        SignedIn { company, account, .. }: &SignedIn,
        (method, open): (Method, &SetUpRow),
        digits: &SixDigits,
    ) -> Result<(Comparison, Option<FirstCode>), Failure> {
        let mut reader = self.inner.store.read().await?;
        let others = self.mailed_within_a_day(&mut reader, account).await?;
        drop(reader);
        let (comparison, first) = match method {
            Method::Email => self.compare_set_up_code(company, open, digits).await?,
            Method::App => self.compare_first_app_code(account, open, digits)?,
        };
        if comparison != Comparison::Wrong(None) {
            return Ok((comparison, first));
        }
        let comparison = self.compare_others(account, digits, &others, open.mailed_at, true);
        Ok((comparison, None))
    }

    async fn compare_set_up_code(
        &self,
        company: &Company,
        open: &SetUpRow,
        digits: &SixDigits,
    ) -> Result<(Comparison, Option<FirstCode>), Failure> {
        let mut reader = self.inner.store.read().await?;
        let codes = reader.set_up_codes(company.id, open.id).await?;
        let parts = set_up_parts(company, &open.id, digits);
        let fit = |hash: &[u8]| self.inner.keys.fits(Purpose::Code, &parts, hash);
        if codes
            .first()
            .is_some_and(|newest| fit(&newest.code_hash) == Fit::UnknownKey)
        {
            return Err(crate::keys::Unsealable.into());
        }
        let mut found = (Comparison::Wrong(None), None);
        // Oldest first: when two codes happen to be equal, the newest decides.
        for code in codes.iter().rev() {
            if fit(&code.code_hash) == Fit::Right {
                found = match code.replaced_at {
                    Some(_) => (Comparison::Replaced, None),
                    None => (Comparison::Right, Some(FirstCode::Mailed(code.id))),
                };
            }
        }
        Ok(found)
    }

    fn compare_first_app_code(
        &self,
        account: &Account,
        open: &SetUpRow,
        digits: &SixDigits,
    ) -> Result<(Comparison, Option<FirstCode>), Failure> {
        let secret = self.pending_secret(account, open)?;
        Ok(match secret.find(digits, self.now()) {
            AppMatch::Step(step) => (Comparison::Right, Some(FirstCode::App(step))),
            AppMatch::Off { hint, .. } => (Comparison::Wrong(Some(hint)), None),
            AppMatch::Nothing => (Comparison::Wrong(None), None),
        })
    }

    async fn turn_on(
        &self,
        (open, first): (&SetUpRow, &FirstCode),
        visitor: &Visitor,
    ) -> Result<SetUpDone, Failure> {
        let signed_in = self.require(Need::ProvedSetUp, visitor).await?;
        let mut fresh = match self.count_backup_codes(&signed_in.account).await? {
            None => Some(self.draw_backup_codes().await?),
            Some(_) => None,
        };
        let (mut work, signed_in) = loop {
            let (mut work, signed_in) = self.enter(Need::ProvedSetUp, visitor).await?;
            let Account { company, id, .. } = signed_in.account;
            let has_codes = work.backup_codes_left(company, id).await?.is_some();
            if has_codes {
                // Another set-up was finished meanwhile: its codes are the ones that were shown.
                fresh = None;
            } else if fresh.is_none() {
                // They went meanwhile, and drawing others takes too long for a transaction.
                drop(work);
                fresh = Some(self.draw_backup_codes().await?);
                continue;
            }
            break (work, signed_in);
        };
        let now = self.now();
        let SignedIn { company, account, .. } = &signed_in;
        if !work.end_set_up(company.id, open.id).await? {
            return Err(Refusal::SetUpOver.into());
        }
        let (method, change) = match first {
            FirstCode::Mailed(code) => {
                work.forget_code(company.id, *code).await?;
                work.set_email_factor(company.id, account.id, true, now).await?;
                (Method::Email, FactorChange::EmailOn)
            }
            FirstCode::App(step) => {
                let secret = self.pending_secret(account, open)?;
                let sealed = self.seal_app_secret(account, &secret)?;
                work.set_app_secret(company.id, account.id, &sealed, *step, now)
                    .await?;
                (Method::App, FactorChange::AppOn)
            }
        };
        if let Some(fresh) = &fresh {
            self.store_backup_codes(&mut work, account, fresh).await?;
            self.keep_codes(&mut work, &signed_in, &fresh.codes).await?;
        }
        let signed_in = SignedIn {
            proof: Proof::by(method),
            ..signed_in
        };
        self.factor_changed(&mut work, &signed_in, change, visitor)
            .await?;
        work.commit().await?;
        Ok(SetUpDone {
            backup_codes: fresh.map(|fresh| fresh.codes),
        })
    }

    /// What follows from every change of a second factor: this session goes on, all others end, trust in browsers and
    /// pending sign-ins end, the agent gets a mail and the audit log a line.
    pub(crate) async fn factor_changed(
        &self,
        writer: &mut Writer,
        signed_in: &SignedIn,
        change: FactorChange,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let SignedIn {
            session,
            company,
            account,
            proof,
            ..
        } = signed_in;
        let (c, a) = (company.id, account.id);
        let version = writer
            .account(c, a)
            .await?
            .ok_or(Refusal::NotSignedIn)?
            .credential_version;
        // What was just changed proves nothing about who changed it: the proof grows no younger (N21).
        writer.keep_session(c, *session, *proof, version).await?;
        writer
            .end_other_sessions(c, a, *session, self.ending(EndReason::CredentialsChanged))
            .await?;
        writer.delete_pendings_of(c, a).await?;
        writer.end_trusted_of(c, a).await?;
        let receiver = Receiver::new(company, account);
        let about = receiver.about(visitor);
        self.tell(writer, receiver, Mail::SecondFactorChanged { about, change })
            .await?;
        let (event, detail) = match change {
            FactorChange::EmailOn => (Event::SecondFactorOn, Some(Method::Email.as_str())),
            FactorChange::AppOn => (Event::SecondFactorOn, Some(Method::App.as_str())),
            FactorChange::EmailOff => (Event::SecondFactorOff, Some(Method::Email.as_str())),
            FactorChange::AppOff => (Event::SecondFactorOff, Some(Method::App.as_str())),
            FactorChange::BackupCodes => (Event::BackupCodesMade, None),
        };
        let entry = AuditEntry {
            actor: Actor::Account(a),
            detail: detail.map(str::to_owned),
            ..visitor.entry(event, Some(c), Some(a))
        };
        Ok(self.record(writer, &entry).await?)
    }
}

/// What the fingerprint of a set-up code covers: a code of one set-up means nothing for another, nor for a sign-in.
fn set_up_parts<'a>(company: &'a Company, set_up: &'a SetUpId, digits: &'a SixDigits) -> [&'a [u8]; 4] {
    [
        company.id.0.as_bytes(),
        set_up.0.as_bytes(),
        digits.reveal().as_bytes(),
        b"set-up",
    ]
}

/// What a secret is bound to that is not confirmed yet: it does not open as the account's secret.
fn set_up_context(account: &Account, set_up: SetUpId) -> Vec<u8> {
    [
        app_context(account.company, account.id).as_slice(),
        set_up.0.as_bytes(),
    ]
    .concat()
}
