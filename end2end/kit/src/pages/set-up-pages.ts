import { expect, type Locator } from '@playwright/test';
import { pageAfter } from './base.js';
import { SignedInPage } from './signed-in-page.js';

/** What the pages have in common that ask for the first code of a second factor. */
abstract class FirstCodePage extends SignedInPage {
  /** Where the code is posted to. */
  protected abstract readonly path: string;

  get code(): Locator {
    return this.page.getByLabel(this.labels.signIn.code_label, { exact: true });
  }

  get confirm(): Locator {
    return this.button(this.labels.profile.confirm);
  }

  get cancel(): Locator {
    return this.main.getByRole('link', { name: this.labels.common.cancel, exact: true });
  }

  /** Types a code and sends it; returns the status of the answer. */
  async send(code: string): Promise<number> {
    await this.code.fill(code);
    return pageAfter(this.page, this.path, () => this.confirm.click());
  }
}

/** `/profile/security/email` */
export class EmailSetUpPage extends FirstCodePage {
  protected override readonly path = '/profile/security/email/code';

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.email_title, exact: true });
  }

  get resend(): Locator {
    return this.button(this.labels.signIn.resend);
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
    await expect(this.code).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/profile/security/email');
    await this.ready();
  }

  /** Presses `Resend`; returns the status of the answer. */
  sendAgain(): Promise<number> {
    return pageAfter(this.page, '/profile/security/email/resend', () => this.resend.click());
  }
}

/** `/profile/security/app`: the QR code. */
export class AppSetUpPage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.app_title, exact: true });
  }

  get qr(): Locator {
    return this.page.getByRole('img', { name: this.labels.profile.qr_text, exact: true });
  }

  /** The key that is typed where nothing can be scanned. */
  get secret(): Locator {
    return this.main.locator('code');
  }

  get next(): Locator {
    return this.button(this.labels.profile.next);
  }

  get cancel(): Locator {
    return this.main.getByRole('link', { name: this.labels.common.cancel, exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
    await expect(this.qr).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/profile/security/app');
    await this.ready();
  }
}

/** `/profile/security/app/code` */
export class AppCodePage extends FirstCodePage {
  protected override readonly path = '/profile/security/app/code';

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.app_title, exact: true });
  }

  get backToQr(): Locator {
    return this.main.getByRole('link', { name: this.labels.profile.back_to_qr, exact: true });
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
    await expect(this.code).toBeVisible();
  }
}

/** `/profile/security/set-up`: the company requires a second factor. */
export class RequiredPage extends SignedInPage {
  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.labels.profile.required_title, exact: true });
  }

  get email(): Locator {
    return this.setUp(this.labels.profile.email_row);
  }

  get app(): Locator {
    return this.setUp(this.labels.profile.app_row);
  }

  override async ready(): Promise<void> {
    await expect(this.heading).toBeVisible();
  }

  private setUp(title: string): Locator {
    return this.section(title).getByRole('button').filter({ hasText: this.labels.profile.set_up });
  }
}
