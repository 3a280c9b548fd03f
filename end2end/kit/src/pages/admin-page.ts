import { expect, type Locator } from '@playwright/test';
import { ConsolePage } from './console-page.js';

/** `/admin`: the overview. */
export class AdminPage extends ConsolePage {
  /** The chart of sign-ins; its name also says what it shows. */
  get chart(): Locator {
    return this.page.getByRole('img', { name: this.labels.company.chart_title });
  }

  /** What opens the table beneath the chart. */
  get numbers(): Locator {
    return this.main.getByText(this.labels.company.numbers, { exact: true });
  }

  /** The days of the table, oldest first. */
  get days(): Locator {
    return this.main.locator('tbody').getByRole('row');
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === '/admin');
    await expect(this.heading).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin');
    await this.ready();
  }

  /** One of the numbers, with what belongs to it. */
  card(title: string): Locator {
    return this.main.locator('section').filter({ has: this.page.getByRole('heading', { level: 2, name: title, exact: true }) });
  }
}
