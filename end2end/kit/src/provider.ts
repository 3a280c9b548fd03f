import type { Page } from '@playwright/test';
import type { Visitor } from './pages/index.js';

const names = { google: 'Google', office365: 'Office 365' } as const;

/** Who vouches for an identity. */
export type ProviderName = keyof typeof names;

/** Google or Office 365, as the kit plays it. */
export class Provider {
  constructor(
    private readonly provider: ProviderName,
    private readonly visitor: Visitor,
  ) {}

  /** From the sign-in page to whoever has this address, and back. */
  async signInAs(email: string): Promise<void> {
    const { page, login } = this.visitor;
    await login.signInWith(names[this.provider]).click();
    await this.answerAs(email, page);
  }

  /** Says on the provider's page who it is. */
  async answerAs(email: string, page: Page = this.visitor.page): Promise<void> {
    await page.getByLabel('E-mail', { exact: true }).fill(email);
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
  }

  /** From the sign-in page to `Cancel`, and back. */
  async cancel(): Promise<void> {
    const { page, login } = this.visitor;
    await login.signInWith(names[this.provider]).click();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  }
}
