//! The ten backup codes (N16).

use vestibule_core::{
    account::Account,
    backup_code::BackupCode,
    limits::{BACKUP_CODES, CODES_SHOWN_SECONDS},
    mail::FactorChange,
    refusal::Refusal,
};
use vestibule_storage::Writer;
use zeroize::Zeroizing;

use super::BackupCodesPage;
use crate::{
    Failure, Profile, Service, Visitor,
    notes::NoteKind,
    sessions::{Need, SignedIn},
};

/// Ten codes and what the database keeps of them.
pub(crate) struct FreshCodes {
    pub codes: Vec<BackupCode>,
    pub salt: [u8; 16],
    pub hashes: Vec<[u8; 32]>,
}

impl Profile {
    /// Makes ten new backup codes: the old ones are dead, trust in browsers ends, and a mail tells of it. Besides the answer
    /// only [`Profile::new_codes`] tells them, for a while.
    ///
    /// # Errors
    /// `StepUpNeeded`; [`Refusal::Forbidden`] for an account without a second factor; what the gate says.
    pub async fn new_backup_codes(&self, visitor: &Visitor) -> Result<Vec<BackupCode>, Refusal> {
        visitor
            .transact(async || {
                let signed_in = self.require(Need::ProvedHome, visitor).await?;
                if !signed_in.account.has_second_factor() {
                    return Err(Refusal::Forbidden.into());
                }
                let fresh = self.draw_backup_codes().await?;
                let (mut work, signed_in) = self.enter(Need::ProvedHome, visitor).await?;
                if !signed_in.account.has_second_factor() {
                    return Err(Refusal::Forbidden.into());
                }
                self.store_backup_codes(&mut work, &signed_in.account, &fresh)
                    .await?;
                self.keep_codes(&mut work, &signed_in, &fresh.codes).await?;
                self.factor_changed(&mut work, &signed_in, FactorChange::BackupCodes, visitor)
                    .await?;
                work.commit().await?;
                Ok(fresh.codes)
            })
            .await
    }

    /// The backup codes that were made in this session moments ago, as they are typed, until they are saved. They are told
    /// only with a recent proof of identity: whoever sits down at a browser that was left reads none. `None`: there are none.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `StepUpNeeded`; what the gate says.
    pub async fn new_codes(&self, visitor: &Visitor) -> Result<Option<Zeroizing<Vec<String>>>, Refusal> {
        visitor
            .attempt(async {
                let own = self.require(Need::SetUp, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let codes: Option<Zeroizing<Vec<String>>> =
                    self.kept_note(&mut reader, &own, NoteKind::NewCodes).await?;
                if codes.is_some() {
                    self.meets(&own, Need::ProvedSetUp)?;
                }
                Ok(codes)
            })
            .await
    }

    /// Forgets the backup codes that were made in this session: they are saved. Nothing to forget is fine.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`].
    pub async fn forget_new_codes(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let own = self.require(Need::SetUp, visitor).await?;
                let mut writer = self.inner.store.write_one().await?;
                NoteKind::NewCodes.forget(&mut writer, &own).await?;
                Ok(writer.commit().await?)
            })
            .await
    }

    /// Which backup codes are used.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn backup_codes(&self, visitor: &Visitor) -> Result<BackupCodesPage, Refusal> {
        visitor
            .attempt(async {
                let SignedIn { company, account, .. } = self.require(Need::Home, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let set = reader.backup_codes_of(company.id, account.id).await?;
                Ok(BackupCodesPage {
                    made_at: set.as_ref().map(|set| set.made_at),
                    used_at: set
                        .map(|set| set.codes.iter().map(|code| code.used_at).collect())
                        .unwrap_or_default(),
                    available: account.has_second_factor(),
                })
            })
            .await
    }

    /// How many backup codes are left; `None` = there is no set.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn backup_codes_left(
        &self,
        signed_in: &SignedIn,
        visitor: &Visitor,
    ) -> Result<Option<usize>, Refusal> {
        visitor.attempt(self.count_backup_codes(&signed_in.account)).await
    }
}

impl Service {
    /// Draws a set of ten codes and hashes it. Nothing is stored yet.
    pub(crate) async fn draw_backup_codes(&self) -> Result<FreshCodes, Failure> {
        let codes: Vec<_> = (0..BACKUP_CODES)
            .map(|_| BackupCode::draw(self.random()))
            .collect();
        let mut salt = [0; 16];
        self.random().fill(&mut salt);
        let secrets = codes
            .iter()
            .map(|code| Zeroizing::new(code.bytes().to_vec()))
            .collect();
        let hashes = self.inner.hasher.derive(secrets, salt.to_vec()).await?;
        Ok(FreshCodes { codes, salt, hashes })
    }

    /// Stores a set of ten codes; the old one is dead.
    pub(crate) async fn store_backup_codes(
        &self,
        writer: &mut Writer,
        account: &Account,
        fresh: &FreshCodes,
    ) -> Result<(), Failure> {
        writer
            .replace_backup_codes(
                account.company,
                account.id,
                &fresh.salt,
                &fresh.hashes,
                self.now(),
            )
            .await?;
        Ok(())
    }

    /// Keeps new codes for the page that shows them, as part of the transaction that makes them.
    pub(crate) async fn keep_codes(
        &self,
        writer: &mut Writer,
        own: &SignedIn,
        codes: &[BackupCode],
    ) -> Result<(), Failure> {
        let typed: Vec<String> = codes.iter().map(BackupCode::reveal).collect();
        let typed = Zeroizing::new(typed);
        self.keep_note(writer, own, NoteKind::NewCodes, &typed, CODES_SHOWN_SECONDS)
            .await
    }

    pub(crate) async fn count_backup_codes(&self, account: &Account) -> Result<Option<usize>, Failure> {
        let mut reader = self.inner.store.read().await?;
        Ok(reader.backup_codes_left(account.company, account.id).await?)
    }
}
