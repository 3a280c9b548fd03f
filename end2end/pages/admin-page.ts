import { expect, type Locator } from '@playwright/test';
import { SignedInPage } from './signed-in-page';

/** `/admin` */
export class AdminPage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }

  get navigation(): Locator {
    return this.page.getByRole('navigation', { name: this.labels.console.navigation, exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === '/admin');
    await expect(this.heading).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin');
    await this.ready();
  }
}
