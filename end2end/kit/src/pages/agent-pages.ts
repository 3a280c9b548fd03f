import { expect, type Locator } from '@playwright/test';
import { fill } from '../labels.js';
import { pageAfter } from './base.js';
import { ConsolePage } from './console-page.js';

type RoleName = 'agent' | 'supervisor' | 'admin';

/** What is said about an agent; what is left out stays as it is. */
export interface AgentData {
  account?: string;
  email?: string;
  firstName?: string;
  lastName?: string;
  alias?: string;
  phone?: string;
  title?: string;
  timeFormat?: '12' | '24';
  /** Empty = the company's. */
  language?: string;
  /** All of them. */
  roles?: readonly RoleName[];
  active?: boolean;
}

/** `/admin/agents/new` and `/admin/agents/{id}`: Add and Edit agent. */
export class AgentFormPage extends ConsolePage {
  get account(): Locator {
    return this.field(this.labels.agents.account);
  }

  get email(): Locator {
    return this.field(this.labels.agents.email);
  }

  get firstName(): Locator {
    return this.field(this.labels.profile.first_name);
  }

  get lastName(): Locator {
    return this.field(this.labels.profile.last_name);
  }

  get alias(): Locator {
    return this.field(this.labels.profile.alias);
  }

  get phone(): Locator {
    return this.field(this.labels.profile.phone);
  }

  get title(): Locator {
    return this.field(this.labels.profile.job_title);
  }

  get timeFormat(): Locator {
    return this.field(this.labels.profile.time_format);
  }

  get ownLanguage(): Locator {
    return this.field(this.labels.common.language);
  }

  get roles(): Locator {
    return this.main.getByRole('group', { name: this.labels.agents.roles, exact: true });
  }

  get active(): Locator {
    return this.main.getByRole('checkbox', { name: this.labels.agents.active, exact: true });
  }

  role(role: RoleName): Locator {
    return this.roles.getByRole('checkbox', { name: this.labels.console[`role_${role}`], exact: true });
  }

  /** Opens Add agent. */
  async gotoNew(): Promise<void> {
    await this.page.goto('/admin/agents/new');
    await expect(this.account).toBeVisible();
  }

  /** Opens Edit agent. */
  async goto(id: string): Promise<void> {
    await this.page.goto(`/admin/agents/${id}`);
    await expect(this.firstName).toBeVisible();
  }

  async type(data: AgentData): Promise<void> {
    const { account, email, firstName, lastName, alias, phone, title, timeFormat, language, roles, active } = data;
    for (const [input, value] of [
      [this.account, account],
      [this.email, email],
      [this.firstName, firstName],
      [this.lastName, lastName],
      [this.alias, alias],
      [this.phone, phone],
      [this.title, title],
    ] as const) {
      if (value !== undefined) await input.fill(value);
    }
    if (timeFormat !== undefined) await this.timeFormat.selectOption(timeFormat);
    if (language !== undefined) await this.ownLanguage.selectOption(language);
    if (roles !== undefined) for (const role of ['agent', 'supervisor', 'admin'] as const) await this.role(role).setChecked(roles.includes(role));
    if (active !== undefined) await this.active.setChecked(active);
  }

  /** Adds an agent, or tries to; returns the status of the answer. */
  async add(data: AgentData): Promise<number> {
    await this.type(data);
    return this.press(this.labels.agents.create, '/admin/agents/new');
  }

  /** Saves an agent, or tries to; returns the status of the answer. */
  async save(data: AgentData): Promise<number> {
    await this.type(data);
    return this.press(this.labels.common.save, '/admin/agents/edit');
  }

  resendEmail(): Promise<number> {
    return this.press(this.labels.agents.resend_email, '/admin/agents/email/resend');
  }

  cancelEmail(): Promise<number> {
    return this.press(this.labels.agents.cancel_email, '/admin/agents/email/cancel');
  }

  /** What somebody else saved meanwhile. */
  meanwhile(value: string): Locator {
    return this.main.getByText(fill(this.labels.company.meanwhile, { value }));
  }
}

/** `/admin/agents/{id}/view` */
export class AgentViewPage extends ConsolePage {
  override async ready(): Promise<void> {
    await expect(this.page).toHaveURL((url) => url.pathname.endsWith('/view'));
    await expect(this.heading).toBeVisible();
  }

  async goto(id: string): Promise<void> {
    await this.page.goto(`/admin/agents/${id}/view`);
    await this.ready();
  }

  /** The links to what may be done. */
  acts(account: string): Locator {
    return this.main.getByRole('navigation', { name: fill(this.labels.agents.actions_of, { name: account }), exact: true }).getByRole('link');
  }

  /** The rows of the latest events. */
  get events(): Locator {
    return this.main.getByRole('region', { name: this.labels.agents.events, exact: true }).locator('tbody').getByRole('row');
  }
}

/** `/admin/agents/{id}/…`: what is done to one agent. Each returns the status of the answer. */
export class AgentActPage extends ConsolePage {
  get newPassword(): Locator {
    return this.field(this.labels.profile.new_password);
  }

  get confirmPassword(): Locator {
    return this.field(this.labels.profile.confirm_password);
  }

  get reason(): Locator {
    return this.field(this.labels.agents.reason);
  }

  /** The account name once more. */
  get name(): Locator {
    return this.field(this.labels.agents.account);
  }

  /** The code that was issued. */
  get issuedCode(): Locator {
    return this.main.locator('code');
  }

  async goto(id: string, act: 'delete' | 'password' | 'backup-code' | 'unlock' | 'end-sessions' | 'send-details'): Promise<void> {
    await this.page.goto(`/admin/agents/${id}/${act}`);
    await this.ready();
  }

  delete(name: string): Promise<number> {
    return this.after(() => this.name.fill(name), this.labels.agents.delete, '/admin/agents/delete');
  }

  resetPassword(chosen: string, again = chosen): Promise<number> {
    const type = async () => {
      await this.newPassword.fill(chosen);
      await this.confirmPassword.fill(again);
    };
    return this.after(type, this.labels.agents.reset_password, '/admin/agents/password');
  }

  sendResetLink(): Promise<number> {
    return this.press(this.labels.agents.send_reset_link, '/admin/agents/reset-link');
  }

  issueCode(reason: string): Promise<number> {
    return this.after(() => this.reason.fill(reason), this.labels.agents.issue, '/admin/agents/backup-code');
  }

  /** Says that the code was handed on. */
  handOn(): Promise<number> {
    return this.press(this.labels.agents.done, '/admin/agents/issued-code');
  }

  unlock(): Promise<number> {
    return this.press(this.labels.agents.unlock, '/admin/agents/unlock');
  }

  endSessions(): Promise<number> {
    return this.press(this.labels.agents.end_sessions, '/admin/agents/end-sessions');
  }

  sendAgain(): Promise<number> {
    return this.press(this.labels.agents.send_again, '/admin/agents/send-details');
  }

  private async after(type: () => Promise<void>, button: string, path: string): Promise<number> {
    await type();
    return pageAfter(this.page, path, () => this.main.getByRole('button', { name: button, exact: true }).click());
  }
}
