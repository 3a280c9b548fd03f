//! Which application a browser is sent to a provider with, and whose word counts where.
//!
//! What a stranger sees never tells which companies exist: a button stands on the sign-in page for everybody or for
//! nobody, and a company that says nothing, one that switched the provider off and one that does not exist send
//! browsers out in the same way. Only a company's own application shows that it is there: its identifier is in the
//! address of the provider, which is how OpenID Connect works.

use vestibule_core::{
    id::{AccountId, CompanyId},
    refusal::Refusal,
    sso::{Identity, Provider},
};
use vestibule_sso::{Application, Client};
use vestibule_storage::{Reader, SsoApplicationRow, SsoClient, SsoFlowRow, StoreError};
use zeroize::Zeroizing;

use crate::{Failure, Service, Sso, Visitor, keys::Purpose, sessions::Need};

/// The providers of an installation.
pub struct Providers {
    client: Client,
    known: Vec<KnownProvider>,
}

/// A provider, and the application that the operator registered with it.
pub struct KnownProvider {
    /// Which.
    pub provider: Provider,
    /// Where its discovery document is.
    pub issuer: String,
    /// The installation's identifier and secret; `None` = only companies have applications.
    pub application: Option<(String, Zeroizing<String>)>,
}

impl Providers {
    /// The providers that can be used.
    pub const fn new(client: Client, known: Vec<KnownProvider>) -> Self {
        Self { client, known }
    }

    /// A provider as the operator configured it.
    pub(crate) fn known(&self, provider: Provider) -> Option<&KnownProvider> {
        self.known.iter().find(|known| known.provider == provider)
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.known.iter().map(|known| known.provider))
            .finish()
    }
}

/// A provider in Security Settings.
pub struct OwnProvider {
    /// Which.
    pub provider: Provider,
    /// Who the account is there; `None` = it is not connected, and can be.
    pub identity: Option<Identity>,
}

/// An application, and the company that it is of; `None` = the installation's.
pub(crate) struct Chosen {
    pub application: Application,
    pub company: Option<CompanyId>,
}

/// Whether the company spares the second factor of whoever a provider vouches for.
pub(super) struct Trust(pub bool);

/// What a secret is bound to: swapped between two companies or providers, neither opens.
pub(crate) fn secret_context(company: CompanyId, provider: Provider) -> Vec<u8> {
    [company.0.as_bytes().as_slice(), provider.as_str().as_bytes()].concat()
}

/// The company with this name, as typed.
pub(super) async fn company_named(reader: &mut Reader, name: &str) -> Result<Option<CompanyId>, StoreError> {
    let found = reader.company_by_name(name).await?;
    Ok(found.map(|company| company.id))
}

/// What a company says about a provider.
async fn conditions(
    reader: &mut Reader,
    company: CompanyId,
    provider: Provider,
) -> Result<Option<SsoApplicationRow>, StoreError> {
    let rows = reader.sso_applications(company).await?;
    Ok(rows.into_iter().find(|row| row.provider == provider))
}

fn not_offered() -> Failure {
    Refusal::SsoNotOffered.into()
}

impl Sso {
    /// The providers that have a button on the sign-in page: those that some company lets its accounts in by.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn offered_providers(&self, visitor: &Visitor) -> Result<Vec<Provider>, Refusal> {
        visitor
            .attempt(async {
                let Some(providers) = &self.inner.settings.sso else {
                    return Ok(Vec::new());
                };
                let known = Provider::ALL.map(|provider| providers.known(provider));
                let installation = known.map(|known| known.is_some_and(|known| known.application.is_some()));
                let in_use = self
                    .inner
                    .store
                    .read()
                    .await?
                    .providers_in_use(installation)
                    .await?;
                let offered = Provider::ALL.into_iter().zip(known).zip(in_use);
                Ok(offered
                    .filter(|((_, known), in_use)| known.is_some() && *in_use)
                    .map(|((provider, _), _)| provider)
                    .collect())
            })
            .await
    }

    /// The providers that the own account is connected with, or can be.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`].
    pub async fn own_providers(&self, visitor: &Visitor) -> Result<Vec<OwnProvider>, Refusal> {
        let found = async {
            let own = self.require(Need::SetUp, visitor).await?;
            let mut reader = self.inner.store.read().await?;
            let mut linked = reader.identities_of(own.company.id, own.account.id).await?;
            let mut found = Vec::new();
            for provider in Provider::ALL {
                let at = linked
                    .iter()
                    .position(|linked| linked.identity.provider == provider);
                let identity = at.map(|at| linked.swap_remove(at).identity);
                if identity.is_some() || self.offers(&mut reader, own.company.id, provider).await? {
                    found.push(OwnProvider { provider, identity });
                }
            }
            Ok(found)
        };
        visitor.attempt(found).await
    }
}

impl Service {
    /// Whether accounts of the company may come in by this provider.
    pub(crate) async fn offers(
        &self,
        reader: &mut Reader,
        company: CompanyId,
        provider: Provider,
    ) -> Result<bool, StoreError> {
        let row = conditions(reader, company, provider).await?;
        let known = self.inner.settings.sso.as_ref();
        let known = known.and_then(|providers| providers.known(provider));
        Ok(match (known, row) {
            (None, _) => false,
            (Some(_), Some(row)) if !row.enabled => false,
            (Some(known), row) => known.application.is_some() || row.is_some_and(|row| row.client.is_some()),
        })
    }

    /// The providers that an account can sign in with: connected, and let in by its company.
    pub(crate) async fn ways_in(
        &self,
        reader: &mut Reader,
        company: CompanyId,
        account: AccountId,
    ) -> Result<Vec<Provider>, StoreError> {
        let mut ways = Vec::new();
        for linked in reader.identities_of(company, account).await? {
            let provider = linked.identity.provider;
            if self.offers(reader, company, provider).await? {
                ways.push(provider);
            }
        }
        Ok(ways)
    }

    /// The application that somebody of this company is sent to the provider with: the company's own, or else the
    /// installation's, whatever the company says about it. See [`Service::accepts`].
    pub(crate) async fn choose_application(
        &self,
        reader: &mut Reader,
        provider: Provider,
        company: Option<CompanyId>,
    ) -> Result<Chosen, Failure> {
        let row = match company {
            Some(company) => conditions(reader, company, provider).await?,
            None => None,
        };
        let providers = self.inner.settings.sso.as_ref().ok_or_else(not_offered)?;
        if let Some(row) = row.filter(|row| row.enabled)
            && let Some(client) = &row.client
        {
            return Ok(Chosen {
                application: self.own_application(&row, client)?,
                company: Some(row.company),
            });
        }
        let known = providers.known(provider).ok_or_else(not_offered)?;
        let (id, secret) = known.application.as_ref().ok_or_else(not_offered)?;
        let application = Application::new(provider, id, secret, &known.issuer, &self.redirect_uri(provider))
            .map_err(|_| not_offered())?;
        Ok(Chosen {
            application,
            company: None,
        })
    }

    /// A company's own application as it is stored.
    pub(crate) fn own_application(
        &self,
        row: &SsoApplicationRow,
        client: &SsoClient,
    ) -> Result<Application, Failure> {
        let context = secret_context(row.company, row.provider);
        let plain = self
            .inner
            .keys
            .open(Purpose::SsoSecret, &context, &client.sealed_secret)?;
        let secret = std::str::from_utf8(&plain).map_err(|_| crate::keys::Unsealable)?;
        let providers = self.inner.settings.sso.as_ref().ok_or_else(not_offered)?;
        let known = providers.known(row.provider).ok_or_else(not_offered)?;
        // An application of one tenant is known to that tenant only.
        let issuer = match (row.provider, &row.tenants[..]) {
            (Provider::Office365, [tenant]) => Application::office365_of(&known.issuer, tenant),
            _ => known.issuer.clone(),
        };
        let redirect = self.redirect_uri(row.provider);
        Ok(
            Application::new(row.provider, &client.id, secret, &issuer, &redirect)
                .map_err(|_| not_offered())?
                .of_tenants(row.tenants.clone()),
        )
    }

    /// Where a provider sends browsers back to.
    pub(crate) fn redirect_uri(&self, provider: Provider) -> String {
        [&self.inner.settings.origin, provider.callback_path()].concat()
    }

    pub(crate) fn sso_client(&self) -> Result<&Client, Failure> {
        let providers = self.inner.settings.sso.as_ref();
        Ok(&providers.ok_or(Refusal::SsoNotOffered)?.client)
    }

    /// Whether the company has an application of its own, and this flow came through another.
    pub(super) async fn came_through_another(
        &self,
        reader: &mut Reader,
        company: CompanyId,
        flow: &SsoFlowRow,
    ) -> Result<bool, StoreError> {
        let row = conditions(reader, company, flow.provider).await?;
        let own = row.is_some_and(|row| row.enabled && row.client.is_some());
        Ok(own && flow.company != Some(company))
    }

    /// What an identity that came with this flow is worth in a company: `None` when it counts for nothing there. A
    /// company with an application of its own takes only what came through that; no other company takes it.
    pub(super) async fn accepts(
        &self,
        reader: &mut Reader,
        company: CompanyId,
        flow: &SsoFlowRow,
        identity: &Identity,
    ) -> Result<Option<Trust>, StoreError> {
        let row = conditions(reader, company, flow.provider).await?;
        Ok(match (row, flow.company) {
            (None, None) => Some(Trust(false)),
            (Some(row), through) if row.enabled && identity.is_of(&row.tenants) => {
                let own = row.client.is_some().then_some(row.company);
                (own == through).then_some(Trust(row.trusted))
            }
            _ => None,
        })
    }
}
