import { expect, type Locator } from '@playwright/test';
import { pageAfter } from './base.js';
import { SignedInPage } from './signed-in-page.js';

/** What somebody says about themselves; what is left out stays as it is. */
export interface OwnData {
  firstName?: string;
  lastName?: string;
  alias?: string;
  phone?: string;
  title?: string;
  /** Hours of the clock. */
  timeFormat?: '12' | '24';
  /** Empty = the company's. */
  language?: string;
}

/** `/profile` */
export class ProfilePage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.title, exact: true });
  }

  get firstName(): Locator {
    return this.field(this.labels.profile.first_name);
  }

  get lastName(): Locator {
    return this.field(this.labels.profile.last_name);
  }

  get alias(): Locator {
    return this.field(this.labels.profile.alias);
  }

  get phone(): Locator {
    return this.field(this.labels.profile.phone);
  }

  get title(): Locator {
    return this.field(this.labels.profile.job_title);
  }

  get timeFormat(): Locator {
    return this.field(this.labels.profile.time_format);
  }

  get ownLanguage(): Locator {
    return this.field(this.labels.common.language);
  }

  get save(): Locator {
    return this.main.getByRole('button', { name: this.labels.common.save, exact: true });
  }

  get oldPassword(): Locator {
    return this.field(this.labels.profile.old_password);
  }

  get newPassword(): Locator {
    return this.field(this.labels.profile.new_password);
  }

  get confirmPassword(): Locator {
    return this.field(this.labels.profile.confirm_password);
  }

  get changePassword(): Locator {
    return this.main.getByRole('button', { name: this.labels.profile.change_password, exact: true });
  }

  /** What stands in the place of the password's form while identity has to be confirmed first. */
  get confirmFirst(): Locator {
    return this.main.getByRole('link', { name: this.labels.profile.change_password, exact: true });
  }

  get newEmail(): Locator {
    return this.field(this.labels.agents.new_email);
  }

  /** Asks for another e-mail address, or tries to; returns the status of the answer. */
  async sendEmail(email: string): Promise<number> {
    await this.newEmail.fill(email);
    const button = this.main.getByRole('button', { name: this.labels.profile.change_email, exact: true });
    return pageAfter(this.page, '/profile/email', () => button.click());
  }

  /** What waits for its confirmation. */
  waiting(email: string): Locator {
    return this.main.locator('#pending-email').filter({ hasText: email });
  }

  cancelEmail(): Promise<number> {
    const button = this.main.getByRole('button', { name: this.labels.agents.cancel_email, exact: true });
    return pageAfter(this.page, '/profile/email/cancel', () => button.click());
  }

  get security(): Locator {
    return this.main.getByRole('link', { name: this.labels.profile.security_title, exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
    await this.hydrated();
  }

  async goto(): Promise<void> {
    await this.page.goto('/profile');
    await this.ready();
  }

  /** Types own data, without saving them. */
  async type({ firstName, lastName, alias, phone, title, timeFormat, language }: OwnData): Promise<void> {
    if (firstName !== undefined) await this.firstName.fill(firstName);
    if (lastName !== undefined) await this.lastName.fill(lastName);
    if (alias !== undefined) await this.alias.fill(alias);
    if (phone !== undefined) await this.phone.fill(phone);
    if (title !== undefined) await this.title.fill(title);
    if (timeFormat !== undefined) await this.timeFormat.selectOption(timeFormat);
    if (language !== undefined) await this.ownLanguage.selectOption(language);
  }

  /** Types own data and saves them; returns the status of the answer. */
  async send(data: OwnData): Promise<number> {
    await this.type(data);
    return pageAfter(this.page, '/profile', () => this.save.click());
  }

  /** Changes the password, or tries to; returns the status of the answer. */
  async sendPassword(old: string, chosen: string, again = chosen): Promise<number> {
    await this.oldPassword.fill(old);
    await this.newPassword.fill(chosen);
    await this.confirmPassword.fill(again);
    return pageAfter(this.page, '/profile/password', () => this.changePassword.click());
  }

  private field(label: string): Locator {
    return this.main.getByLabel(label, { exact: true });
  }
}
