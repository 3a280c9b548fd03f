import { expect, type Locator } from '@playwright/test';
import { BasePage, pageAfter } from './base.js';

/** `/forgot-password` */
export class ForgotPage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.signIn.forgot, exact: true });
  }

  get company(): Locator {
    return this.page.getByLabel(this.labels.signIn.company, { exact: true });
  }

  get email(): Locator {
    return this.page.getByLabel(this.labels.recovery.email, { exact: true });
  }

  get submit(): Locator {
    return this.button(this.labels.recovery.submit);
  }

  /** What everybody is told, whoever they are. */
  get sent(): Locator {
    return this.page.getByRole('status').filter({ hasText: this.labels.recovery.sent });
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === '/forgot-password');
    await expect(this.heading).toBeVisible();
    await this.hydrated();
  }

  async goto(query = ''): Promise<void> {
    await this.page.goto(`/forgot-password${query}`);
    await this.ready();
  }

  /** Asks for a link, or tries to; returns the status of the answer. */
  async send(email: string, company?: string): Promise<number> {
    if (company !== undefined) await this.company.fill(company);
    await this.email.fill(email);
    return pageAfter(this.page, '/forgot-password', () => this.submit.click());
  }
}
