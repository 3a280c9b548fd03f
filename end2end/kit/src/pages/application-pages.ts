import { expect, type Locator } from '@playwright/test';
import { fill } from '../labels.js';
import { ConsolePage } from './console-page.js';

/** `/admin/applications`, one application, and what is done to it. */
export class ApplicationsPage extends ConsolePage {
  async goto(): Promise<void> {
    await this.page.goto('/admin/applications');
    await this.ready();
  }

  async gotoNew(): Promise<void> {
    await this.page.goto('/admin/applications/new');
    await this.ready();
  }

  get empty(): Locator {
    return this.sentence(this.labels.applications.empty);
  }

  get afterSignIn(): Locator {
    return this.field(this.labels.applications.after_sign_in);
  }

  /** The secret that is shown only now. */
  get secret(): Locator {
    // The section below the form has the same name.
    return this.main.getByRole('textbox', { name: this.labels.applications.secret, exact: true });
  }

  /** Fills the form of a new application in and sends it; gives the status of the answer. */
  async add({ name, kind, address, redirect = '' }: { name: string; kind: 'web' | 'single_page' | 'behind_proxy'; address: string; redirect?: string }): Promise<number> {
    const labels = this.labels.applications;
    await this.field(labels.name).fill(name);
    await this.page.getByRole('radio', { name: labels[kind], exact: true }).check();
    await this.field(labels.launch_uri).fill(address);
    await this.field(labels.redirect_uris).fill(redirect);
    return this.press(labels.add, '/admin/applications/new');
  }

  /** Asks for the page that deletes, and deletes. */
  async delete(name: string): Promise<void> {
    await this.link(this.labels.applications.delete).click();
    await expect(this.sentence(fill(this.labels.applications.delete_text, { name }))).toBeVisible();
    await this.press(this.labels.applications.delete, '/admin/applications/delete');
  }
}
