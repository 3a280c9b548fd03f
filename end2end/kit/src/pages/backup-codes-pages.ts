import { readFile } from 'node:fs/promises';
import { expect, type Locator } from '@playwright/test';
import { counted, pattern } from '../labels.js';
import { SignedInPage } from './signed-in-page.js';

/** `/profile/security/backup-codes`: which are used. */
export class BackupCodesPage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.backup_title, exact: true });
  }

  /** The codes, none of them readable. */
  get codes(): Locator {
    return this.main.getByRole('listitem');
  }

  get unused(): Locator {
    return this.codes.filter({ hasText: this.labels.profile.unused });
  }

  get used(): Locator {
    return this.codes.filter({ hasText: pattern(this.labels.profile.used_on) });
  }

  get generate(): Locator {
    return this.button(this.labels.profile.generate);
  }

  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname === '/profile/security/backup-codes');
    await expect(this.generate).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/profile/security/backup-codes');
    await this.ready();
  }

  /** Waits until so many are said to be left. */
  async expectLeft(count: number): Promise<void> {
    await expect(this.main.getByText(counted(this.labels.profile, 'backup_left', count))).toBeVisible();
    await expect(this.unused).toHaveCount(count);
    await expect(this.used).toHaveCount(10 - count);
  }
}

/** The page that shows ten new codes, until they are saved. */
export class NewBackupCodesPage extends SignedInPage {
  get warning(): Locator {
    return this.sentence(this.labels.profile.codes_once);
  }

  get codes(): Locator {
    return this.main.getByRole('listitem').locator('code');
  }

  get download(): Locator {
    return this.main.getByRole('link', { name: this.labels.profile.download, exact: true });
  }

  get copy(): Locator {
    return this.button(this.labels.profile.copy);
  }

  get done(): Locator {
    return this.main.getByRole('button', { name: this.labels.profile.done, exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.warning).toBeVisible();
    await this.hydrated();
  }

  /** The codes, as they are shown. */
  async read(): Promise<string[]> {
    await this.ready();
    await expect(this.codes).toHaveCount(10);
    return (await this.codes.allInnerTexts()).map((code) => code.trim());
  }

  /** Presses `Download`; returns the name of the file and what stands in it. */
  async save(): Promise<{ name: string; text: string }> {
    const started = this.page.waitForEvent('download');
    await this.download.click();
    const download = await started;
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
  }
}
