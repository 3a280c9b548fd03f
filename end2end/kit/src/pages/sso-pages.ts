import { expect, type Locator } from '@playwright/test';
import { fill } from '../labels.js';
import { BasePage, pageAfter } from './base.js';
import { ConsolePage } from './console-page.js';

/** `/login/bind` */
export class BindPage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.sso.bind_title, exact: true });
  }

  get company(): Locator {
    return this.page.getByLabel(this.labels.signIn.company, { exact: true });
  }

  get bind(): Locator {
    return this.button(this.labels.sso.bind_submit);
  }

  get cancel(): Locator {
    return this.button(this.labels.common.cancel);
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
  }

  /** Types the credentials and presses `Bind`. */
  async send(credentials: { company: string; account: string; password: string }): Promise<void> {
    await this.company.fill(credentials.company);
    await this.page.getByLabel(this.labels.signIn.account, { exact: true }).fill(credentials.account);
    await this.page.getByLabel(this.labels.signIn.password, { exact: true }).fill(credentials.password);
    await this.bind.click();
  }
}

/** `/admin/sso` */
export class SsoSettingsPage extends ConsolePage {
  /** What went well; a place that waits for words is not meant. */
  override get good(): Locator {
    return super.good.filter({ hasText: /\S/ });
  }

  /** The settings of a provider. */
  of(provider: string): Locator {
    return this.page.getByRole('region', { name: provider, exact: true });
  }

  enabled(provider: string): Locator {
    return this.of(provider).getByLabel(fill(this.labels.sso.enabled, { provider }), { exact: true });
  }

  clientId(provider: string): Locator {
    return this.of(provider).getByLabel(this.labels.sso.client_id, { exact: true });
  }

  clientSecret(provider: string): Locator {
    return this.of(provider).getByLabel(this.labels.sso.client_secret, { exact: true });
  }

  tenants(provider: string): Locator {
    return this.of(provider).getByLabel(this.labels.sso.tenants, { exact: true });
  }

  trusted(provider: string): Locator {
    return this.of(provider).getByLabel(this.labels.sso.trusted, { exact: true });
  }

  redirectUri(provider: string): Locator {
    return this.of(provider).getByLabel(this.labels.sso.redirect_uri, { exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.clientId('Google')).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin/sso');
    await this.ready();
  }

  /** Presses `Save`; returns the status of the answer. */
  save(): Promise<number> {
    return this.press(this.labels.common.save, '/admin/sso');
  }

  /** Presses `Test connection` of a provider; returns the status of the answer. */
  test(provider: string): Promise<number> {
    const row = this.page.getByRole('listitem').filter({ has: this.page.getByRole('heading', { name: provider, exact: true }) });
    return pageAfter(this.page, '/admin/sso/test', () => row.getByRole('button').click());
  }
}
