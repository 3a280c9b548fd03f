//! Pages as plain data: what the server found out, ready to be shown. Views read these and decide nothing.

mod agents;
mod company;
mod mail_server;
mod profile;
mod recovery;
mod sso;

pub use agents::{
    AgentAct, AgentActPage, AgentFormPage, AgentMay, AgentNotice, AgentRow, AgentViewPage, AgentsNotice,
    AgentsPage, ChoiceReason, ChoosePasswordPage, EmailLinkPage, IssuedCodePage,
};
pub use company::{
    AuditPage, CompanyPage, DayRow, EventLine, ImportPage, ImportRow, ImportStage, MailsWaiting,
    OverviewPage, PoliciesPage, Typed, UploadPage, Who,
};
pub use mail_server::{MailServerPage, TestMail, TestMailPage, TestOutcome};
pub use profile::{
    AppCodePage, AppSetUp, AppSetUpPage, BackupCodesPage, ConfirmPage, ConfirmReason, EmailSetUp,
    EmailSetUpPage, NewBackupCodesPage, ProfileForm, ProfileNotice, ProfilePage, SecurityNotice,
    SecurityPage, SessionRow, SetUpPage, TrustedRow, When,
};
pub use recovery::ForgotPasswordPage;
pub use sso::{
    BindPage, ChooseCompanyPage, OnwardPage, ProviderForm, ProviderRow, SsoCompanyPage, SsoSettingsPage,
};

use serde::{Deserialize, Serialize};
use vestibule_core::{refusal::Refusal, sign_in_view::CodeView};
use vestibule_translations::Locale;

/// One page: what all pages share, and what this one shows.
#[derive(Clone, Debug)]
pub struct Page {
    /// What all pages share.
    pub frame: Frame,
    /// What this one shows.
    pub body: Body,
}

/// What all pages share.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Language of the page.
    pub locale: Locale,
    /// Address of the page, a local path: the language form comes back to it.
    pub path: String,
    /// Where the links in the footer lead.
    pub links: Links,
    /// Nonce of this answer's Content-Security-Policy.
    pub nonce: String,
    /// Addresses of the hashed files.
    pub assets: Assets,
    /// Who is signed in, for pages that need it.
    pub signed_in: Option<SignedIn>,
}

/// Links of the footer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Terms of Service.
    pub terms: String,
    /// Privacy Policy.
    pub privacy: String,
    /// The demo's local mailbox, when there is one.
    pub mailbox: Option<String>,
}

/// Addresses of the files a page loads, such as `/assets/vestibule.4f2a….css`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// Style sheet.
    pub style: String,
    /// Style sheet of the pages of an account, besides the other.
    pub account_style: String,
    /// Style sheet of the console, besides the others.
    pub console_style: String,
    /// Script of the pages of an account.
    pub account_script: String,
    /// Script that loads the WebAssembly and brings the islands to life.
    pub script: String,
    /// Bindings, loaded by the script.
    pub bindings: String,
    /// WebAssembly, loaded by the script.
    pub wasm: String,
    /// Logo.
    pub logo: String,
    /// Icon of the browser's tab.
    pub icon: String,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Alias of the account.
    pub alias: String,
    /// Account name.
    pub account: String,
    /// E-mail address.
    pub email: String,
    /// Company.
    pub company: String,
    /// Highest role.
    pub role: Role,
    /// Whether a second factor has to be set up first: no page but that and `Logout` is open.
    pub confined: bool,
}

/// Highest role, for the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Agent.
    Agent,
    /// Supervisor.
    Supervisor,
    /// Admin.
    Admin,
}

/// What a page shows.
#[derive(Clone, Debug)]
pub enum Body {
    /// `/login`
    Login(LoginPage),
    /// `/login/code`
    Code(CodePage),
    /// `/login/wait`: the number in line; `None` = it cannot be told at the moment.
    Waiting(Option<u32>),
    /// The fifth wrong code, or any code for a locked account.
    Locked,
    /// `/agent`
    Agent(LandingPage),
    /// `/admin`
    Admin(OverviewPage),
    /// `/admin/company`
    Company(CompanyPage),
    /// `/admin/security`
    Policies(PoliciesPage),
    /// `/admin/mail`
    MailServer(MailServerPage),
    /// Which company somebody wants to sign in to with a provider.
    SsoCompany(SsoCompanyPage),
    /// `/admin/sso`
    SsoSettings(SsoSettingsPage),
    /// `/admin/mail/test`
    TestMail(TestMailPage),
    /// `/admin/audit`
    Audit(AuditPage),
    /// `/admin/agents/import`
    Upload(UploadPage),
    /// `/admin/agents/import/{id}`
    Import(ImportPage),
    /// `/admin/agents`
    Agents(AgentsPage),
    /// `/admin/agents/new` and `/admin/agents/{id}`
    AgentForm(AgentFormPage),
    /// `/admin/agents/{id}/view`
    AgentView(AgentViewPage),
    /// `/admin/agents/{id}/…`
    AgentAct(AgentActPage),
    /// The backup code that was just issued.
    IssuedCode(IssuedCodePage),
    /// On the way to a provider, or back.
    Onward(OnwardPage),
    /// `/login/bind`
    Bind(BindPage),
    /// `/login/bind`, where several companies know who came back.
    ChooseCompany(ChooseCompanyPage),
    /// `/forgot-password`
    ForgotPassword(ForgotPasswordPage),
    /// `/choose-password`
    ChoosePassword(ChoosePasswordPage),
    /// `/confirm-email`, `/stop-email-change`
    EmailLink(EmailLinkPage),
    /// `/profile`
    Profile(ProfilePage),
    /// `/profile/confirm`
    Confirm(ConfirmPage),
    /// `/profile/security`
    Security(SecurityPage),
    /// `/profile/security/set-up`
    SetUp(SetUpPage),
    /// `/profile/security/email`
    EmailSetUp(EmailSetUpPage),
    /// `/profile/security/app`
    AppSetUp(AppSetUpPage),
    /// `/profile/security/app/code`
    AppCode(AppCodePage),
    /// `/profile/security/backup-codes`
    BackupCodes(BackupCodesPage),
    /// The backup codes that were just made.
    NewBackupCodes(NewBackupCodesPage),
    /// `/terms`, `/privacy`
    Legal(LegalPage),
    /// `/mailbox`
    Mailbox(Vec<MailboxRow>),
    /// `/mailbox/{id}`
    MailboxMessage(MailboxMessage),
    /// Error page.
    Problem(Refusal),
}

/// The sign-in page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginPage {
    /// Company to start with.
    pub company: String,
    /// Account to start with: empty unless a plain form came back.
    pub account: String,
    /// Deep link asked for before: a local path.
    pub next: Option<String>,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
    /// Whether the visitor has just signed out.
    pub signed_out: bool,
    /// Whether the visitor has just changed the password, which ended the session.
    pub password_changed: bool,
    /// Where `Forgot Password` leads, with the company.
    pub forgot: String,
    /// The providers to sign in with: names, and where their buttons lead.
    pub providers: Vec<(String, String)>,
}

/// The code page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePage {
    /// The state of the pending sign-in.
    pub view: CodeView,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
    /// Whether a new code was just asked for.
    pub resent: bool,
    /// Whether `Don't ask again` was ticked before a plain form came back.
    pub trust: bool,
    /// Whether a backup code is asked for: one plain field instead of six boxes.
    pub backup: bool,
}

/// A landing page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LandingPage {
    /// How many backup codes are left, when there are so few that it has to be said.
    pub few_backup_codes: Option<usize>,
}

/// Terms of Service or Privacy Policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalPage {
    /// Which of the two.
    pub kind: Legal,
    /// Language tag of the text.
    pub language: String,
    /// The text as HTML, made from the operator's Markdown with all raw HTML removed.
    pub html: String,
}

/// Which legal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Legal {
    /// Terms of Service.
    Terms,
    /// Privacy Policy.
    Privacy,
}

/// One line of the local mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// Address of the message's own page.
    pub href: String,
    /// Receiver.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// When it arrived, RFC 3339 in UTC.
    pub at: String,
}

/// One message of the local mailbox, shown as a mail client would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxMessage {
    /// Receiver.
    pub to: String,
    /// Sender.
    pub from: String,
    /// Subject.
    pub subject: String,
    /// When it arrived, RFC 3339 in UTC.
    pub at: String,
    /// The plain text part.
    pub text: String,
    /// Address that serves the HTML part alone, for a sandboxed frame.
    pub html_href: String,
}
