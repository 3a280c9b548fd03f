//! What has to happen before an application gets a code. Company, lock, second factor, temporary password and required
//! set-up stand before all of this: they are asked of every session.

use chrono::TimeDelta;

use crate::{
    account::Account,
    company::Company,
    id::PublicId,
    limits::STEP_UP_SECONDS,
    name::{self, EmailAddress},
    oidc::{
        application::Application,
        claims::Acr,
        error::{AuthorizationError, Described},
        request::{AuthorizationRequest, LoginHint},
    },
    ports::{Moment, has_begun},
    session::Proof,
};

/// Who is signed in.
#[derive(Clone, Copy)]
pub struct Present<'a> {
    /// The company.
    pub company: &'a Company,
    /// The account.
    pub account: &'a Account,
    /// How it proved who it is.
    pub proof: Proof,
    /// When it did.
    pub proved_at: Moment,
}

/// What has happened to a request so far.
#[derive(Clone, Copy)]
pub struct SoFar {
    /// When it came to this browser.
    pub begun: Moment,
    /// The present moment.
    pub now: Moment,
    /// Whom an ID token that came with it is about.
    pub hinted: Option<PublicId>,
    /// Whether the agent has said to go on as who is signed in.
    pub chosen: bool,
}

/// Why the agent has to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The application wants the agent to say as whom, or expects somebody else.
    AsWhom,
    /// Only somebody else can go on: the application belongs to another company, or expects exactly this account.
    SomebodyElse,
    /// The account has none of the roles that may use the application.
    NotAllowed,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nobody is signed in.
    SignIn,
    /// A page asks the agent.
    Choose(Choice),
    /// The agent proves once more who it is.
    Prove,
    /// The application gets its code.
    Answer,
    /// The application gets an error.
    Refuse(Described<AuthorizationError>),
}

/// What has to happen next for this request.
pub fn next_step(
    request: &AuthorizationRequest,
    application: &Application,
    present: Option<Present<'_>>,
    so_far: SoFar,
) -> Step {
    let Some(present) = present else {
        let refused = Described::new(AuthorizationError::LoginRequired, "nobody is signed in");
        return asked(request, Step::SignIn, refused);
    };
    if let Some(step) = for_whom(request, application, present, so_far) {
        return step;
    }
    if is_too_old(request, present, so_far) {
        let refused = Described::new(AuthorizationError::LoginRequired, "the sign-in is too old");
        return asked(request, Step::Prove, refused);
    }
    match reach(&request.acr_values, present, so_far) {
        Reach::Enough => Step::Answer,
        Reach::ByProof => {
            let refused = Described::new(AuthorizationError::LoginRequired, "the sign-in proves too little");
            asked(request, Step::Prove, refused)
        }
        Reach::Never => Step::Refuse(Described::new(
            AuthorizationError::UnmetAuthenticationRequirements,
            "the account cannot prove what acr_values asks for",
        )),
    }
}

/// The step, or the error when nobody may be asked.
fn asked(request: &AuthorizationRequest, step: Step, refused: Described<AuthorizationError>) -> Step {
    if request.prompt.none {
        Step::Refuse(refused)
    } else {
        step
    }
}

/// Whether the account that is signed in is the one that is meant, and may use the application.
fn for_whom(
    request: &AuthorizationRequest,
    application: &Application,
    present: Present<'_>,
    so_far: SoFar,
) -> Option<Step> {
    use AuthorizationError as E;
    let (choice, refused) = if !application.serves(present.company.id) {
        let refused = Described::new(E::LoginRequired, "nobody of this company is signed in");
        (Choice::SomebodyElse, refused)
    } else if so_far
        .hinted
        .is_some_and(|hinted| hinted != present.account.public_id)
    {
        let refused = Described::new(E::LoginRequired, "somebody else is signed in");
        (Choice::SomebodyElse, refused)
    } else if !application.admits(present.account) {
        let refused = Described::new(
            E::AccessDenied,
            "the role of the account may not use this application",
        );
        (Choice::NotAllowed, refused)
    } else if so_far.chosen {
        return None;
    } else if request
        .login_hint
        .as_ref()
        .is_some_and(|hint| !hint.means(present))
    {
        let refused = Described::new(E::AccountSelectionRequired, "somebody else is signed in");
        (Choice::AsWhom, refused)
    } else if request.prompt.select_account {
        let refused = Described::new(E::AccountSelectionRequired, "the agent has to choose");
        (Choice::AsWhom, refused)
    } else {
        return None;
    };
    Some(asked(request, Step::Choose(choice), refused))
}

impl LoginHint {
    /// Whether it means who is signed in.
    fn means(&self, present: Present<'_>) -> bool {
        let company = self
            .company
            .as_ref()
            .is_none_or(|typed| name::key(typed) == name::key(&present.company.name));
        company
            && (name::key(&self.account) == name::key(&present.account.name)
                || EmailAddress::lookup_key(&self.account)
                    == EmailAddress::lookup_key(&present.account.email))
    }
}

/// Whether the last proof is older than the application accepts. One that was given for this request is young enough, or
/// `max_age=0` would ask for ever: after the request came, and moments ago, so that a request that somebody left behind at a
/// shared desk is not met by what the next one proved for another end.
fn is_too_old(request: &AuthorizationRequest, present: Present<'_>, so_far: SoFar) -> bool {
    let age = so_far.now - present.proved_at;
    let for_this = present.proved_at > so_far.begun
        && has_begun(so_far.now, present.proved_at)
        && age <= TimeDelta::seconds(STEP_UP_SECONDS);
    let too_old = request.max_age.is_some_and(|most| age > TimeDelta::seconds(most));
    (too_old || request.prompt.login) && !for_this
}

enum Reach {
    Enough,
    ByProof,
    Never,
}

/// Whether the session has proved one of these, or could.
fn reach(wanted: &[Acr], present: Present<'_>, so_far: SoFar) -> Reach {
    let reached = Acr::of(present.proof);
    if wanted.is_empty() || wanted.iter().any(|acr| acr.is_met_by(reached)) {
        return Reach::Enough;
    }
    // Whoever has just proved everything and still falls short used another method: asking again would not end.
    let just_proved = present.proved_at >= so_far.begun && present.proof.has_second_factor();
    if !just_proved && wanted.iter().any(|acr| acr.is_within_reach_of(present.account)) {
        Reach::ByProof
    } else {
        Reach::Never
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::Role,
        id::CompanyId,
        oidc::{
            application::ApplicationKind,
            request::{Prompt, ResponseMode, ReturnTo},
            scope::Scopes,
            tests::application,
        },
        sign_in::tests::{account, company},
    };

    fn at(seconds: i64) -> Moment {
        Moment::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn request() -> AuthorizationRequest {
        AuthorizationRequest {
            return_to: ReturnTo {
                uri: "https://desktop.acme.test/callback".into(),
                mode: ResponseMode::Query,
                state: None,
            },
            scopes: Scopes::parse("openid"),
            nonce: None,
            challenge: None,
            prompt: Prompt::default(),
            max_age: None,
            login_hint: None,
            ui_locales: Vec::new(),
            id_token_hint: None,
            acr_values: Vec::new(),
        }
    }

    fn none() -> Prompt {
        Prompt {
            none: true,
            ..Prompt::default()
        }
    }

    /// The step for somebody who proved who it is at 1000 with this, asked at `begun`, or soon after both.
    fn step(request: &AuthorizationRequest, account: &Account, proof: Proof, begun: i64) -> Step {
        step_at(request, account, proof, (begun, begun.max(1000)))
    }

    /// The same at `now`.
    fn step_at(
        request: &AuthorizationRequest,
        account: &Account,
        proof: Proof,
        (begun, now): (i64, i64),
    ) -> Step {
        let (company, application) = (company(), application(ApplicationKind::Web));
        let present = Present {
            company: &company,
            account,
            proof,
            proved_at: at(1000),
        };
        let so_far = SoFar {
            begun: at(begun),
            now: at(now),
            hinted: None,
            chosen: false,
        };
        next_step(request, &application, Some(present), so_far)
    }

    fn refused(step: Step) -> AuthorizationError {
        match step {
            Step::Refuse(error) => error.error,
            other => panic!("{other:?}"),
        }
    }

    /// `oidcc-prompt-none-not-logged-in`, `oidcc-prompt-none-logged-in`
    #[test]
    fn nobody_is_asked_who_may_not_be() {
        let so_far = SoFar {
            begun: at(0),
            now: at(0),
            hinted: None,
            chosen: false,
        };
        let silent = AuthorizationRequest {
            prompt: none(),
            ..request()
        };
        let application = application(ApplicationKind::Web);
        assert_eq!(next_step(&request(), &application, None, so_far), Step::SignIn);
        assert_eq!(
            refused(next_step(&silent, &application, None, so_far)),
            AuthorizationError::LoginRequired
        );
        assert_eq!(step(&silent, &account(), Proof::EmailCode, 2000), Step::Answer);
    }

    /// `oidcc-prompt-login`, `oidcc-max-age-1`, `oidcc-max-age-10000`
    #[test]
    fn a_proof_that_is_too_old_is_given_again_and_once_is_enough() {
        let login = AuthorizationRequest {
            prompt: Prompt {
                login: true,
                ..Prompt::default()
            },
            ..request()
        };
        for (begun, now, expected) in [
            (1001, 1001, Step::Prove),
            (1000, 1000, Step::Prove),
            (999, 1000, Step::Answer),
            (999, 1300, Step::Answer),
            (999, 1301, Step::Prove),
        ] {
            let step = step_at(&login, &account(), Proof::EmailCode, (begun, now));
            assert_eq!(step, expected, "{begun} {now}");
        }
        let young = AuthorizationRequest {
            max_age: Some(60),
            ..request()
        };
        for (begun, now, expected) in [
            (1010, 1060, Step::Answer),
            (1010, 1061, Step::Prove),
            (990, 1300, Step::Answer),
            (990, 1301, Step::Prove),
        ] {
            let step = step_at(&young, &account(), Proof::EmailCode, (begun, now));
            assert_eq!(step, expected, "{begun} {now}");
        }
        for (max_age, begun, expected) in [
            (1, 1001, Step::Answer),
            (1, 1002, Step::Prove),
            (10000, 2000, Step::Answer),
            (0, 1001, Step::Prove),
            (0, 1000, Step::Answer),
        ] {
            let request = AuthorizationRequest {
                max_age: Some(max_age),
                ..request()
            };
            assert_eq!(step(&request, &account(), Proof::EmailCode, begun), expected);
            let silent = AuthorizationRequest {
                prompt: none(),
                ..request
            };
            if expected == Step::Prove {
                let refused = refused(step(&silent, &account(), Proof::EmailCode, begun));
                assert_eq!(refused, AuthorizationError::LoginRequired);
            }
        }
    }

    /// `oidcc-ensure-request-with-acr-values-succeeds`
    #[test]
    fn an_application_gets_the_proof_that_it_asks_for_or_an_error() {
        let asking = |acr_values: &[Acr]| AuthorizationRequest {
            acr_values: acr_values.to_vec(),
            ..request()
        };
        let bare = Account {
            email_factor: false,
            ..account()
        };
        for (wanted, account, proof, begun, expected) in [
            (
                &[][..],
                &account(),
                Proof::TrustedBrowser,
                2000,
                Some(Step::Answer),
            ),
            (
                &[Acr::Password],
                &account(),
                Proof::AppCode,
                2000,
                Some(Step::Answer),
            ),
            (&Acr::ALL, &account(), Proof::Password, 2000, Some(Step::Answer)),
            (
                &[Acr::MailCode],
                &account(),
                Proof::BackupCode,
                2000,
                Some(Step::Answer),
            ),
            (
                &[Acr::MailCode],
                &account(),
                Proof::TrustedBrowser,
                2000,
                Some(Step::Prove),
            ),
            (
                &[Acr::MailCode],
                &account(),
                Proof::TrustedBrowser,
                900,
                Some(Step::Prove),
            ),
            (&[Acr::MailCode], &bare, Proof::Password, 2000, None),
            (&[Acr::AppCode], &account(), Proof::EmailCode, 2000, None),
            (&[Acr::Provider], &account(), Proof::Password, 2000, None),
        ] {
            let step = step(&asking(wanted), account, proof, begun);
            match expected {
                Some(expected) => assert_eq!(step, expected, "{wanted:?} {proof:?}"),
                None => assert_eq!(
                    refused(step),
                    AuthorizationError::UnmetAuthenticationRequirements,
                    "{wanted:?} {proof:?}"
                ),
            }
        }
        let both = Account {
            app_factor: true,
            ..account()
        };
        let app = asking(&[Acr::AppCode]);
        assert_eq!(step(&app, &both, Proof::EmailCode, 2000), Step::Prove);
        // Proved after the request came, and with the other method: it does not go round in circles.
        assert_eq!(
            refused(step(&app, &both, Proof::EmailCode, 900)),
            AuthorizationError::UnmetAuthenticationRequirements
        );
    }

    /// `oidcc-id-token-hint`, `oidcc-login-hint`
    #[test]
    fn whoever_is_meant_goes_on_and_whoever_is_not_is_asked() {
        let application = application(ApplicationKind::Web);
        let (company, account) = (company(), account());
        let present = Present {
            company: &company,
            account: &account,
            proof: Proof::EmailCode,
            proved_at: at(1000),
        };
        let decide = |request: &AuthorizationRequest, hinted, chosen| {
            let begun = at(1000);
            next_step(
                request,
                &application,
                Some(present),
                SoFar {
                    begun,
                    now: begun,
                    hinted,
                    chosen,
                },
            )
        };
        let own = Some(account.public_id);
        let other = Some(PublicId(uuid::Uuid::from_u128(5)));
        assert_eq!(decide(&request(), own, false), Step::Answer);
        assert_eq!(
            decide(&request(), other, true),
            Step::Choose(Choice::SomebodyElse)
        );
        for (hint, expected) in [
            ("alice", Step::Answer),
            ("A@acme.TEST", Step::Answer),
            (" acme/Alice", Step::Answer),
            ("Other/alice", Step::Choose(Choice::AsWhom)),
            ("bob", Step::Choose(Choice::AsWhom)),
        ] {
            let request = AuthorizationRequest {
                login_hint: Some(LoginHint::parse(hint)),
                ..request()
            };
            assert_eq!(decide(&request, None, false), expected, "{hint}");
            assert_eq!(decide(&request, None, true), Step::Answer, "{hint}");
            let silent = AuthorizationRequest {
                prompt: none(),
                ..request
            };
            if expected != Step::Answer {
                let refused = refused(decide(&silent, None, false));
                assert_eq!(refused, AuthorizationError::AccountSelectionRequired);
            }
        }
        let choosing = AuthorizationRequest {
            prompt: Prompt {
                select_account: true,
                ..Prompt::default()
            },
            ..request()
        };
        assert_eq!(decide(&choosing, None, false), Step::Choose(Choice::AsWhom));
        assert_eq!(decide(&choosing, None, true), Step::Answer);
    }

    #[test]
    fn nobody_gets_in_whom_the_application_is_not_for() {
        let (company, account) = (company(), account());
        let present = Present {
            company: &company,
            account: &account,
            proof: Proof::EmailCode,
            proved_at: at(0),
        };
        let so_far = SoFar {
            begun: at(0),
            now: at(0),
            hinted: None,
            chosen: true,
        };
        let silent = AuthorizationRequest {
            prompt: none(),
            ..request()
        };
        let mut foreign = application(ApplicationKind::Web);
        foreign.company = Some(CompanyId(uuid::Uuid::from_u128(9)));
        let mut for_admins = application(ApplicationKind::Web);
        for_admins.settings.roles = vec![Role::Admin];
        for (application, choice, error) in [
            (foreign, Choice::SomebodyElse, AuthorizationError::LoginRequired),
            (for_admins, Choice::NotAllowed, AuthorizationError::AccessDenied),
        ] {
            let step = next_step(&request(), &application, Some(present), so_far);
            assert_eq!(step, Step::Choose(choice));
            let step = next_step(&silent, &application, Some(present), so_far);
            assert_eq!(refused(step), error);
        }
    }
}
