import { expect, type Locator } from '@playwright/test';
import { pageAfter } from './base.js';
import { SignedInPage } from './signed-in-page.js';

/** What the pages of the Admin console have in common: navigation, heading, what went well and what did not. */
export abstract class ConsolePage extends SignedInPage {
  get navigation(): Locator {
    return this.page.getByRole('navigation', { name: this.labels.console.navigation, exact: true });
  }

  get heading(): Locator {
    return this.main.getByRole('heading', { level: 1 });
  }

  /** What went well. */
  get good(): Locator {
    return this.main.getByRole('status').and(this.page.locator('.notice'));
  }

  /** Why something was refused. */
  get alert(): Locator {
    return this.main.getByRole('alert');
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
  }

  /** The value of a line of details, such as `Sessions`. */
  fact(name: string): Locator {
    return this.main.getByRole('term').filter({ hasText: name }).locator('xpath=following-sibling::dd[1]');
  }

  field(label: string): Locator {
    return this.main.getByLabel(label, { exact: true });
  }

  link(name: string): Locator {
    return this.main.getByRole('link', { name, exact: true });
  }

  /** Presses a button that posts to `path`; returns the status of the answer. */
  press(name: string, path: string): Promise<number> {
    return pageAfter(this.page, path, () => this.main.getByRole('button', { name, exact: true }).click());
  }
}
