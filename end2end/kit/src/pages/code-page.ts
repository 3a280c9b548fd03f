import { expect, type Locator } from '@playwright/test';
import { fill, pattern, seconds } from '../labels.js';
import { BasePage, answerTo } from './base.js';

/** `/login/code` */
export class CodePage extends BasePage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.signIn.code_title, exact: true });
  }

  get code(): Locator {
    return this.page.getByLabel(this.labels.signIn.code_label, { exact: true });
  }

  /** The field that takes the place of the six boxes after `Use a backup code`. */
  get backupCode(): Locator {
    return this.page.getByLabel(this.labels.signIn.backup_label, { exact: true });
  }

  get useBackupCode(): Locator {
    return this.page.getByRole('link', { name: this.labels.signIn.use_backup_code, exact: true });
  }

  get useDigits(): Locator {
    return this.page.getByRole('link', { name: this.labels.signIn.use_digits, exact: true });
  }

  get otherMethod(): Locator {
    return this.button(this.labels.signIn.other_method);
  }

  /** What it says when the app is asked. */
  get fromApp(): Locator {
    return this.page.getByText(this.labels.signIn.code_from_app, { exact: true });
  }

  get verify(): Locator {
    return this.button(this.labels.signIn.verify);
  }

  get cancel(): Locator {
    return this.button(this.labels.signIn.cancel);
  }

  get resend(): Locator {
    return this.button(this.labels.signIn.resend);
  }

  /** The sentence with the seconds until `Resend` is allowed. */
  get countdown(): Locator {
    return this.page.getByText(pattern(this.labels.signIn.resend_in)).filter({ visible: true }).first();
  }

  trust(days: number): Locator {
    return this.page.getByLabel(fill(this.labels.signIn.trust, { days }), { exact: true });
  }

  /** The checkbox, whatever the number of days. */
  get anyTrust(): Locator {
    return this.page.getByRole('checkbox');
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
    await this.hydrated();
  }

  /** Types a code and presses `Verify`, without waiting for an answer. */
  async enter(code: string): Promise<void> {
    await this.code.fill(code);
    await this.verify.click();
  }

  /** Types a code and presses Enter. It does nothing where the page has found out that all is over. */
  async type(code: string): Promise<void> {
    await this.code.fill(code);
    await this.code.press('Enter');
  }

  /** Types a code and sends it; returns the status of the answer. */
  async send(code: string): Promise<number> {
    await this.code.fill(code);
    return answerTo(this.page, '/login/code', () => this.verify.click());
  }

  /** Asks for the field for backup codes, types one and sends it; returns the status of the answer. */
  async sendBackupCode(code: string): Promise<number> {
    if (!(await this.backupCode.isVisible())) {
      await this.useBackupCode.click();
      await expect(this.backupCode).toBeVisible();
      await this.ready();
    }
    await this.backupCode.fill(code);
    return answerTo(this.page, '/login/code', () => this.verify.click());
  }

  /** Seconds that the countdown shows. */
  async secondsLeft(): Promise<number> {
    const text = await this.countdown.innerText();
    const time = pattern(this.labels.signIn.resend_in).exec(text)?.[1];
    if (!time) throw new Error(`no countdown in: ${text}`);
    return seconds(this.labels, time);
  }

  /** Opens the page anew, so that it shows what the server's clock says now. */
  async reload(): Promise<void> {
    await this.page.goto('/login/code');
    await this.ready();
  }
}
