import type { Locator } from '@playwright/test';
import { BasePage } from './base.js';

/** What all pages of a signed-in person share. Most of them run no WebAssembly. */
export abstract class SignedInPage extends BasePage {
  get menu(): Locator {
    return this.page.getByRole('banner').locator('button[popovertarget]');
  }

  get logout(): Locator {
    return this.button(this.labels.common.logout);
  }

  /** The way to the profile, in the menu. */
  get profile(): Locator {
    return this.page.getByRole('banner').getByRole('link', { name: this.labels.common.profile, exact: true });
  }

  /** The part of the page that is its own. */
  protected get main(): Locator {
    return this.page.getByRole('main');
  }

  /** A part of the page with a heading. */
  protected section(name: string): Locator {
    return this.main.getByRole('region', { name, exact: true });
  }

  /** Opens the menu where `Logout` hides in one, and presses it. */
  async signOut(): Promise<void> {
    if (!(await this.logout.isVisible())) await this.menu.click();
    await this.logout.click();
  }
}
