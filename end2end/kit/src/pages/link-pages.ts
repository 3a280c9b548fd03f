import { expect, type Locator } from '@playwright/test';
import { BasePage, pageAfter } from './base.js';

/** `/choose-password`: with a link of a mail, or in place of a temporary password. */
export class ChoosePasswordPage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.agents.choose_title, exact: true });
  }

  get newPassword(): Locator {
    return this.page.getByLabel(this.labels.profile.new_password, { exact: true });
  }

  get confirmPassword(): Locator {
    return this.page.getByLabel(this.labels.profile.confirm_password, { exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === '/choose-password');
    await expect(this.heading).toBeVisible();
    await this.hydrated();
  }

  /** Chooses a password, or tries to; returns the status of the answer. */
  async send(chosen: string, again = chosen): Promise<number> {
    await this.newPassword.fill(chosen);
    await this.confirmPassword.fill(again);
    return pageAfter(this.page, '/choose-password', () => this.button(this.labels.agents.choose_button).click());
  }
}

/** `/confirm-email` and `/stop-email-change` */
export class EmailLinkPage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => ['/confirm-email', '/stop-email-change'].includes(url.pathname));
    await expect(this.heading).toBeVisible();
  }

  confirm(): Promise<number> {
    return pageAfter(this.page, '/confirm-email', () => this.button(this.labels.agents.confirm_button).click());
  }

  stop(): Promise<number> {
    return pageAfter(this.page, '/stop-email-change', () => this.button(this.labels.agents.cancel_email).click());
  }
}
