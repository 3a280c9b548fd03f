import { readFile } from 'node:fs/promises';
import { expect, type Locator } from '@playwright/test';
import { fill } from '../labels.js';
import { pageAfter } from './base.js';
import { ConsolePage } from './console-page.js';

/** `/admin/agents` */
export class AgentsPage extends ConsolePage {
  get add(): Locator {
    return this.link(this.labels.agents.add);
  }

  get import(): Locator {
    return this.link(this.labels.agents.import);
  }

  get export(): Locator {
    return this.link(this.labels.agents.export);
  }

  get search(): Locator {
    return this.field(this.labels.agents.search);
  }

  get state(): Locator {
    return this.main.getByRole('combobox', { name: this.labels.agents.state, exact: true });
  }

  get role(): Locator {
    return this.main.getByRole('combobox', { name: this.labels.agents.role, exact: true });
  }

  get factor(): Locator {
    return this.main.getByRole('combobox', { name: this.labels.agents.factor, exact: true });
  }

  get show(): Locator {
    return this.main.getByRole('button', { name: this.labels.agents.show, exact: true });
  }

  get showAll(): Locator {
    return this.link(this.labels.agents.show_all);
  }

  get rows(): Locator {
    return this.main.locator('tbody').getByRole('row');
  }

  get nextPage(): Locator {
    return this.link(this.labels.agents.next_page);
  }

  get previousPage(): Locator {
    return this.link(this.labels.agents.previous_page);
  }

  get firstPage(): Locator {
    return this.link(this.labels.agents.first_page);
  }

  override async ready(): Promise<void> {
    await expect(this.main.getByRole('heading', { level: 1, name: this.labels.agents.title, exact: true })).toBeVisible();
  }

  /** Opens the list; `query` begins with `?`. */
  async goto(query = ''): Promise<void> {
    await this.page.goto(`/admin/agents${query}`);
    await this.ready();
  }

  /** The row of an account. */
  row(account: string): Locator {
    return this.rows.filter({ has: this.page.getByRole('cell').getByText(account, { exact: true }) });
  }

  /** The account names that are shown, from top to bottom. */
  async accounts(): Promise<string[]> {
    const names = await this.rows.locator('td:nth-child(3)').allInnerTexts();
    return names.map((name) => name.trim());
  }

  /** The head of a column that sorts the list; the one that does has an arrow besides. */
  sort(column: string): Locator {
    return this.main.getByRole('columnheader').getByRole('link').filter({ hasText: new RegExp(`^${column}$`) });
  }

  /** The names of what the menu of an account offers. */
  async offered(account: string): Promise<string[]> {
    await this.openMenu(account);
    return this.row(account).getByRole('listitem').getByRole('link').allInnerTexts();
  }

  /** Chooses something in the menu of an account. */
  async choose(account: string, label: string): Promise<void> {
    await this.openMenu(account);
    await this.row(account).getByRole('listitem').getByRole('link', { name: label, exact: true }).click();
  }

  /** Ticks accounts. */
  async tick(...accounts: string[]): Promise<void> {
    for (const name of accounts) await this.main.getByLabel(fill(this.labels.agents.select_one, { name }), { exact: true }).check();
  }

  /** Does something to the accounts that are ticked, and says yes where it is asked; returns the status of the answer. */
  async toTicked(act: 'activate' | 'deactivate' | 'unlock'): Promise<number> {
    const path = { activate: '/admin/agents/activate', deactivate: '/admin/agents/deactivate/ask', unlock: '/admin/agents/unlock-selected' }[act];
    const buttons = this.main.getByRole('group', { name: this.labels.agents.selected, exact: true });
    const status = await pageAfter(this.page, path, () => buttons.getByRole('button', { name: this.labels.agents[act], exact: true }).click());
    if (act !== 'deactivate' || status >= 400) return status;
    return this.press(this.labels.agents.deactivate, '/admin/agents/deactivate');
  }

  /** Takes the deactivation back that was just made; returns the status of the answer. */
  undo(): Promise<number> {
    return this.press(this.labels.agents.undo, '/admin/agents/deactivate/undo');
  }

  /** A filter that is on; pressing it takes it away. */
  chip(name: string, value: string): Locator {
    return this.link(fill(this.labels.agents.remove_filter, { name, value }));
  }

  /** Which of how many are shown. */
  range(first: number, last: number, all: number): Locator {
    return this.main.getByText(fill(this.labels.agents.range, { first, last, all }), { exact: true });
  }

  /** The button that opens the menu of an account. */
  menuOf(account: string): Locator {
    return this.row(account).getByRole('button', { name: fill(this.labels.agents.actions_of, { name: account }), exact: true });
  }

  /** What the menu of an account shows. */
  menuPanel(account: string): Locator {
    return this.row(account).locator('[popover]');
  }

  /** Chooses columns, and no others, and the number of rows. */
  async showColumns(labels: string[], rows: number): Promise<number> {
    await this.main.getByRole('button', { name: this.labels.agents.columns, exact: true }).click();
    const panel = this.main.locator('form[popover]');
    for (const box of await panel.getByRole('checkbox').all()) await box.setChecked(labels.includes((await box.locator('xpath=..').innerText()).trim()));
    await panel.getByLabel(this.labels.agents.rows_per_page, { exact: true }).selectOption(String(rows));
    return pageAfter(this.page, '/admin/agents/columns', () => panel.getByRole('button', { name: this.labels.agents.show, exact: true }).click());
  }

  /** Presses `Export CSV`; returns the name of the file and what stands in it. */
  async save(): Promise<{ name: string; text: string }> {
    const started = this.page.waitForEvent('download');
    await this.export.click();
    const download = await started;
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
  }

  private async openMenu(account: string): Promise<void> {
    if (!(await this.menuPanel(account).isVisible())) await this.menuOf(account).click();
  }
}
