//! Sign-in: password, then second factor, then session (product.md section 4).
//!
//! Two things hold everywhere: a try is counted and committed before anything is compared, and the gate is asked
//! again in the transaction that opens the session.

mod browser_tries;
mod code;
mod page;
pub(crate) mod password;
pub mod sso;
pub(crate) mod tries;
mod trust;
mod waiting;

pub use browser_tries::Told;
pub(crate) use page::code_mail;
pub use waiting::{Standing, Taken};

use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    id::{AccountId, CompanyId, SessionId},
    limits::SESSIONS_MAX,
    mail::Mail,
    secret::{Password, SixDigits, Token},
    session::{Proof, absolute_end},
    sign_in::{Pending, landing},
    sign_in_view::CodeView,
};
use vestibule_storage::{Entrant, NewSession, StoreError, Writer, WrongCodes};

use crate::{Service, Visitor, letters::Receiver};

/// What was typed on the sign-in page.
pub struct SignInForm {
    /// Company name.
    pub company: String,
    /// Account name or e-mail address.
    pub account: String,
    /// Password.
    pub password: Password,
    /// Deep link asked for before.
    pub next: Option<String>,
}

/// A right password, or a right code, and what the browser gets for it.
pub enum Outcome {
    /// Signed in.
    SignedIn(Granted),
    /// A second factor is asked: the token of the pending sign-in for this browser.
    CodeAsked {
        /// For the cookie.
        pending: Token,
        /// The company's name as it is spelt, to be remembered in the browser.
        company: String,
    },
}

/// What a completed sign-in hands to the browser.
pub struct Granted {
    /// The session.
    pub session: Token,
    /// The browser's number, when it had none yet.
    pub browser: Option<Token>,
    /// The new list of trust tokens, when it changed.
    pub trusted: Option<Vec<Token>>,
    /// Where to go.
    pub landing: String,
    /// The company's name as it is spelt, to be remembered in the browser.
    pub company: String,
    /// Whether this was no sign-in, but a session that proved once more who it is.
    pub step_up: bool,
}

/// An open pending sign-in with everything its page needs.
pub struct OpenSignIn {
    /// What the page shows.
    pub view: CodeView,
    /// Language of the account, or else of the company.
    pub language: String,
}

/// What a session is made of, or proved with.
pub(crate) struct Opening<'a> {
    pub(crate) id: SessionId,
    pub(crate) token: &'a Token,
    pub(crate) proof: Proof,
    pub(crate) next: Option<&'a str>,
}

impl Service {
    /// Holds the account that signs in, and those of the session and of the pending sign-in that this browser gives up for
    /// it, in the order in which everybody takes accounts. On a shared browser they may be others'.
    pub(crate) async fn hold_for_sign_in(
        &self,
        writer: &mut Writer,
        (company, account): (CompanyId, AccountId),
        (session, pending): (Option<&Token>, Option<&Token>),
    ) -> Result<(), StoreError> {
        let mut accounts = vec![(account, company)];
        if let Some(token) = session
            && let Some((company, account, _)) = writer.session_to_end(token.hash()).await?
        {
            accounts.push((account, company));
        }
        if let Some(token) = pending
            && let Some((pending, _)) = writer.pending_by_token(token.hash()).await?
        {
            accounts.push((pending.account, pending.company));
        }
        accounts.sort_unstable();
        accounts.dedup();
        for (account, company) in accounts {
            writer.hold_account(company, account).await?;
        }
        Ok(())
    }

    /// The one place that opens a session. It takes the place of the one that the browser had.
    async fn grant(
        &self,
        writer: &mut Writer,
        entrant: &Entrant,
        opening: &Opening<'_>,
        visitor: &Visitor,
    ) -> Result<Granted, StoreError> {
        let now = self.now();
        let Entrant { company, account, .. } = entrant;
        if let Some(token) = &visitor.session {
            self.end_session_of_browser(writer, token, visitor).await?;
        }
        writer
            .insert_session(&NewSession {
                id: opening.id,
                company: company.id,
                account: account.id,
                token_hash: opening.token.hash(),
                created_at: now,
                ends_at: absolute_end(now, account.highest_role()),
                proof: opening.proof,
                address: visitor.address.clone(),
                browser: visitor.browser.clone(),
                credential_version: account.credential_version,
            })
            .await?;
        if entrant.sessions >= SESSIONS_MAX {
            writer
                .trim_sessions(company.id, account.id, SESSIONS_MAX, now)
                .await?;
        }
        match entrant.wrong_codes {
            WrongCodes::Kept => writer.note_sign_in(company.id, account.id, now).await?,
            WrongCodes::Forgotten => writer.note_sign_in_by_code(company.id, account.id, now).await?,
        }
        let browser = match &visitor.browser_token {
            Some(_) => None,
            None => Some(Token::new(self.random())),
        };
        if !entrant.knows_browser {
            let receiver = Receiver::new(company, account);
            let about = receiver.about(visitor);
            self.tell(writer, receiver, Mail::NewBrowser { about }).await?;
        }
        let number = browser.as_ref().or(visitor.browser_token.as_ref());
        if let Some(number) = number.filter(|_| !entrant.browser_is_noted) {
            writer
                .remember_browser(company.id, account.id, number.hash().0, now)
                .await?;
        }
        let entry = AuditEntry {
            actor: Actor::Account(account.id),
            detail: Some(opening.proof.as_str().to_owned()),
            ..visitor.entry(Event::SignedIn, Some(company.id), Some(account.id))
        };
        self.record(writer, &entry).await?;
        Ok(Granted {
            session: opening.token.clone(),
            browser,
            trusted: None,
            landing: landing(&company.settings, account.highest_role(), opening.next),
            company: company.name.clone(),
            step_up: false,
        })
    }
}

/// What the fingerprint of a code covers: a code of one pending sign-in means nothing for another.
fn code_parts<'a>(pending: &'a Pending, digits: &'a SixDigits) -> [&'a [u8]; 3] {
    [
        pending.company.0.as_bytes(),
        pending.id.0.as_bytes(),
        digits.reveal().as_bytes(),
    ]
}
