import { expect, type Locator, type Page } from '@playwright/test';

/**
 * The language switcher of every page. It is found by where it posts to, as its words change with the language. On the
 * profile page it stands outside of a form and posts the profile's form, so that nothing typed there is lost.
 */
export class LanguageSwitcher {
  constructor(private readonly page: Page) {}

  get select(): Locator {
    return this.page.locator('form[action="/language"] select, select[name="shown_in"]');
  }

  /** Sends the choice where no script does. */
  get change(): Locator {
    return this.page.locator('form[action="/language"] button, button[formaction="/language"]');
  }

  /** Chooses a language and waits until the page speaks it. */
  async choose(language: string): Promise<void> {
    const needsButton = await this.change.isVisible();
    await this.select.selectOption(language);
    if (needsButton) await this.change.click();
    await expect(this.page.locator('html')).toHaveAttribute('lang', language);
  }
}
