import { expect, type Locator } from '@playwright/test';
import { BasePage } from './base.js';

/** What the fifth wrong code leads to. */
export class LockedPage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.signIn.locked_title, exact: true });
  }

  get backToSignIn(): Locator {
    return this.page.getByRole('link', { name: this.labels.signIn.back_to_sign_in, exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
  }
}
