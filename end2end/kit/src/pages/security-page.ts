import { expect, type Locator } from '@playwright/test';
import { pageAfter } from './base.js';
import { SignedInPage } from './signed-in-page.js';

/** A line of a list with its buttons: they are found by what can be seen on them. */
export class Row {
  constructor(readonly row: Locator) {}

  button(label: string): Locator {
    return this.row.getByRole('button').filter({ hasText: new RegExp(`^\\s*${label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`) });
  }

  text(text: string): Locator {
    return this.row.getByText(text, { exact: true });
  }
}

/** `/profile/security` */
export class SecurityPage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.security_title, exact: true });
  }

  get email(): Row {
    return this.factor(this.labels.profile.email_row);
  }

  get app(): Row {
    return this.factor(this.labels.profile.app_row);
  }

  get viewBackupCodes(): Locator {
    return this.section(this.labels.profile.two_factor_title).getByRole('link', { name: this.labels.profile.view_backup_codes, exact: true });
  }

  /** A provider. */
  provider(name: string): Row {
    const rows = this.section(this.labels.profile.sso_title).getByRole('listitem');
    return new Row(rows.filter({ has: this.page.getByRole('heading', { name: new RegExp(`^${name} `) }) }));
  }

  /** Asks to disconnect a provider and says yes. */
  async disconnect(name: string): Promise<number> {
    const { row } = this.provider(name);
    await row.getByText(this.labels.sso.disconnect, { exact: true }).first().click();
    return pageAfter(this.page, '/profile/security/sso/disconnect', () => this.provider(name).button(this.labels.sso.disconnect).click());
  }

  /** The trusted browsers, newest first. */
  get trusted(): Locator {
    return this.section(this.labels.profile.trusted_title).getByRole('listitem');
  }

  get removeAll(): Locator {
    return this.button(this.labels.profile.remove_all);
  }

  /** The sessions, newest first. */
  get sessions(): Locator {
    return this.section(this.labels.profile.sessions_title).getByRole('listitem');
  }

  get endOthers(): Locator {
    return this.button(this.labels.profile.end_others);
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/profile/security');
    await this.ready();
  }

  /** Presses `Remove` of a trusted browser; returns the status of the answer. */
  remove(row: Locator): Promise<number> {
    return pageAfter(this.page, '/profile/security/trusted/remove', () => new Row(row).button(this.labels.profile.remove).click());
  }

  /** Presses `End` of a session; returns the status of the answer. */
  end(row: Locator): Promise<number> {
    return pageAfter(this.page, '/profile/security/sessions/end', () => new Row(row).button(this.labels.profile.end).click());
  }

  /** Presses `Turn off` of a method; returns the status of the answer. */
  turnOff(method: 'email' | 'app'): Promise<number> {
    return pageAfter(this.page, `/profile/security/${method}/off`, () => this[method].button(this.labels.profile.turn_off).click());
  }

  /** Presses `Set Up` of a method, or `Reset` where it is on; returns the status of the answer. */
  begin(method: 'email' | 'app'): Promise<number> {
    const { set_up, reset } = this.labels.profile;
    const either = this[method].button(set_up).or(this[method].button(reset));
    return pageAfter(this.page, `/profile/security/${method}`, () => either.click());
  }

  /** The value of a line of details, such as `Until`. */
  detail(row: Locator, name: string): Locator {
    return row.getByRole('term').filter({ hasText: name }).locator('xpath=following-sibling::dd[1]');
  }

  /** Waits until a method is on, or off. */
  async expectState(method: 'email' | 'app', on: boolean): Promise<void> {
    const { profile } = this.labels;
    const row = this[method];
    await expect(row.text(on ? profile.on : profile.off)).toBeVisible();
    await expect(row.button(profile.set_up)).toHaveCount(on ? 0 : 1);
    await expect(row.button(profile.reset)).toHaveCount(on ? 1 : 0);
    await expect(row.button(profile.turn_off)).toHaveCount(on ? 1 : 0);
  }

  private factor(title: string): Row {
    return new Row(this.section(this.labels.profile.two_factor_title).getByRole('listitem').filter({ hasText: title }));
  }
}
