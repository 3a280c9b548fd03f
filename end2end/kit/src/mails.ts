import { expect } from '@playwright/test';
import type { Kit, Mail } from './client.js';

/** Reads the mails of the server under test, each once. */
export class Mails {
  private readonly seen = new Map<string, number>();

  constructor(private readonly kit: Kit) {}

  /** Waits for the next mail to `to`; with a subject, for the next one with it: what came before is passed over. */
  next(to: string, subject?: string): Promise<Mail> {
    return this.find(to, subject ?? 'any', (mail) => subject === undefined || mail.subject === subject);
  }

  /** Waits for the next mail to `to` with a code in it; what came before is passed over. */
  async nextWithCode(to: string): Promise<Mail & { code: string }> {
    const mail = await this.find(to, 'with a code', ({ code }) => code !== null);
    expect(mail.code, `a code in "${mail.subject}"`).toMatch(/^\d{6}$/);
    return { ...mail, code: mail.code ?? '' };
  }

  /** Waits for the next mail to `to` with a code in it and returns the code. */
  async nextCode(to: string): Promise<string> {
    return (await this.nextWithCode(to)).code;
  }

  /** Waits for the next mail to `to` with a one-time code, and gives the code. */
  waitForCode(to: string): Promise<string> {
    return this.nextCode(to);
  }

  /** Waits for the next mail to `to` with a link, and gives the link. */
  async waitForLink(to: string): Promise<string> {
    const { link } = await this.find(to, 'with a link', (mail) => mail.link !== null);
    return link ?? '';
  }

  /** How many mails have arrived at `to` so far; with a subject, how many with it. */
  async count(to: string, subject?: string): Promise<number> {
    return (await this.kit.mails(to)).filter((mail) => subject === undefined || mail.subject === subject).length;
  }

  /** How many mails with a code have arrived at `to` so far. */
  async countCodes(to: string): Promise<number> {
    return (await this.kit.mails(to)).filter(({ code }) => code !== null).length;
  }

  private async find(to: string, what: string, wanted: (mail: Mail) => boolean): Promise<Mail> {
    const seen = this.seen.get(to) ?? 0;
    let mails: Mail[] = [];
    let found = -1;
    await expect
      .poll(
        async () => {
          mails = (await this.kit.mails(to)).reverse();
          found = mails.findIndex((mail, number) => number >= seen && wanted(mail));
          return found;
        },
        { message: `mail to ${to} after the first ${seen}: ${what}`, intervals: [50, 100, 200] },
      )
      .toBeGreaterThanOrEqual(0);
    this.seen.set(to, found + 1);
    const mail = mails[found];
    if (!mail) throw new Error(`no mail to ${to}`);
    // Lines of a mail end where a mail client would break them; sentences are compared whole.
    return { ...mail, text: mail.text.replace(/\s+/g, ' ') };
  }
}

/** The paths of all mails in a language, as the test kit shows them with made-up facts. */
export async function mailsIn(server: { url: string }, language: string): Promise<string[]> {
  const folder = '/_test/mails/';
  const list = await (await fetch(`${server.url}${folder}`)).text();
  const paths = [...list.matchAll(/href="([^"]+)\.html"/g)].flatMap(([, file]) => (file?.startsWith(`${language}/`) ? [`${folder}${file}.html`] : []));
  expect(paths.length, `mails in ${language}`).toBeGreaterThan(20);
  return paths;
}
