import type { APIResponse, Page, Response } from '@playwright/test';
import type { Account } from '../fixtures';
import { labelsOf, type Labels } from '../fixtures/labels';
import type { Mails } from '../fixtures/mails';
import { AdminPage } from './admin-page';
import { AgentPage } from './agent-page';
import { CodePage } from './code-page';
import { LanguageSwitcher } from './language-switcher';
import { LockedPage } from './locked-page';
import { LoginPage } from './login-page';
import { Mailbox } from './mailbox';

export { AdminPage, AgentPage, CodePage, LanguageSwitcher, LockedPage, LoginPage, Mailbox };

/** One browser, and the pages it may be on. */
export class Visitor {
  readonly login: LoginPage;
  readonly code: CodePage;
  readonly locked: LockedPage;
  readonly agent: AgentPage;
  readonly admin: AdminPage;
  readonly mailbox: Mailbox;
  readonly language: LanguageSwitcher;

  constructor(
    readonly page: Page,
    readonly labels: Labels,
    private readonly live: boolean,
  ) {
    this.login = new LoginPage(page, labels, live);
    this.code = new CodePage(page, labels, live);
    this.locked = new LockedPage(page, labels, live);
    this.agent = new AgentPage(page, labels, live);
    this.admin = new AdminPage(page, labels, live);
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

  /** Signs an agent in, with the code from the mail where one is asked for. */
  async signIn(account: Account, mail: Mails): Promise<void> {
    if (account.second_factor === 'email') {
      await this.passPassword(account);
      await this.code.enter(await mail.nextCode(account.email));
    } else {
      await this.login.goto();
      await this.login.send(account);
    }
    await this.landed(account);
  }

  /** Waits for the page where an account lands. */
  async landed(account: Account): Promise<void> {
    await (account.roles.includes('admin') ? this.admin : this.agent).ready();
  }
}
