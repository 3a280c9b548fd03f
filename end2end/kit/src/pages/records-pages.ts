import { readFile } from 'node:fs/promises';
import { expect, type Locator } from '@playwright/test';
import { pageAfter } from './base.js';
import { ConsolePage } from './console-page.js';

/** `/admin/audit` */
export class AuditPage extends ConsolePage {
  get event(): Locator {
    return this.field(this.labels.company.event);
  }

  get account(): Locator {
    return this.field(this.labels.company.account);
  }

  get from(): Locator {
    return this.field(this.labels.company.from);
  }

  get until(): Locator {
    return this.field(this.labels.company.until);
  }

  get show(): Locator {
    return this.main.getByRole('button', { name: this.labels.company.show, exact: true });
  }

  get rows(): Locator {
    return this.main.locator('tbody').getByRole('row');
  }

  /** Rows in which all of this stands. */
  rowsWith(...texts: string[]): Locator {
    return texts.reduce((rows, text) => rows.filter({ has: this.page.getByText(text, { exact: true }) }), this.rows);
  }

  /** Opens the log; `query` begins with `?`. */
  async goto(query = ''): Promise<void> {
    await this.page.goto(`/admin/audit${query}`);
    await expect(this.event).toBeVisible();
  }

  /** Presses `Export CSV`; returns the name of the file and what stands in it. */
  async save(): Promise<{ name: string; text: string }> {
    const started = this.page.waitForEvent('download');
    await this.link(this.labels.company.export).click();
    const download = await started;
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
  }
}

/** `/admin/sessions` */
export class SessionsPage extends ConsolePage {
  get rows(): Locator {
    return this.main.locator('tbody').getByRole('row');
  }

  /** The rows of an account. */
  rowsOf(account: string): Locator {
    return this.rows.filter({ has: this.page.getByRole('cell').getByText(account, { exact: true }) });
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin/sessions');
    await expect(this.main.getByRole('heading', { level: 1, name: this.labels.profile.sessions_title, exact: true })).toBeVisible();
  }

  /** Ends the only session of an account; returns the status of the answer. */
  end(account: string): Promise<number> {
    return pageAfter(this.page, '/admin/sessions/end', () => this.rowsOf(account).getByRole('button').click());
  }
}

/** `/admin/agents/import` */
export class ImportPage extends ConsolePage {
  get file(): Locator {
    return this.field(this.labels.company.file);
  }

  /** The lines with their verdicts. */
  get lines(): Locator {
    return this.main.locator('tbody').getByRole('row');
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin/agents/import');
    await expect(this.file).toBeVisible();
  }

  /** Chooses a file, by its content or where it lies, and has it checked; returns the status of the answer. */
  async check(file: string | Buffer | { path: string }): Promise<number> {
    const given = typeof file === 'string' ? Buffer.from(file) : file;
    await this.file.setInputFiles('path' in given ? given.path : { name: 'agents.csv', mimeType: 'text/csv', buffer: given });
    return pageAfter(this.page, '/admin/agents/import', () => this.main.getByRole('button', { name: this.labels.company.check_file, exact: true }).click());
  }

  /** Downloads the lines that cannot be imported; returns what stands in the file. */
  async saveProblems(): Promise<string> {
    const started = this.page.waitForEvent('download');
    await this.link(this.labels.company.download_problems).click();
    return readFile(await (await started).path(), 'utf8');
  }

  /** Imports what was checked; returns the status of the answer. */
  async start(): Promise<number> {
    const button = this.main.locator('form[action="/admin/agents/import/start"]').getByRole('button');
    return pageAfter(this.page, '/admin/agents/import/start', () => button.click());
  }
}
