import { expect, type Locator, type Page } from '@playwright/test';

/** The language switcher of every page. It is found by its form, as its words change with the language. */
export class LanguageSwitcher {
  constructor(private readonly page: Page) {}

  get select(): Locator {
    return this.form.getByRole('combobox');
  }

  /** Sends the choice where no script does. */
  get change(): Locator {
    return this.form.getByRole('button');
  }

  /** Chooses a language and waits until the page speaks it. */
  async choose(language: string): Promise<void> {
    const needsButton = await this.change.isVisible();
    await this.select.selectOption(language);
    if (needsButton) await this.change.click();
    await expect(this.page.locator('html')).toHaveAttribute('lang', language);
  }

  private get form(): Locator {
    return this.page.locator('form[action="/language"]');
  }
}
