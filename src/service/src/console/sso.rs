//! Single Sign-On (product.md section 3): which providers a company lets its accounts in by, through which application,
//! and whose accounts. Whoever configures it decides who comes in, so it asks for a recent proof of identity.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vestibule_core::{
    audit::{AuditEntry, Event, GOOD_TEST},
    id::CompanyId,
    limits::{SSO_CLIENT_MAX, SSO_TENANTS_MAX},
    name::has_bad_characters,
    refusal::{Field, FieldProblem, Problem, Refusal},
    rights::Action,
    sso::{Identity, Provider},
};
use vestibule_sso::{Application, SsoError};
use vestibule_storage::{Reader, SsoApplicationRow, SsoClient};
use zeroize::Zeroizing;

use super::{Hold, ProviderInput, ProviderSettings, SsoPage};
use crate::{
    Console, Failure, Service, Visitor,
    keys::{Purpose, Unsealable},
    notes::NoteKind,
    sessions::SignedIn,
    sign_in::sso::secret_context,
};

/// An application that was tried in this session with a secret that was typed. It is kept for a while, so that what was tried
/// is what is saved: a secret never comes back to the page.
#[derive(Serialize, Deserialize)]
struct Tried {
    client_id: String,
    client_secret: Zeroizing<String>,
}

const fn note_of(provider: Provider) -> NoteKind {
    match provider {
        Provider::Google => NoteKind::TriedGoogle,
        Provider::Office365 => NoteKind::TriedOffice365,
    }
}

/// What an admin chose for a provider, checked; the secret is not among it.
struct Chosen {
    enabled: bool,
    client_id: Option<String>,
    tenants: Vec<String>,
    trusted: bool,
}

/// The fields of a provider in the form.
struct Fields {
    client_id: Field,
    client_secret: Field,
}

const fn fields_of(provider: Provider) -> Fields {
    match provider {
        Provider::Google => Fields {
            client_id: Field::GoogleClientId,
            client_secret: Field::GoogleClientSecret,
        },
        Provider::Office365 => Fields {
            client_id: Field::Office365ClientId,
            client_secret: Field::Office365ClientSecret,
        },
    }
}

fn client_problem(typed: &str) -> Option<Problem> {
    if typed.chars().count() > SSO_CLIENT_MAX {
        return Some(Problem::TooLong { most: SSO_CLIENT_MAX });
    }
    let bad = has_bad_characters(typed) || typed.contains(char::is_whitespace);
    bad.then_some(Problem::BadCharacters)
}

/// The numbers of tenants, with spaces, commas or lines between them.
fn read_tenants(typed: &str) -> Result<Vec<String>, Problem> {
    let mut tenants = Vec::new();
    for word in typed.split([' ', ',', ';', '\t', '\r', '\n']) {
        if word.is_empty() {
            continue;
        }
        let tenant = Uuid::try_parse(word)
            .map_err(|_| Problem::NotATenant)?
            .hyphenated()
            .to_string();
        if !tenants.contains(&tenant) {
            tenants.push(tenant);
        }
    }
    if tenants.len() > SSO_TENANTS_MAX {
        return Err(Problem::ManyTenants {
            most: SSO_TENANTS_MAX,
        });
    }
    Ok(tenants)
}

impl Chosen {
    /// Reads what was typed and collects what is wrong with it. `installation`: whether there is an application for
    /// companies without their own; `stored`: the company's own one until now.
    fn read(
        provider: Provider,
        input: &ProviderInput,
        installation: bool,
        stored: Option<&SsoClient>,
        problems: &mut Vec<FieldProblem>,
    ) -> Self {
        let Fields {
            client_id,
            client_secret,
        } = fields_of(provider);
        let (id, secret) = (input.client_id.trim(), input.client_secret.trim());
        let mut add = |field, problem| problems.push(FieldProblem { field, problem });
        let missing_id = id.is_empty() && (!secret.is_empty() || (input.enabled && !installation));
        let id_problem = missing_id.then_some(Problem::Missing);
        if let Some(problem) = id_problem.or_else(|| client_problem(id)) {
            add(client_id, problem);
        }
        // A secret belongs to one application.
        let kept = stored.is_some_and(|stored| stored.id == id);
        let missing_secret = !id.is_empty() && secret.is_empty() && !kept;
        let secret_problem = missing_secret.then_some(Problem::Missing);
        if let Some(problem) = secret_problem.or_else(|| client_problem(secret)) {
            add(client_secret, problem);
        }
        let tenants = match provider {
            Provider::Google => Vec::new(),
            Provider::Office365 => read_tenants(&input.tenants).unwrap_or_else(|problem| {
                add(Field::Office365Tenants, problem);
                Vec::new()
            }),
        };
        Self {
            enabled: input.enabled,
            client_id: Some(id.to_owned()).filter(|id| !id.is_empty()),
            tenants,
            trusted: input.trusted,
        }
    }

    /// What counts for a company that has said nothing yet.
    const fn unsaid(installation: bool) -> Self {
        Self {
            enabled: installation,
            client_id: None,
            tenants: Vec::new(),
            trusted: false,
        }
    }

    fn of(row: &SsoApplicationRow) -> Self {
        Self {
            enabled: row.enabled,
            client_id: row.client.as_ref().map(|client| client.id.clone()),
            tenants: row.tenants.clone(),
            trusted: row.trusted,
        }
    }

    fn lets_in(&self, identity: &Identity) -> bool {
        self.enabled && identity.is_of(&self.tenants)
    }

    /// What changes from what to what, for the audit log.
    fn changes(&self, after: &Self, provider: Provider, secret_changed: bool) -> Vec<String> {
        let words = |chosen: &Self| {
            let tenants = chosen.tenants.join(" ");
            [
                ("enabled", chosen.enabled.to_string()),
                (
                    "client_id",
                    chosen.client_id.clone().unwrap_or_else(|| "none".to_owned()),
                ),
                (
                    "tenants",
                    if tenants.is_empty() {
                        "all".to_owned()
                    } else {
                        tenants
                    },
                ),
                ("trusted", chosen.trusted.to_string()),
            ]
        };
        let word = provider.as_str();
        let mut changed: Vec<_> = words(self)
            .into_iter()
            .zip(words(after))
            .filter(|((_, old), (_, new))| old != new)
            .map(|((name, old), (_, new))| format!("{word} {name}: {old} -> {new}"))
            .collect();
        if secret_changed {
            changed.push(format!("{word} client_secret: changed"));
        }
        changed
    }
}

/// Refuses a change that shuts out whoever has no password.
async fn leave_nobody_outside(
    reader: &mut Reader,
    company: CompanyId,
    provider: Provider,
    [before, after]: [&Chosen; 2],
) -> Result<(), Failure> {
    let accounts = reader
        .identities_without_password(company, provider)
        .await?
        .iter()
        .filter(|identity| before.lets_in(identity) && !after.lets_in(identity))
        .count();
    if accounts > 0 {
        return Err(Refusal::ProviderNeeded { accounts }.into());
    }
    Ok(())
}

impl Console {
    /// What the company says about each provider. Whoever may only look need not prove anything anew: secrets are not
    /// among it.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn sso_settings(&self, visitor: &Visitor) -> Result<SsoPage, Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::SeeSettings, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let mut rows = reader.sso_applications(own.company.id).await?;
                let mut tried: Vec<(Provider, Tried)> = Vec::new();
                for provider in Provider::ALL {
                    let note: Option<Tried> = self.kept_note(&mut reader, &own, note_of(provider)).await?;
                    tried.extend(note.map(|note| (provider, note)));
                }
                let providers = Provider::ALL.map(|provider| {
                    let at = rows.iter().position(|row| row.provider == provider);
                    let tried = tried.iter().find(|(of, _)| *of == provider);
                    ProviderSettings {
                        provider,
                        row: at.map(|at| rows.swap_remove(at)),
                        installation: self.has_installation_application(provider),
                        redirect_uri: self.redirect_uri(provider),
                        tried: tried.map(|(_, tried)| tried.client_id.clone()),
                    }
                });
                let SignedIn { company, account, .. } = own;
                Ok(SsoPage {
                    company,
                    own: account,
                    providers,
                })
            })
            .await
    }

    /// Saves what the company says about the providers, if each still has the version of its input, and tells all admins.
    /// When no secret was typed, the one that was typed to try the same identifier moments ago counts, or else the stored
    /// one, if the identifier stays.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid`; `ChangedMeanwhile`; `ProviderNeeded` when accounts without a password would be
    /// left without a way in.
    pub async fn save_sso(&self, inputs: [ProviderInput; 2], visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                self.allowed(Action::ChangeSso, visitor).await?;
                let (mut work, own) = self.act(Action::ChangeSso, Hold::Company, visitor).await?;
                let rows = work.sso_applications(own.company.id).await?;
                let stored = Provider::ALL.map(|provider| rows.iter().find(|row| row.provider == provider));
                let mut known = Vec::new();
                for (provider, input) in Provider::ALL.into_iter().zip(inputs) {
                    known.push(self.knowing(&mut work, &own, provider, input).await?);
                }
                let inputs = known;
                let mut problems = Vec::new();
                let mut chosen = Vec::new();
                for ((provider, input), stored) in Provider::ALL.into_iter().zip(&inputs).zip(stored) {
                    if stored.map(|row| row.version) != input.version {
                        return Err(Refusal::ChangedMeanwhile.into());
                    }
                    let installation = self.has_installation_application(provider);
                    let client = stored.and_then(|row| row.client.as_ref());
                    chosen.push(Chosen::read(provider, input, installation, client, &mut problems));
                }
                if !problems.is_empty() {
                    return Err(Refusal::Invalid { fields: problems }.into());
                }
                let mut details = Vec::new();
                for (((provider, input), stored), chosen) in
                    Provider::ALL.into_iter().zip(&inputs).zip(stored).zip(chosen)
                {
                    let before = stored.map_or_else(
                        || Chosen::unsaid(self.has_installation_application(provider)),
                        Chosen::of,
                    );
                    let new_secret = !input.client_secret.trim().is_empty();
                    let changes = before.changes(&chosen, provider, new_secret);
                    if changes.is_empty() {
                        continue;
                    }
                    leave_nobody_outside(&mut work, own.company.id, provider, [&before, &chosen]).await?;
                    details.extend(changes);
                    let row = self.sso_row((own.company.id, provider), chosen, input, stored)?;
                    if !work.put_sso_application(&row, input.version).await? {
                        return Err(Refusal::ChangedMeanwhile.into());
                    }
                }
                if details.is_empty() {
                    return Ok(());
                }
                self.tell_admins(&mut work, &own.company, &own.account.person.alias)
                    .await?;
                let entry = AuditEntry {
                    detail: Some(details.join("; ")),
                    ..work.entry(Event::SsoSettingsChanged, own.company.id, None)
                };
                self.record(&mut work, &entry).await?;
                for provider in Provider::ALL {
                    let kind = note_of(provider).as_str();
                    work.drop_session_note(own.company.id, own.session, kind).await?;
                }
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Tries a provider as its settings are typed: whether it is there, and knows the application. Nothing of them is saved.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid`; `NoApplication`; `ProviderUnusable` says what is wrong.
    pub async fn test_sso(
        &self,
        provider: Provider,
        input: ProviderInput,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let own = self.allowed(Action::ChangeSso, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let input = self.knowing(&mut reader, &own, provider, input).await?;
                let application = self
                    .typed_application(&mut reader, own.company.id, provider, &input)
                    .await?;
                drop(reader);
                let checked = self.sso_client()?.check(&application).await;
                let word = checked.map_or_else(|error| error.to_string(), |()| GOOD_TEST.to_owned());
                let entry = AuditEntry {
                    detail: Some(format!("{}: {word}", provider.as_str())),
                    ..own.by(visitor).entry(Event::SsoTested, own.company.id, None)
                };
                self.note(entry).await?;
                if !input.client_secret.trim().is_empty() {
                    let tried = Tried {
                        client_id: input.client_id.trim().to_owned(),
                        client_secret: input.client_secret,
                    };
                    // A secret that the provider does not take has to be typed again.
                    let is_wrong = checked == Err(SsoError::UnknownApplication);
                    let tried = Some(tried).filter(|_| !is_wrong);
                    self.keep_tried(&own, note_of(provider), tried.as_ref(), visitor)
                        .await;
                }
                checked.map_err(|error| {
                    Refusal::ProviderUnusable {
                        provider,
                        problem: error.problem(),
                    }
                    .into()
                })
            })
            .await
    }
}

impl Service {
    /// The input with the secret that was typed for a test of the same application, when none is typed now.
    async fn knowing(
        &self,
        reader: &mut Reader,
        own: &SignedIn,
        provider: Provider,
        input: ProviderInput,
    ) -> Result<ProviderInput, Failure> {
        let tried: Option<Tried> = self.kept_note(reader, own, note_of(provider)).await?;
        let typed = input.client_id.trim();
        let is_wanted = input.client_secret.trim().is_empty() && !typed.is_empty();
        let tried = tried.filter(|tried| is_wanted && tried.client_id == typed);
        Ok(match tried {
            Some(tried) => ProviderInput {
                client_secret: tried.client_secret,
                ..input
            },
            None => input,
        })
    }

    /// The application as it would be after saving what was typed.
    async fn typed_application(
        &self,
        reader: &mut Reader,
        company: CompanyId,
        provider: Provider,
        input: &ProviderInput,
    ) -> Result<Application, Failure> {
        let rows = reader.sso_applications(company).await?;
        let stored = rows.iter().find(|row| row.provider == provider);
        let mut problems = Vec::new();
        // An application that nothing was typed about is missing only for whoever wants to save it.
        let chosen = Chosen::read(
            provider,
            input,
            true,
            stored.and_then(|row| row.client.as_ref()),
            &mut problems,
        );
        if !problems.is_empty() {
            return Err(Refusal::Invalid { fields: problems }.into());
        }
        let row = self.sso_row((company, provider), chosen, input, stored)?;
        if let Some(client) = &row.client {
            return self.own_application(&row, client);
        }
        match self.choose_application(reader, provider, None).await {
            Ok(chosen) => Ok(chosen.application),
            Err(Failure::Refused(_)) => Err(Refusal::NoApplication { provider }.into()),
            Err(failure) => Err(failure),
        }
    }

    fn has_installation_application(&self, provider: Provider) -> bool {
        let providers = self.inner.settings.sso.as_ref();
        let known = providers.and_then(|providers| providers.known(provider));
        known.is_some_and(|known| known.application.is_some())
    }

    fn sso_row(
        &self,
        (company, provider): (CompanyId, Provider),
        chosen: Chosen,
        input: &ProviderInput,
        stored: Option<&SsoApplicationRow>,
    ) -> Result<SsoApplicationRow, Unsealable> {
        let secret = input.client_secret.trim();
        let client = match chosen.client_id {
            None => None,
            Some(_) if secret.is_empty() => stored.and_then(|row| row.client.clone()),
            Some(id) => {
                let context = secret_context(company, provider);
                Some(SsoClient {
                    id,
                    sealed_secret: self.inner.keys.seal(
                        Purpose::SsoSecret,
                        &context,
                        secret.as_bytes(),
                        self.random(),
                    )?,
                })
            }
        };
        let now = self.now();
        Ok(SsoApplicationRow {
            company,
            provider,
            version: now.timestamp_micros(),
            enabled: chosen.enabled,
            client,
            tenants: chosen.tenants,
            trusted: chosen.trusted,
            changed_at: now,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "1b6d9b0e-0f4c-4f0a-9d0b-0d4a3f1f6f10";

    #[test]
    fn tenants_are_numbers_in_any_writing_and_each_counts_once() {
        let typed = format!(
            " {}\r\n{TENANT},{{2c7e9b0e-0f4c-4f0a-9d0b-0d4a3f1f6f10}}",
            TENANT.to_uppercase()
        );
        let second = "2c7e9b0e-0f4c-4f0a-9d0b-0d4a3f1f6f10";
        assert_eq!(
            read_tenants(&typed),
            Ok(vec![TENANT.to_owned(), second.to_owned()])
        );
        assert_eq!(read_tenants(" "), Ok(Vec::new()));
        for bad in ["contoso.onmicrosoft.com", "common", &TENANT[1..]] {
            assert_eq!(read_tenants(bad), Err(Problem::NotATenant), "{bad}");
        }
        let many: Vec<String> = (0..21).map(|n| Uuid::from_u128(n).to_string()).collect();
        assert_eq!(
            read_tenants(&many[..20].join(" ")).map(|tenants| tenants.len()),
            Ok(20)
        );
        assert_eq!(
            read_tenants(&many.join(" ")),
            Err(Problem::ManyTenants { most: 20 })
        );
    }

    fn problems(input: &ProviderInput, installation: bool, stored: Option<&SsoClient>) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        Chosen::read(Provider::Google, input, installation, stored, &mut problems);
        problems
    }

    fn input(enabled: bool, id: &str, secret: &str) -> ProviderInput {
        ProviderInput {
            version: None,
            enabled,
            client_id: id.to_owned(),
            client_secret: secret.to_owned().into(),
            tenants: String::new(),
            trusted: false,
        }
    }

    #[test]
    fn an_application_is_named_whole_and_needed_where_the_installation_has_none() {
        let stored = SsoClient {
            id: "our-app".to_owned(),
            sealed_secret: Vec::new(),
        };
        let id = |problem| {
            vec![FieldProblem {
                field: Field::GoogleClientId,
                problem,
            }]
        };
        let secret = |problem| {
            vec![FieldProblem {
                field: Field::GoogleClientSecret,
                problem,
            }]
        };
        let long = "a".repeat(256);
        for (typed, installation, stored, expected) in [
            (input(true, "our-app", "hush"), false, None, Vec::new()),
            (input(true, "", ""), true, None, Vec::new()),
            (input(false, "", ""), false, None, Vec::new()),
            (input(true, " ", ""), false, None, id(Problem::Missing)),
            (input(false, "", "hush"), true, None, id(Problem::Missing)),
            (input(true, "our-app", ""), true, None, secret(Problem::Missing)),
            (input(true, "our-app", ""), true, Some(&stored), Vec::new()),
            (
                input(true, "other-app", ""),
                true,
                Some(&stored),
                secret(Problem::Missing),
            ),
            (
                input(true, "our app", "hush"),
                true,
                None,
                id(Problem::BadCharacters),
            ),
            (
                input(true, "our-app", "a b"),
                true,
                None,
                secret(Problem::BadCharacters),
            ),
            (
                input(true, &long, "hush"),
                true,
                None,
                id(Problem::TooLong { most: 255 }),
            ),
        ] {
            assert_eq!(
                problems(&typed, installation, stored),
                expected,
                "{:?}",
                typed.client_id
            );
        }
    }
}
