import { expect, type Locator } from '@playwright/test';
import { fill } from '../fixtures/labels';
import { BasePage } from './base';

/** `/admin/agents` and the pages of one agent. */
export class AgentsPage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.agents.title, exact: true });
  }

  get rows(): Locator {
    return this.page.locator('tbody tr');
  }

  get navigation(): Locator {
    return this.page.getByRole('navigation', { name: this.labels.console.navigation });
  }

  get save(): Locator {
    return this.button(this.labels.common.save);
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
  }

  /** Opens the list, with a query where one is given. */
  async goto(query = ''): Promise<void> {
    await this.page.goto(`/admin/agents${query && `?${query}`}`);
    await this.ready();
  }

  /** The row of the agent with this account name. */
  row(account: string): Locator {
    return this.rows.filter({ has: this.page.getByRole('checkbox', { name: fill(this.labels.agents.select_one, { name: account }) }) });
  }

  /** Chooses what is done to an agent in the menu of its row. */
  async choose(account: string, action: string): Promise<void> {
    const row = this.row(account);
    await row.getByLabel(fill(this.labels.agents.actions_of, { name: account }), { exact: true }).click();
    await row.getByRole('link', { name: action, exact: true }).click();
  }

  input(label: string): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  press(name: string): Promise<void> {
    return this.page.getByRole('main').getByRole('button', { name, exact: true }).click();
  }

  said(sentence: string): Locator {
    return this.page.getByText(sentence, { exact: true });
  }
}
