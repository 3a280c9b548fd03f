//! Why a request was refused: a closed list without free text, so that every refusal has a translated sentence and no
//! message of a library or of an attacker can reach a page.
//!
//! Two tables are the whole vocabulary: [`fields!`](crate::fields) and [`refusals!`](crate::refusals). The types here, the
//! browser's small reader and the translated sentences are generated from them. What stands under `browser` is compiled
//! into WebAssembly; what stands under `server` is not: the pages that say it are plain forms.

use serde::{Deserialize, Serialize};

#[cfg(feature = "server")]
use crate::{
    limits::PERSON_FIELD_MAX,
    name::has_bad_characters_in_name,
    sso::{Provider, ProviderProblem},
    text::trim,
};

/// Gives the macro `$then` every input of a form: its name, how it stands in the page, and what is said when it was left
/// empty (a key under `errors` in `locales/`).
#[macro_export]
macro_rules! fields {
    ($then:ident) => {
        $then! {
            browser {
                /// The company's name.
                Company "company" company_missing;
                /// Account name or e-mail address.
                Account "account" account_missing;
                /// The password.
                Password "password" password_missing;
                /// The one-time code.
                Code "code" code_missing;
            }
            server {
                /// First name.
                FirstName "first_name" first_name_missing;
                /// Last name.
                LastName "last_name" field_missing;
                /// What colleagues see.
                Alias "alias" field_missing;
                /// Phone.
                Phone "phone" field_missing;
                /// Title.
                Title "title" field_missing;
                /// The password until now.
                OldPassword "old_password" old_password_missing;
                /// The password from now on.
                NewPassword "new_password" new_password_missing;
                /// The same once more.
                ConfirmPassword "confirm_password" confirm_password_missing;
                /// Account name.
                AccountName "account" account_name_missing;
                /// E-mail address.
                Email "email" email_missing;
                /// Roles.
                Roles "roles" roles_missing;
                /// Language.
                Language "language" field_missing;
                /// Time zone.
                TimeZone "time_zone" field_missing;
                /// Why a backup code is issued.
                Reason "reason" reason_missing;
                /// The account name once more, before it is deleted.
                ConfirmName "confirm_name" confirm_name_missing;
                /// Minutes without activity that end a session.
                IdleMinutes "idle_minutes" field_missing;
                /// Characters that a password needs.
                PasswordMin "password_min" field_missing;
                /// A file.
                File "file" file_missing;
                /// Host of a mail server.
                Host "host" host_missing;
                /// Port of a mail server.
                Port "port" field_missing;
                /// How connections to a mail server are encrypted.
                MailSecurity "security" field_missing;
                /// User of a mail server.
                MailUser "user" field_missing;
                /// Password of a mail server.
                MailPassword "mail_password" field_missing;
                /// Whom mails are from.
                Sender "sender" sender_missing;
                /// Where answers to mails go.
                ReplyTo "reply_to" field_missing;
                /// Identifier of an application at Google.
                GoogleClientId "google_client_id" client_id_missing;
                /// Its secret.
                GoogleClientSecret "google_client_secret" client_secret_missing;
                /// Identifier of an application at Office 365.
                Office365ClientId "office365_client_id" client_id_missing;
                /// Its secret.
                Office365ClientSecret "office365_client_secret" client_secret_missing;
                /// Tenants of Office 365.
                Office365Tenants "office365_tenants" field_missing;
                /// Name of an application.
                ApplicationName "name" application_name_missing;
                /// What an application is.
                ApplicationKind "kind" field_missing;
                /// Where an application may have browsers sent back to.
                RedirectUris "redirect_uris" redirect_uris_missing;
                /// Where an application may have browsers sent to after a sign-out.
                LogoutUris "logout_uris" field_missing;
                /// Where an application is told of the end of sessions.
                BackChannelUri "back_channel_uri" field_missing;
                /// Where an agent opens an application.
                LaunchUri "launch_uri" launch_uri_missing;
                /// How ID tokens of an application are signed.
                Signing "signing" field_missing;
                /// What an office is called.
                OfficeName "office_name" office_name_missing;
                /// Address or range of addresses of an office.
                OfficeRange "office_range" office_range_missing;
            }
        }
    };
}

macro_rules! define_fields {
    (
        browser { $($(#[$doc:meta])* $field:ident $name:literal $missing:ident;)* }
        server { $($(#[$server_doc:meta])* $server_field:ident $server_name:literal $server_missing:ident;)* }
    ) => {
        /// An input of a form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Field {
            $($(#[$doc])* $field,)*
            $($(#[$server_doc])* #[cfg(feature = "server")] $server_field,)*
        }

        impl Field {
            /// The id and name of its input.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                    $(#[cfg(feature = "server")] Self::$server_field => $server_name,)*
                }
            }
        }
    };
}

fields!(define_fields);

/// What is wrong with one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// Nothing was typed.
    Missing,
    /// Longer than the field allows.
    TooLong {
        /// Characters it may have.
        most: usize,
    },
    /// Holds characters that no valid value has (control characters, NUL).
    BadCharacters,
    /// A code that is neither six digits nor a backup code.
    NotACode,
    /// Fewer characters than the company asks for.
    #[cfg(feature = "server")]
    TooShort {
        /// Characters it needs.
        least: usize,
    },
    /// Easy to guess.
    #[cfg(feature = "server")]
    Weak,
    /// Not the same as the new password.
    #[cfg(feature = "server")]
    Different,
    /// The new value is the old one.
    #[cfg(feature = "server")]
    Unchanged,
    /// Not the password of this account, or not allowed to be tried now.
    #[cfg(feature = "server")]
    Wrong,
    /// Another account of the company has it.
    #[cfg(feature = "server")]
    Taken,
    /// Not of the form of an e-mail address.
    #[cfg(feature = "server")]
    NotAnAddress,
    /// Not one of the values on offer.
    #[cfg(feature = "server")]
    NotOffered,
    /// Not a whole number from `least` to `most`.
    #[cfg(feature = "server")]
    OutOfRange {
        /// The smallest that is taken.
        least: usize,
        /// The largest that is taken.
        most: usize,
    },
    /// No file, or an empty one.
    #[cfg(feature = "server")]
    EmptyFile,
    /// The file is larger than `most` bytes.
    #[cfg(feature = "server")]
    LargeFile {
        /// Bytes that it may have.
        most: usize,
    },
    /// The file is not text in UTF-8.
    #[cfg(feature = "server")]
    NotUtf8 {
        /// The first line that cannot be read, from 1.
        line: usize,
    },
    /// The file is a spreadsheet's own, and no CSV.
    #[cfg(feature = "server")]
    Workbook,
    /// The file is no CSV with a first line that names the columns `account`, `email` and `first_name`.
    #[cfg(feature = "server")]
    NotOurColumns,
    /// The file has more than `most` accounts.
    #[cfg(feature = "server")]
    ManyLines {
        /// Accounts that it may have.
        most: usize,
    },
    /// Neither a host name nor a network address.
    #[cfg(feature = "server")]
    NotAHost,
    /// An address inside the operator's network, which companies may not reach.
    #[cfg(feature = "server")]
    PrivateHost,
    /// Without encryption only a server on the same machine may be spoken to.
    #[cfg(feature = "server")]
    Unencrypted,
    /// Not of the form `name@example.org` or `Name <name@example.org>`.
    #[cfg(feature = "server")]
    NotASender,
    /// Not the number of a tenant.
    #[cfg(feature = "server")]
    NotATenant,
    /// More than `most` tenants.
    #[cfg(feature = "server")]
    ManyTenants {
        /// Tenants that may be named.
        most: usize,
    },
    /// Not a whole address with https, or with http on the visitor's own machine.
    #[cfg(feature = "server")]
    NotAnApplicationAddress,
    /// More than `most` addresses.
    #[cfg(feature = "server")]
    ManyAddresses {
        /// Addresses that may be named.
        most: usize,
    },
    /// Neither a network address nor a range of them.
    #[cfg(feature = "server")]
    NotARange,
    /// A range that would hold half the world.
    #[cfg(feature = "server")]
    WideRange,
    /// More than `most` offices.
    #[cfg(feature = "server")]
    ManyOffices {
        /// Offices that may be named.
        most: usize,
    },
}

/// One input and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The input.
    pub field: Field,
    /// What is wrong with it.
    #[serde(flatten)]
    pub problem: Problem,
}

/// Why an entered code of an authenticator app was wrong, where that helps its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeHint {
    /// It was accepted before: each code counts once.
    Used,
    /// It will be right in this many seconds: the phone's clock is ahead.
    ClockAhead(u32),
    /// It was right this many seconds ago: the phone's clock is behind.
    ClockBehind(u32),
}

/// Gives the macro `$then` every refusal: its name with what it carries, its word in JSON, its HTTP status, the heading of
/// a page that shows nothing else, and its sentence. Both are keys in `locales/`; a sentence is one under `errors`, with
/// what it is filled with, or `by` a function of the crate `translations`.
#[macro_export]
macro_rules! refusals {
    ($then:ident) => {
        $then! {
            browser {
                /// Some inputs cannot be right; nothing was compared, counted or changed.
                Invalid {
                    /// The inputs, in the order of the form.
                    fields: Vec<FieldProblem>,
                } "invalid" 422 (errors.summary_title) (by every_problem(fields));
                /// Company, account or password is wrong, or the password may not be tried now (product.md section 4.1).
                WrongCredentials "wrong_credentials" 401 (errors.sign_in_refused_title) (wrong_credentials);
                /// The same, after several wrong passwords from this browser for the same names, known or not.
                WrongTooOften {
                    /// Seconds until a right password would be taken, if nobody else tries.
                    retry_after: u32,
                } "wrong_too_often" 401 (errors.sign_in_refused_title) (wrong_too_often, wait = *retry_after);
                /// The browser did not bring the cookie that the page gave it: nobody could stay signed in. Nothing was compared.
                NoCookies "no_cookies" 400 (errors.sign_in_refused_title) (no_cookies);
                /// Too many wrong passwords from this address (N8).
                TooManyTries {
                    /// Seconds until another try is allowed.
                    retry_after: u32,
                } "too_many_tries" 429 (errors.try_later_title) (too_many_tries, wait = *retry_after);
                /// The line before the hashing threads is full (N6). Nothing was counted.
                Busy {
                    /// Seconds until another try makes sense.
                    retry_after: u32,
                } "busy" 503 (errors.try_later_title) (busy, wait = *retry_after);
                /// The database cannot be reached, or does not take what is written.
                Unavailable {
                    /// Seconds until another try makes sense.
                    retry_after: u32,
                } "unavailable" 503 (errors.try_later_title) (unavailable, wait = *retry_after);
                /// The account is locked; said only after the right password.
                AccountLocked "account_locked" 403 (sign_in.locked_title) (account_locked);
                /// The account is inactive; said only after the right password.
                AccountInactive "account_inactive" 403 (errors.sign_in_refused_title) (account_inactive);
                /// The company is disabled; said only after the right password.
                CompanyDisabled "company_disabled" 403 (errors.sign_in_refused_title) (company_disabled);
                /// The code is wrong, and counted.
                WrongCode {
                    /// Tries that are left, said from the third wrong code on (product.md section 4.5).
                    left: Option<u8>,
                    /// What is known about the code besides.
                    hint: Option<CodeHint>,
                } "wrong_code" 401 (errors.code_refused_title) (by wrong_code(*hint));
                /// The code was right once and a newer one replaced it; not counted.
                CodeReplaced "code_replaced" 422 (errors.code_refused_title) (code_replaced);
                /// The code is too old; not counted.
                CodeExpired "code_expired" 422 (errors.code_refused_title) (code_expired);
                /// The code is right for another sign-in or set-up of the same account; not counted.
                CodeElsewhere "code_elsewhere" 422 (errors.code_refused_title) (code_elsewhere);
                /// The pending sign-in is over: expired, cancelled, finished or never begun in this browser.
                SignInExpired "sign_in_expired" 410 (sign_in.title) (sign_in_expired);
                /// A new code may not be sent yet (N12).
                ResendTooSoon {
                    /// Seconds until it may.
                    retry_after: u32,
                } "resend_too_soon" 429 (errors.try_later_title) (resend_too_soon, wait = *retry_after);
                /// No more codes for this pending sign-in (N12).
                ResendLimit "resend_limit" 429 (errors.try_later_title) (resend_limit);
                /// Too many codes were mailed to this account (N12).
                CodeMailLimit {
                    /// Seconds until another code may be mailed.
                    retry_after: u32,
                } "code_mail_limit" 429 (errors.try_later_title) (code_mail_limit, wait = *retry_after);
                /// Not signed in, or the session has ended.
                NotSignedIn "not_signed_in" 401 (sign_in.title) (not_signed_in);
                /// Signed in, but not allowed.
                Forbidden "forbidden" 403 (errors.forbidden_title) (forbidden);
                /// The request did not come from one of our pages.
                CrossSite "cross_site" 403 (errors.cross_site_title) (cross_site);
                /// The request cannot be read: missing, doubled or unknown fields, wrong type, broken encoding.
                Malformed "malformed" 400 (errors.malformed_title) (malformed);
                /// The request is larger than allowed (N25).
                TooLarge "too_large" 413 (errors.too_large_title) (too_large);
                /// There is nothing at this address.
                NotFound "not_found" 404 (errors.not_found_title) (not_found);
                /// Something broke on our side; the log has the details under the reference.
                Internal {
                    /// Eight characters of `A`-`Z` and `0`-`9`.
                    reference: String,
                } "internal" 500 (errors.internal_title) (by internal(reference));
            }
            server {
                /// Nothing yet: the form that was kept while somebody signed in again, or proved identity, stands on its page.
                FormKept 200 (errors.not_done_title) (form_kept);
                /// The last proof of identity is too old, or was not whole; nothing was changed (N21).
                StepUpNeeded 403 (errors.step_up_title) (step_up_needed);
                /// The company requires a second factor and this account has none yet: nothing else is open.
                SetUpRequired 403 (errors.factor_required_title) (set_up_required);
                /// The company requires a second factor: the last one cannot be turned off.
                LastFactor 403 (errors.factor_required_title) (last_factor);
                /// The set-up is over: finished, replaced by a newer one, or not finished in ten minutes. Nothing was
                /// compared.
                SetUpOver 410 (errors.set_up_over_title) (set_up_over);
                /// The password is a temporary one: nothing is open but choosing another.
                PasswordChangeRequired 403 (errors.password_change_title) (password_change_required);
                /// The link is used, too old, or replaced by a newer one.
                LinkOver 410 (errors.link_over_title) (link_over);
                /// Somebody else has saved a newer version meanwhile; nothing was changed.
                ChangedMeanwhile 409 (errors.changed_meanwhile_title) (changed_meanwhile);
                /// All that a list finds were meant, and it finds others by now; nothing was done.
                FoundChanged {
                    /// How many it finds.
                    now: usize,
                } 409 (errors.not_done_title) (found_changed, count = *now);
                /// It would leave the company without an active admin.
                LastAdmin 409 (errors.not_done_title) (last_admin);
                /// Nobody deletes, deactivates or demotes the own account, or does in the console what helps to open it.
                OwnAccount 409 (errors.not_done_title) (own_account);
                /// A backup code is of no use to an account without a second factor.
                NoSecondFactor 409 (errors.not_done_title) (no_second_factor);
                /// The account is locked: unlock it first.
                TargetLocked 409 (errors.not_done_title) (target_locked);
                /// The account is not locked.
                NotLocked 409 (errors.not_done_title) (not_locked);
                /// The agent has chosen a password already: there are no account details to send.
                AlreadyActivated 409 (errors.not_done_title) (already_activated);
                /// There is no change of the e-mail address any more.
                NoEmailChange 409 (errors.not_done_title) (no_email_change);
                /// Nothing was ticked.
                NothingSelected 422 (errors.summary_title) (nothing_selected);
                /// So many mails of this kind were sent within the hour that no more go out now.
                MailLimit 429 (errors.try_later_title) (mail_limit);
                /// The company has no mail server of its own that could be tried.
                NoMailServer 409 (errors.not_done_title) (no_mail_server);
                /// The provider brought nobody: it is down, answers nonsense, or its word is not to be trusted.
                SsoFailed 502 (errors.sign_in_refused_title) (sso_failed);
                /// Whoever was sent to the provider said no there.
                SsoCancelled 409 (errors.sign_in_refused_title) (sso_cancelled);
                /// So many wait for an answer of the provider that this one is not asked for now. The sign-in can go on.
                ProviderBusy {
                    /// The provider.
                    provider: Provider,
                    /// Seconds until another try makes sense.
                    retry_after: u32,
                } 503 (errors.try_later_title) (provider_busy, wait = *retry_after, provider = provider.name());
                /// The provider is not offered here, or not for this company.
                SsoNotOffered 403 (errors.sign_in_refused_title) (sso_not_offered);
                /// The company has an application of its own at the provider, and this sign-in came through another.
                OtherApplication 403 (errors.sign_in_refused_title) (other_application);
                /// Another account of the company has this account of the provider.
                IdentityTaken {
                    /// The provider.
                    provider: Provider,
                } 409 (errors.not_done_title) (identity_taken, provider = provider.name());
                /// The account has another account of the provider already.
                IdentityOther {
                    /// The provider.
                    provider: Provider,
                } 409 (errors.not_done_title) (identity_other, provider = provider.name());
                /// Without it the account would have no way in.
                LastWayIn 409 (errors.not_done_title) (last_way_in);
                /// The account is connected with no provider: without its password it would have no way in.
                NoIdentity 409 (errors.not_done_title) (no_identity);
                /// Somebody else's account would have no way in without it.
                ProviderIsLastWayIn 409 (errors.not_done_title) (provider_is_last_way_in);
                /// Accounts without a password come in by the provider: it would shut them out.
                ProviderNeeded {
                    /// How many.
                    accounts: usize,
                } 409 (errors.not_done_title) (provider_needed, count = *accounts);
                /// Neither the company nor the installation has an application at the provider.
                NoApplication {
                    /// The provider.
                    provider: Provider,
                } 409 (errors.not_done_title) (no_application, provider = provider.name());
                /// The provider cannot be used as it is set up.
                ProviderUnusable {
                    /// The provider.
                    provider: Provider,
                    /// What is wrong.
                    problem: ProviderProblem,
                } 502 (errors.provider_unusable_title) (by provider_unusable(*provider, *problem));
                /// The uploaded file was imported already, is being imported, or is gone.
                ImportOver 409 (errors.import_over_title) (import_over);
                /// No application of this identifier asks for sign-ins here.
                UnknownApplication 400 (errors.application_unknown_title) (application_unknown);
                /// The application has not named the address that its request wants to be answered at.
                UnknownRedirect 400 (errors.application_unknown_title) (redirect_unknown);
                /// The company has as many applications as it may have.
                ManyApplications 409 (errors.not_done_title) (many_applications);
                /// An application without a secret, or with two already, gets no new one.
                NoNewSecret 409 (errors.not_done_title) (no_new_secret);
                /// The site is not reached under the host that was asked for.
                WrongAddress 421 (errors.wrong_address_title) (wrong_address);
            }
        }
    };
}

macro_rules! define_refusals {
    (
        browser { $(
            $(#[$doc:meta])*
            $refusal:ident $({ $($(#[$part_doc:meta])* $part:ident: $type:ty,)* })?
            $word:literal $status:literal $title:tt $sentence:tt;
        )* }
        server { $(
            $(#[$server_doc:meta])*
            $server_refusal:ident $({ $($(#[$server_part_doc:meta])* $server_part:ident: $server_type:ty,)* })?
            $server_status:literal $server_title:tt $server_sentence:tt;
        )* }
    ) => {
        /// Every way in which Vestibule says no.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "code", rename_all = "snake_case")]
        pub enum Refusal {
            $($(#[$doc])* $refusal $({ $($(#[$part_doc])* $part: $type,)* })?,)*
            $(
                $(#[$server_doc])*
                #[cfg(feature = "server")]
                $server_refusal $({ $($(#[$server_part_doc])* $server_part: $server_type,)* })?,
            )*
        }

        impl Refusal {
            /// The honest HTTP status of this refusal.
            pub const fn status(&self) -> u16 {
                match self {
                    $(Self::$refusal { .. } => $status,)*
                    $(#[cfg(feature = "server")] Self::$server_refusal { .. } => $server_status,)*
                }
            }
        }
    };
}

refusals!(define_refusals);

impl Refusal {
    /// Seconds for a `Retry-After` header, where waiting helps.
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyTries { retry_after }
            | Self::WrongTooOften { retry_after }
            | Self::Busy { retry_after }
            | Self::Unavailable { retry_after }
            | Self::ResendTooSoon { retry_after }
            | Self::CodeMailLimit { retry_after } => Some(*retry_after),
            #[cfg(feature = "server")]
            Self::ProviderBusy { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// A refusal because of a single input.
    pub fn field(field: Field, problem: Problem) -> Self {
        Self::Invalid {
            fields: vec![FieldProblem { field, problem }],
        }
    }

    /// What is wrong with `field`, when this refusal is about it.
    pub fn problem(&self, field: Field) -> Option<Problem> {
        match self {
            Self::Invalid { fields } => fields
                .iter()
                .find(|found| found.field == field)
                .map(|found| found.problem),
            _ => None,
        }
    }
}

/// What is wrong with a name, an alias, a phone number or a title. Only the first name may not be empty.
#[cfg(feature = "server")]
pub fn person_problem(field: Field, typed: &str) -> Option<Problem> {
    let typed = trim(typed);
    if typed.is_empty() {
        (field == Field::FirstName).then_some(Problem::Missing)
    } else if typed.chars().count() > PERSON_FIELD_MAX {
        Some(Problem::TooLong {
            most: PERSON_FIELD_MAX,
        })
    } else if has_bad_characters_in_name(typed) {
        Some(Problem::BadCharacters)
    } else {
        None
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_name_is_needed_and_nothing_is_endless_or_invisible() {
        assert_eq!(person_problem(Field::FirstName, "  "), Some(Problem::Missing));
        assert_eq!(person_problem(Field::Phone, ""), None);
        assert_eq!(person_problem(Field::Alias, &"ü".repeat(100)), None);
        assert_eq!(
            person_problem(Field::Alias, &"ü".repeat(101)),
            Some(Problem::TooLong { most: 100 })
        );
        assert_eq!(
            person_problem(Field::Title, "Le\u{202e}ad"),
            Some(Problem::BadCharacters)
        );
        assert_eq!(person_problem(Field::FirstName, "علی\u{200c}رضا"), None);
        assert_eq!(
            person_problem(Field::FirstName, "\u{200b}\u{200d}"),
            Some(Problem::Missing)
        );
    }

    /// An answer that waits in the database is read by whichever node delivers it.
    #[test]
    fn a_refusal_comes_back_as_it_was_written() {
        for refusal in [
            Refusal::field(Field::NewPassword, Problem::TooShort { least: 12 }),
            Refusal::field(Field::AccountName, Problem::Taken),
            Refusal::StepUpNeeded,
            Refusal::SetUpOver,
        ] {
            let json = serde_json::to_string(&refusal).unwrap();
            assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), refusal, "{json}");
        }
    }
}
