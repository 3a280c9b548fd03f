//! Applications as people manage them: admins in the console, operators from the command line, and agents who open them.

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{AuditEntry, Event},
    company::Company,
    id::{ApplicationId, ApplicationSecretId, CompanyId},
    limits::{APPLICATIONS_MAX, OLD_SECRET_HOURS},
    oidc::application::{Application, ApplicationInput, ApplicationKind, ApplicationSettings},
    ports::Moment,
    refusal::Refusal,
    rights::Action,
    secret::Token,
};
use vestibule_storage::{NewApplicationSecret, StoreError, again};

use crate::{
    Console, Failure, Operator, Profile, Service, Visitor,
    console::Hold,
    operator::OperatorError,
    sessions::{Need, SignedIn},
    work::Work,
};

/// The applications of a company.
pub struct ApplicationList {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The company's own, by name.
    pub applications: Vec<Application>,
    /// Those of the installation, which are there for this company too and which it cannot change.
    pub of_installation: Vec<Application>,
}

/// An application, as the console shows it.
pub struct ApplicationDetails {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The application.
    pub application: Application,
    /// Its secrets that are good, the oldest first: since when, and until when if it ends by itself.
    pub secrets: Vec<(Moment, Option<Moment>)>,
}

/// An application that was added, with the secret that is shown only now.
pub struct AddedApplication {
    /// The application.
    pub application: Application,
    /// Its secret; `None` = it needs none.
    pub secret: Option<Token>,
}

impl Console {
    /// The applications of the company. Whoever may only look need not prove anything anew: secrets are not among it.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn applications(&self, visitor: &Visitor) -> Result<ApplicationList, Refusal> {
        visitor
            .attempt(async {
                let SignedIn { company, account, .. } = self.allowed(Action::SeeSettings, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                Ok(ApplicationList {
                    applications: reader.applications_of(Some(company.id)).await?,
                    of_installation: reader.applications_of(None).await?,
                    company,
                    own: account,
                })
            })
            .await
    }

    /// One application of the company.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::NotFound`].
    pub async fn application(&self, id: &str, visitor: &Visitor) -> Result<ApplicationDetails, Refusal> {
        visitor
            .attempt(async {
                let SignedIn { company, account, .. } = self.allowed(Action::SeeSettings, visitor).await?;
                let id = ApplicationId::parse(id).ok_or(Refusal::NotFound)?;
                let mut reader = self.inner.store.read().await?;
                let found = reader.application(id).await?;
                let application = found
                    .filter(|found| found.company == Some(company.id))
                    .ok_or(Refusal::NotFound)?;
                let now = self.now();
                let secrets = reader.application_secrets(id).await?.into_iter();
                let secrets = secrets
                    .filter(|row| row.secret.expires_at.is_none_or(|end| now < end))
                    .map(|row| (row.created_at, row.secret.expires_at))
                    .collect();
                Ok(ApplicationDetails {
                    company,
                    own: account,
                    application,
                    secrets,
                })
            })
            .await
    }

    /// Adds an application.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::Invalid`]; [`Refusal::ManyApplications`].
    pub async fn add_application(
        &self,
        input: &ApplicationInput,
        visitor: &Visitor,
    ) -> Result<AddedApplication, Refusal> {
        visitor
            .transact(async || {
                let settings = read(input)?;
                let (mut work, own) = self
                    .act(Action::ChangeApplications, Hold::Company, visitor)
                    .await?;
                if work.count_applications(own.company.id).await? >= APPLICATIONS_MAX {
                    return Err(Refusal::ManyApplications.into());
                }
                let added = self.add_in(&mut work, Some(own.company.id), settings).await?;
                work.commit().await?;
                Ok(added)
            })
            .await
    }

    /// Changes an application, if it still has the version that the page showed. What it is, stays: a secret belongs to it or
    /// does not.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::Invalid`], [`Refusal::NotFound`], [`Refusal::ChangedMeanwhile`].
    pub async fn change_application(
        &self,
        id: &str,
        version: i64,
        input: &ApplicationInput,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let settings = read(input)?;
                let (mut work, before) = self.act_on_application(id, visitor).await?;
                let kind = before.settings.kind;
                self.change_in(
                    &mut work,
                    &before,
                    version,
                    &ApplicationSettings { kind, ..settings },
                )
                .await?;
                Ok(work.commit().await?)
            })
            .await
    }

    /// Makes a new secret of an application, which is shown only now. The one before stays good for a day.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::NotFound`], [`Refusal::NoNewSecret`].
    pub async fn rotate_application_secret(&self, id: &str, visitor: &Visitor) -> Result<Token, Refusal> {
        visitor
            .transact(async || {
                let (mut work, application) = self.act_on_application(id, visitor).await?;
                let secret = self.rotate_in(&mut work, &application).await?;
                work.commit().await?;
                Ok(secret)
            })
            .await
    }

    /// Deletes an application; everything that it got is worth nothing then.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; [`Refusal::NotFound`].
    pub async fn delete_application(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, application) = self.act_on_application(id, visitor).await?;
                self.delete_in(&mut work, &application).await?;
                Ok(work.commit().await?)
            })
            .await
    }
}

impl Profile {
    /// The applications that somebody may open, by name: those with an address to open them at.
    ///
    /// # Errors
    /// What the session refuses; a failing database.
    pub async fn applications(&self, visitor: &Visitor) -> Result<Vec<Application>, Refusal> {
        visitor
            .attempt(async {
                let SignedIn { company, account, .. } = self.require(Need::Home, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let mut all = reader.applications_of(Some(company.id)).await?;
                all.extend(reader.applications_of(None).await?);
                all.retain(|found| found.can_be_opened_in(company.id) && found.admits(&account));
                all.sort_by(|one, other| one.settings.name.cmp(&other.settings.name));
                Ok(all)
            })
            .await
    }
}

impl Profile {
    /// The application that agents of the company go to after a sign-in, if this account may open it.
    ///
    /// # Errors
    /// What the session refuses; a failing database.
    pub async fn after_sign_in(&self, visitor: &Visitor) -> Result<(SignedIn, Option<Application>), Refusal> {
        visitor
            .attempt(async {
                let signed_in = self.require(Need::Home, visitor).await?;
                let found = match signed_in.company.settings.after_sign_in {
                    Some(id) => self.inner.store.read().await?.application(id).await?,
                    None => None,
                };
                let opened = found.filter(|found| {
                    found.can_be_opened_in(signed_in.company.id) && found.admits(&signed_in.account)
                });
                Ok((signed_in, opened))
            })
            .await
    }
}

impl Operator {
    /// Adds an application of a company, or with `None` of the installation.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`], [`OperatorError::Refused`]; a failing database.
    pub async fn add_application(
        &self,
        company: Option<&str>,
        input: &ApplicationInput,
    ) -> Result<AddedApplication, OperatorError> {
        let settings = read(input)?;
        again(async || {
            let company = self.company_if_named(company).await?;
            let mut work = self.operate().await?;
            if let Some(company) = company {
                work.hold_company(company).await?;
                if work.count_applications(company).await? >= APPLICATIONS_MAX {
                    return Err(Refusal::ManyApplications.into());
                }
            }
            let added = self.add_in(&mut work, company, settings.clone()).await?;
            work.commit().await?;
            Ok(added)
        })
        .await
    }

    /// The applications of a company, or with `None` of the installation, by name.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn applications(&self, company: Option<&str>) -> Result<Vec<Application>, OperatorError> {
        let company = self.company_if_named(company).await?;
        Ok(self.inner.store.read().await?.applications_of(company).await?)
    }

    /// Makes a new secret of an application, whosever it is. The one before stays good for a day.
    ///
    /// # Errors
    /// [`OperatorError::UnknownApplication`], [`OperatorError::Refused`]; a failing database.
    pub async fn rotate_application_secret(&self, id: &str) -> Result<Token, OperatorError> {
        again(async || {
            let (mut work, application) = self.operate_on_application(id).await?;
            let secret = self.rotate_in(&mut work, &application).await?;
            work.commit().await?;
            Ok(secret)
        })
        .await
    }

    /// Deletes an application, whosever it is; gives what it was.
    ///
    /// # Errors
    /// [`OperatorError::UnknownApplication`]; a failing database.
    pub async fn delete_application(&self, id: &str) -> Result<Application, OperatorError> {
        again(async || {
            let (mut work, application) = self.operate_on_application(id).await?;
            self.delete_in(&mut work, &application).await?;
            work.commit().await?;
            Ok(application)
        })
        .await
    }

    async fn company_if_named(&self, name: Option<&str>) -> Result<Option<CompanyId>, OperatorError> {
        match name {
            Some(name) => Ok(Some(self.company_named(name).await?.id)),
            None => Ok(None),
        }
    }

    async fn operate_on_application(&self, id: &str) -> Result<(Work<'static>, Application), OperatorError> {
        let id = ApplicationId::parse(id).ok_or(OperatorError::UnknownApplication)?;
        let mut work = self.operate().await?;
        let found = work.application(id).await?;
        Ok((work, found.ok_or(OperatorError::UnknownApplication)?))
    }
}

fn read(input: &ApplicationInput) -> Result<ApplicationSettings, Refusal> {
    ApplicationSettings::read(input).map_err(|fields| Refusal::Invalid { fields })
}

impl Service {
    async fn act_on_application<'a>(
        &self,
        id: &str,
        visitor: &'a Visitor,
    ) -> Result<(Work<'a>, Application), Failure> {
        let id = ApplicationId::parse(id).ok_or(Refusal::NotFound)?;
        let (mut work, own) = self
            .act(Action::ChangeApplications, Hold::Company, visitor)
            .await?;
        let found = work.application(id).await?;
        let application = found
            .filter(|found| found.company == Some(own.company.id))
            .ok_or(Refusal::NotFound)?;
        Ok((work, application))
    }

    async fn add_in(
        &self,
        work: &mut Work<'_>,
        company: Option<CompanyId>,
        settings: ApplicationSettings,
    ) -> Result<AddedApplication, StoreError> {
        let now = self.now();
        let application = Application {
            id: ApplicationId::new(now, self.random()),
            company,
            settings,
            version: 1,
            created_at: now,
            last_used_at: None,
        };
        work.insert_application(&application).await?;
        let secret = match application.settings.kind {
            ApplicationKind::Web => Some(self.add_secret_in(work, application.id).await?),
            ApplicationKind::SinglePage | ApplicationKind::BehindProxy => None,
        };
        self.note_application(work, Event::ApplicationAdded, &application, "")
            .await?;
        Ok(AddedApplication { application, secret })
    }

    async fn change_in(
        &self,
        work: &mut Work<'_>,
        before: &Application,
        version: i64,
        settings: &ApplicationSettings,
    ) -> Result<(), Failure> {
        let changed: Vec<_> = before.settings.changed(settings).collect();
        if !work
            .set_application(before.company, before.id, version, settings, self.now())
            .await?
        {
            return Err(Refusal::ChangedMeanwhile.into());
        }
        if !changed.is_empty() {
            self.note_application(work, Event::ApplicationChanged, before, &changed.join(", "))
                .await?;
        }
        Ok(())
    }

    /// The new secret; the one before ends in a day, and those before that end now.
    async fn rotate_in(&self, work: &mut Work<'_>, application: &Application) -> Result<Token, Failure> {
        if application.settings.kind != ApplicationKind::Web {
            return Err(Refusal::NoNewSecret.into());
        }
        let now = self.now();
        let newest = work
            .application_secrets(application.id)
            .await?
            .last()
            .map(|row| row.id);
        work.end_application_secrets(application.id, now + TimeDelta::hours(OLD_SECRET_HOURS))
            .await?;
        if let Some(newest) = newest {
            work.end_application_secrets_before(application.id, newest, now)
                .await?;
        }
        let secret = self.add_secret_in(work, application.id).await?;
        work.clear_all_password_tries(&self.client_subject(application))
            .await?;
        self.note_application(work, Event::ApplicationSecretRotated, application, "")
            .await?;
        Ok(secret)
    }

    async fn delete_in(&self, work: &mut Work<'_>, application: &Application) -> Result<(), StoreError> {
        work.delete_application(application.company, application.id)
            .await?;
        self.note_application(work, Event::ApplicationDeleted, application, "")
            .await
    }

    async fn add_secret_in(
        &self,
        work: &mut Work<'_>,
        application: ApplicationId,
    ) -> Result<Token, StoreError> {
        let now = self.now();
        let secret = Token::new(self.random());
        work.insert_application_secret(&NewApplicationSecret {
            id: ApplicationSecretId::new(now, self.random()),
            application,
            hash: secret.hash(),
            created_at: now,
        })
        .await?;
        Ok(secret)
    }

    /// A line of the audit log about an application; with what besides its name.
    async fn note_application(
        &self,
        work: &mut Work<'_>,
        event: Event,
        application: &Application,
        what: &str,
    ) -> Result<(), StoreError> {
        let name = &application.settings.name;
        let detail = if what.is_empty() {
            name.clone()
        } else {
            format!("{name}: {what}")
        };
        let entry = AuditEntry {
            detail: Some(detail),
            ..work.entry_of(event, application.company, None)
        };
        self.record(work, &entry).await
    }
}
