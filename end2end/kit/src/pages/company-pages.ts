import { expect, type Locator } from '@playwright/test';
import { fill } from '../labels.js';
import { pageAfter } from './base.js';
import { ConsolePage } from './console-page.js';
import { Row } from './security-page.js';

/** What both pages about a company have in common. */
abstract class SettingsPage extends ConsolePage {
  /** What somebody else saved meanwhile, beneath what was typed. */
  meanwhile(value: string): Locator {
    return this.main.getByText(fill(this.labels.company.meanwhile, { value }), { exact: true });
  }

  protected answer(question: string, answer: string): Locator {
    return this.main.getByRole('group', { name: question, exact: true }).getByLabel(answer, { exact: true });
  }
}

/** `/admin/company` */
export class GeneralPage extends SettingsPage {
  get language(): Locator {
    return this.field(this.labels.company.language);
  }

  get timeZone(): Locator {
    return this.field(this.labels.company.time_zone);
  }

  newAgentMail(mode: 'account_details' | 'activation_link'): Locator {
    return this.answer(this.labels.company.new_agent_mail, this.labels.company[mode]);
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin/company');
    await expect(this.timeZone).toBeVisible();
  }

  /** Saves, or tries to; returns the status of the answer. */
  save(): Promise<number> {
    return this.press(this.labels.common.save, '/admin/company');
  }
}

/** `/admin/security` */
export class PoliciesPage extends SettingsPage {
  get passwordMin(): Locator {
    return this.field(this.labels.company.password_min);
  }

  get minutes(): Locator {
    return this.field(this.labels.company.minutes);
  }

  get never(): Locator {
    return this.answer(this.labels.company.log_out, this.labels.company.never);
  }

  get afterMinutes(): Locator {
    return this.answer(this.labels.company.log_out, this.labels.company.after);
  }

  /** How long a browser may be trusted; 0 = not at all. */
  trust(days: 0 | 14 | 30 | 60 | 90): Locator {
    const { every_login, allow_skip, two_factor } = this.labels.company;
    return this.answer(two_factor, days === 0 ? every_login : fill(allow_skip, { days }));
  }

  require(who: 'off' | 'admins' | 'everyone'): Locator {
    return this.answer(this.labels.company.require, this.labels.company[`require_${who}`]);
  }

  async goto(): Promise<void> {
    await this.page.goto('/admin/security');
    await expect(this.passwordMin).toBeVisible();
  }

  get officeName(): Locator {
    return this.field(this.labels.company.office_name);
  }

  get officeRange(): Locator {
    return this.field(this.labels.company.office_range);
  }

  /** The offices, by name. */
  get offices(): Locator {
    return this.section(this.labels.company.offices).getByRole('listitem');
  }

  /** Saves, or tries to; returns the status of the answer. */
  save(): Promise<number> {
    return this.press(this.labels.common.save, '/admin/security');
  }

  /** Names an office, or tries to; returns the status of the answer. */
  async addOffice(name: string, range: string): Promise<number> {
    await this.officeName.fill(name);
    await this.officeRange.fill(range);
    return this.press(this.labels.company.add_office, '/admin/security/offices');
  }

  /** Takes an office away; returns the status of the answer. */
  removeOffice(row: Locator): Promise<number> {
    return pageAfter(this.page, '/admin/security/offices/remove', () => new Row(row).button(this.labels.company.remove_office).click());
  }
}
