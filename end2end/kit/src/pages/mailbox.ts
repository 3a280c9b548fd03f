import { expect, type FrameLocator, type Locator } from '@playwright/test';
import { BasePage } from './base.js';

/** `/mailbox`: where the mails of a server without a mail server go. */
export class Mailbox extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.mailbox.title, exact: true });
  }

  /** The link to a mail. */
  mail(subject: string): Locator {
    return this.page.getByRole('link', { name: subject });
  }

  /** The HTML part of the mail that is open. */
  get html(): FrameLocator {
    return this.page.frameLocator('iframe');
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/mailbox');
    await this.ready();
  }
}
