import type { Locator } from '@playwright/test';
import { BasePage } from './base';

/** What all pages of a signed-in person share. They run no WebAssembly. */
export abstract class SignedInPage extends BasePage {
  get menu(): Locator {
    return this.page.locator('header summary').first();
  }

  get logout(): Locator {
    return this.button(this.labels.common.logout);
  }

  /** Opens the menu where `Logout` hides in one, and presses it. */
  async signOut(): Promise<void> {
    if (!(await this.logout.isVisible())) await this.menu.click();
    await this.logout.click();
  }
}
