import { expect, type Locator } from '@playwright/test';
import { pageAfter } from './base.js';
import { SignedInPage } from './signed-in-page.js';

/** `/profile/confirm`: the password is asked again. */
export class ConfirmPage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.confirm_title, exact: true });
  }

  get password(): Locator {
    return this.page.getByLabel(this.labels.signIn.password, { exact: true });
  }

  get goOn(): Locator {
    return this.button(this.labels.common.go_on);
  }

  get cancel(): Locator {
    return this.main.getByRole('link', { name: this.labels.common.cancel, exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === '/profile/confirm');
    await expect(this.heading).toBeVisible();
  }

  /** Types the password and sends it; returns the status of the answer. */
  async send(password: string): Promise<number> {
    await this.password.fill(password);
    return pageAfter(this.page, '/profile/confirm', () => this.goOn.click());
  }
}
