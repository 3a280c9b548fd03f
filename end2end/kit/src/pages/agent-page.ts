import { expect, type Locator } from '@playwright/test';
import { fill } from '../labels.js';
import { SignedInPage } from './signed-in-page.js';

/** `/agent` */
export class AgentPage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }

  /** The greeting of somebody. */
  welcome(name: string): Locator {
    return this.sentence(fill(this.labels.console.agent_welcome, { name }));
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === '/agent');
    await expect(this.heading).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/agent');
    await this.ready();
  }
}
