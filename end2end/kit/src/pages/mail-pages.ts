import { expect, type Locator } from '@playwright/test';
import { fill } from '../labels.js';
import { ConsolePage } from './console-page.js';

/** A mail server as an admin types it; what is left out stays as it is. */
export interface TypedServer {
  host?: string;
  port?: number;
  security?: 'tls' | 'starttls' | 'none';
  user?: string;
  password?: string;
  from?: string;
  replyTo?: string;
}

/** `/admin/mail` */
export class MailServerPage extends ConsolePage {
  get own(): Locator {
    return this.field(this.labels.mailServer.own);
  }

  get installation(): Locator {
    return this.field(this.labels.mailServer.installation);
  }

  get host(): Locator {
    return this.field(this.labels.mailServer.host);
  }

  get password(): Locator {
    return this.field(this.labels.mailServer.password);
  }

  get fallBack(): Locator {
    return this.field(this.labels.mailServer.fall_back);
  }

  get tryOutButton(): Locator {
    return this.button(this.labels.mailServer.try_out);
  }

  override async ready(): Promise<void> {
    await expect(this.own).toBeVisible();
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin/mail');
    await this.ready();
  }

  async type({ host, port, security, user, password, from, replyTo }: TypedServer): Promise<void> {
    const { mailServer } = this.labels;
    if (host !== undefined) await this.host.fill(host);
    if (port !== undefined) await this.field(mailServer.port).fill(String(port));
    if (security !== undefined) await this.field(mailServer[security]).check();
    if (user !== undefined) await this.field(mailServer.user).fill(user);
    if (password !== undefined) await this.password.fill(password);
    if (from !== undefined) await this.field(mailServer.sender).fill(from);
    if (replyTo !== undefined) await this.field(mailServer.reply_to).fill(replyTo);
  }

  /** Saves, or tries to; returns the status of the answer. */
  save(): Promise<number> {
    return this.press(this.labels.common.save, '/admin/mail');
  }

  /** Sends a test mail with what is typed, which is not saved; returns the status of the answer. */
  tryOut(): Promise<number> {
    return this.press(this.labels.mailServer.try_out, '/admin/mail/try');
  }

  /** Sends a test mail, from either page; returns the status of the answer. */
  sendTest(): Promise<number> {
    return this.press(this.labels.mailServer.send_test, '/admin/mail/test');
  }

  /** How the test mail to an address is doing. */
  outcome(what: 'sent' | 'failed' | 'waiting', email: string): Locator {
    return this.main.getByText(fill(this.labels.mailServer[`test_${what}`], { email }), { exact: true });
  }
}
