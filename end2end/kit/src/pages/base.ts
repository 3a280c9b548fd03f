import { expect, type Locator, type Page } from '@playwright/test';
import type { Labels } from '../labels.js';

/** What every page has: words to find things by, and the moment from which it may be used. */
export abstract class BasePage {
  constructor(
    readonly page: Page,
    protected readonly labels: Labels,
    protected readonly live: boolean,
  ) {}

  /** Waits until the page is there. */
  abstract ready(): Promise<void>;

  /** An element with exactly this text that can be seen. */
  sentence(text: string | RegExp): Locator {
    return this.page.getByText(text, { exact: true }).filter({ visible: true }).first();
  }

  /** Waits until the scripts have taken over; typing before that could be lost. Pages without islands never do. */
  protected async hydrated(): Promise<void> {
    if (this.live) await expect(this.page.locator('html[data-hydrated]')).toBeAttached();
  }

  protected button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }
}

/** Does `act` and waits for the answer to the post that it causes. */
export async function answerTo(page: Page, path: string, act: () => Promise<void>): Promise<number> {
  const answer = page.waitForResponse((response) => response.request().method() === 'POST' && new URL(response.url()).pathname === path);
  await act();
  return (await answer).status();
}

/**
 * Does `act` and waits for the answer to the post that it causes, and for the page that comes then. For forms that are
 * plain with scripts too.
 */
export async function pageAfter(page: Page, path: string, act: () => Promise<void>): Promise<number> {
  const arrived = page.waitForEvent('framenavigated');
  const status = await answerTo(page, path, act);
  await arrived;
  return status;
}
