import type { APIResponse, Page, Response } from '@playwright/test';
import type { Account } from '../account.js';
import type { AuthenticatorApp } from '../authenticator.js';
import { labelsOf, type Labels } from '../labels.js';
import type { Mails } from '../mails.js';
import { AdminPage } from './admin-page.js';
import { AgentPage } from './agent-page.js';
import { AgentActPage, AgentFormPage, AgentViewPage } from './agent-pages.js';
import { AgentsPage } from './agents-page.js';
import { ApplicationsPage } from './application-pages.js';
import { BackupCodesPage, NewBackupCodesPage } from './backup-codes-pages.js';
import { CodePage } from './code-page.js';
import { GeneralPage, PoliciesPage } from './company-pages.js';
import { ConfirmPage } from './confirm-page.js';
import { ForgotPage } from './forgot-page.js';
import { LanguageSwitcher } from './language-switcher.js';
import { ChoosePasswordPage, EmailLinkPage } from './link-pages.js';
import { LockedPage } from './locked-page.js';
import { LoginPage } from './login-page.js';
import { MailServerPage } from './mail-pages.js';
import { Mailbox } from './mailbox.js';
import { ProfilePage } from './profile-page.js';
import { AuditPage, ImportPage, SessionsPage } from './records-pages.js';
import { SecurityPage } from './security-page.js';
import { BindPage, SsoSettingsPage } from './sso-pages.js';
import { AppCodePage, AppSetUpPage, EmailSetUpPage, RequiredPage } from './set-up-pages.js';

export { AdminPage, AgentPage, CodePage, LanguageSwitcher, LockedPage, LoginPage, Mailbox };

/** One browser, and the pages it may be on. */
export class Visitor {
  readonly login: LoginPage;
  readonly code: CodePage;
  readonly locked: LockedPage;
  readonly agent: AgentPage;
  readonly admin: AdminPage;
  readonly agents: AgentsPage;
  readonly agentForm: AgentFormPage;
  readonly agentView: AgentViewPage;
  readonly agentAct: AgentActPage;
  readonly general: GeneralPage;
  readonly policies: PoliciesPage;
  readonly audit: AuditPage;
  readonly sessions: SessionsPage;
  readonly import: ImportPage;
  readonly mailServer: MailServerPage;
  readonly bind: BindPage;
  readonly ssoSettings: SsoSettingsPage;
  readonly applications: ApplicationsPage;
  readonly forgot: ForgotPage;
  readonly choosePassword: ChoosePasswordPage;
  readonly emailLink: EmailLinkPage;
  readonly profile: ProfilePage;
  readonly confirm: ConfirmPage;
  readonly security: SecurityPage;
  readonly emailSetUp: EmailSetUpPage;
  readonly appSetUp: AppSetUpPage;
  readonly appCode: AppCodePage;
  readonly required: RequiredPage;
  readonly backupCodes: BackupCodesPage;
  readonly newBackupCodes: NewBackupCodesPage;
  readonly mailbox: Mailbox;
  readonly language: LanguageSwitcher;

  constructor(
    readonly page: Page,
    readonly labels: Labels,
    readonly live: boolean,
  ) {
    this.login = new LoginPage(page, labels, live);
    this.code = new CodePage(page, labels, live);
    this.locked = new LockedPage(page, labels, live);
    this.agent = new AgentPage(page, labels, live);
    this.admin = new AdminPage(page, labels, live);
    this.agents = new AgentsPage(page, labels, live);
    this.agentForm = new AgentFormPage(page, labels, live);
    this.agentView = new AgentViewPage(page, labels, live);
    this.agentAct = new AgentActPage(page, labels, live);
    this.general = new GeneralPage(page, labels, live);
    this.policies = new PoliciesPage(page, labels, live);
    this.audit = new AuditPage(page, labels, live);
    this.sessions = new SessionsPage(page, labels, live);
    this.import = new ImportPage(page, labels, live);
    this.mailServer = new MailServerPage(page, labels, live);
    this.bind = new BindPage(page, labels, live);
    this.ssoSettings = new SsoSettingsPage(page, labels, live);
    this.applications = new ApplicationsPage(page, labels, live);
    this.forgot = new ForgotPage(page, labels, live);
    this.choosePassword = new ChoosePasswordPage(page, labels, live);
    this.emailLink = new EmailLinkPage(page, labels, live);
    this.profile = new ProfilePage(page, labels, live);
    this.confirm = new ConfirmPage(page, labels, live);
    this.security = new SecurityPage(page, labels, live);
    this.emailSetUp = new EmailSetUpPage(page, labels, live);
    this.appSetUp = new AppSetUpPage(page, labels, live);
    this.appCode = new AppCodePage(page, labels, live);
    this.required = new RequiredPage(page, labels, live);
    this.backupCodes = new BackupCodesPage(page, labels, live);
    this.newBackupCodes = new NewBackupCodesPage(page, labels, live);
    this.mailbox = new Mailbox(page, labels, live);
    this.language = new LanguageSwitcher(page);
  }

  /** The same browser, for somebody who now reads another language. */
  reading(language: string): Visitor {
    return new Visitor(this.page, labelsOf(language), this.live);
  }

  /** Another tab of the same browser. */
  async newTab(): Promise<Visitor> {
    return new Visitor(await this.page.context().newPage(), this.labels, this.live);
  }

  /** Opens an address and returns the answer. */
  async open(path: string): Promise<Response> {
    const response = await this.page.goto(path);
    if (!response) throw new Error(`no answer from ${path}`);
    return response;
  }

  /** Posts a form past the page, as its scripts would: with the cookies of this browser. */
  post(path: string, form: Record<string, string> = {}): Promise<APIResponse> {
    const headers = { Accept: 'application/json', Origin: new URL(this.page.url()).origin };
    return this.page.request.post(path, { form, headers, maxRedirects: 0 });
  }

  /** The value of a cookie of this browser. */
  async cookie(name: string): Promise<string | undefined> {
    return (await this.page.context().cookies()).find((cookie) => cookie.name === name)?.value;
  }

  /** Sends the right password from `/login`; comes to the code page. */
  async passPassword(account: Account): Promise<void> {
    await this.login.goto();
    await this.login.send(account);
    await this.code.ready();
  }

  /** Signs an agent in, with a code of the app or from the mail where one is asked for. */
  async signIn(account: Account, mail: Mails): Promise<void> {
    if (account.second_factor === 'none') {
      await this.login.goto();
      await this.login.send(account);
    } else {
      await this.passPassword(account);
      await this.code.enter(await codeFor(account, mail));
    }
    await this.landed(account);
  }

  /** Signs out, to the sign-in page. */
  async signOut(): Promise<void> {
    await this.agent.signOut();
    await this.login.ready();
  }

  /** Proves once more who it is, on the page that asks for it. */
  async stepUp(account: Account, mail: Mails): Promise<void> {
    await this.confirm.ready();
    await this.confirm.send(account.password);
    if (account.second_factor === 'none') return;
    await this.code.ready();
    await this.code.enter(await codeFor(account, mail));
  }

  /** Sets codes by e-mail up, from Security Settings to what follows the first code. */
  async setUpEmail(account: Account, mail: Mails): Promise<void> {
    await this.security.goto();
    await this.security.begin('email');
    await this.emailSetUp.ready();
    await this.emailSetUp.send(await mail.nextCode(account.email));
  }

  /** Sets an authenticator app up, from Security Settings to what follows the first code. */
  async setUpApp(createApp: (secret: string) => AuthenticatorApp): Promise<AuthenticatorApp> {
    await this.security.goto();
    await this.security.begin('app');
    const app = await this.takeSecret(createApp);
    await this.appCode.send(await app.code());
    return app;
  }

  /** Types the secret of the page into an app and presses `Next`. */
  async takeSecret(createApp: (secret: string) => AuthenticatorApp): Promise<AuthenticatorApp> {
    await this.appSetUp.ready();
    const app = createApp(await this.appSetUp.secret.innerText());
    await this.appSetUp.next.click();
    await this.appCode.ready();
    return app;
  }

  /** Waits for the page where an account lands. */
  async landed(account: Account): Promise<void> {
    await (account.roles.includes('admin') ? this.admin : this.agent).ready();
  }
}

/** A code that this account may enter: of its app, or from the mail. */
async function codeFor(account: Account, mail: Mails): Promise<string> {
  return account.app ? account.app.code() : mail.nextCode(account.email);
}
