import { expect, type Locator } from '@playwright/test';
import type { Account } from '../account.js';
import { fill } from '../labels.js';
import { BasePage, answerTo } from './base.js';

/** What a person types. */
export type Credentials = Pick<Account, 'company' | 'account' | 'password'>;

/** `/login` */
export class LoginPage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.signIn.title, exact: true });
  }

  get company(): Locator {
    return this.page.getByLabel(this.labels.signIn.company, { exact: true });
  }

  get account(): Locator {
    return this.page.getByLabel(this.labels.signIn.account, { exact: true });
  }

  get password(): Locator {
    return this.page.getByLabel(this.labels.signIn.password, { exact: true });
  }

  get submit(): Locator {
    return this.button(this.labels.signIn.submit);
  }

  get forgot(): Locator {
    return this.page.getByRole('link', { name: this.labels.signIn.forgot, exact: true });
  }

  /** Leads to a provider. */
  signInWith(provider: string): Locator {
    return this.button(fill(this.labels.sso.sign_in_with, { provider }));
  }

  /** Shows the password while it is pressed in. */
  get showPassword(): Locator {
    return this.button(this.labels.signIn.show_password);
  }

  override async ready(): Promise<void> {
    await expect(this.submit).toBeVisible();
    await this.hydrated();
  }

  /** Opens the page; `query` begins with `?`. */
  async goto(query = ''): Promise<void> {
    await this.page.goto(`/login${query}`);
    await this.ready();
  }

  /** Types the three fields, without sending them. */
  async type({ company, account, password }: Credentials): Promise<void> {
    await this.company.fill(company);
    await this.account.fill(account);
    await this.password.fill(password);
  }

  /** Types the three fields and sends them; returns the status of the answer. */
  async send(credentials: Credentials): Promise<number> {
    await this.type(credentials);
    return answerTo(this.page, '/login', () => this.submit.click());
  }
}
