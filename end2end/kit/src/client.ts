/** A mail that arrived. */
export interface Mail {
  to: string;
  from: string;
  subject: string;
  text: string;
  html: string;
  /** When it was written. */
  at: string;
  /** The one-time code found in it. */
  code: string | null;
  /** The link found in it. */
  link: string | null;
}

/** Days a browser may be trusted; 0 = the second factor is asked at every sign-in. */
export type TwoFactorPolicy = 0 | 14 | 30 | 60 | 90;
/** How new agents are told. */
export type NewAgentMail = 'account_details' | 'activation_link';
/** Who has to have a second factor. */
export type RequireSecondFactor = 'off' | 'admins' | 'everyone';
/** What somebody may do. */
export type Role = 'agent' | 'supervisor' | 'admin';
/** With what somebody has just proved who they are. */
export type Proof = 'password' | 'email_code' | 'app_code' | 'trusted_browser' | 'provider';

export interface NewCompany {
  name: string;
  language: string;
  two_factor_policy: TwoFactorPolicy;
  /** Unset = nobody. */
  require_second_factor?: RequireSecondFactor;
  /** Unset = account details. */
  new_agent_mail?: NewAgentMail;
  /** Minutes without activity after which a session ends, 15 to 999; 0 = never. */
  idle_minutes?: number;
  /** 8 to 64. */
  password_min?: number;
}

export interface NewAccount {
  company: string;
  account: string;
  email: string;
  first_name: string;
  roles: Role[];
  password: string;
  second_factor: 'none' | 'email' | 'app' | 'both';
  last_name?: string;
  /** Unset = the company's. */
  language?: string;
  /** The password is a temporary one, good for 72 hours. */
  password_must_change?: boolean;
}

/** An application to sign in to. */
export interface NewApplication {
  /** Unset = the installation's. */
  company?: string;
  name: string;
  /** Unset = `web`. */
  kind?: string;
  redirect_uris: string[];
  post_logout_redirect_uris?: string[];
  backchannel_logout_uri?: string;
  launch_uri?: string;
  /** Unset = everybody. */
  roles?: Role[];
  id_token_signed_response_alg?: 'RS256' | 'ES256';
}

/** What an application with a secret is configured with. */
export interface MadeApplication {
  issuer: string;
  client_id: string;
  client_secret: string;
}

/** What the kit answers about a new account. */
export interface MadeAccount {
  id: string;
  account: string;
  /** In base32, where the account has an authenticator app. */
  app_secret?: string;
  /** All ten, where the account has an authenticator app. */
  backup_codes?: string[];
}

export interface NewSession {
  company: string;
  account: string;
  /** Unset = the password. */
  proof?: Proof;
}

/** A browser with this cookie is signed in. */
export interface MadeSession {
  /** Identifier of the session, as applications know it. */
  sid: string;
  /** Name of its cookie. */
  cookie: string;
  /** Value of its cookie. */
  value: string;
}

/** What changes about a company; what is not said stays as it is. */
export type CompanyState = { name: string; enabled?: boolean } & Partial<Omit<NewCompany, 'name' | 'language'>>;

/** What changes about an account; what is not said stays as it is. */
export interface AccountState {
  company: string;
  account: string;
  active?: boolean;
  locked?: boolean;
}

/** What the kit answers when it does not do what it was asked. */
export class KitError extends Error {
  override readonly name = 'KitError';

  constructor(
    request: string,
    readonly status: number,
    said: string,
  ) {
    super(`${request} answered ${status}: ${said}`);
  }
}

/** How long the kit may take to answer, in milliseconds. */
const patience = 30_000;

/** The test kit of a running server: a method for every address that is not for browsers. */
export class Kit {
  /** `url`: the server's origin, without a slash at the end. */
  constructor(readonly url: string) {}

  async createCompany(company: NewCompany): Promise<void> {
    await this.post('companies', company);
  }

  async createAccount(account: NewAccount): Promise<MadeAccount> {
    return (await this.post('accounts', account)) as MadeAccount;
  }

  async createApplication(application: NewApplication): Promise<MadeApplication> {
    return (await this.post('applications', application)) as MadeApplication;
  }

  /** Signs an account in without a page. */
  async createSession(session: NewSession): Promise<MadeSession> {
    return (await this.post('sessions', session)) as MadeSession;
  }

  /** A backup code as an administrator issues it. */
  async issueBackupCode(company: string, account: string): Promise<string> {
    return ((await this.post('accounts/backup-code', { company, account })) as { code: string }).code;
  }

  /** Locks an account, or unlocks it. */
  async setAccountLocked(company: string, account: string, locked: boolean): Promise<void> {
    await this.setAccountState({ company, account, locked });
  }

  /** Turns an admin's switch. */
  async setAccountActive(company: string, account: string, active: boolean): Promise<void> {
    await this.setAccountState({ company, account, active });
  }

  async setAccountState(state: AccountState): Promise<void> {
    await this.post('accounts/state', state);
  }

  /** Turns an operator's switch. */
  async setCompanyEnabled(company: string, enabled: boolean): Promise<void> {
    await this.setCompanyState({ name: company, enabled });
  }

  /** Changes the policy about trusted browsers. */
  async setTwoFactorPolicy(company: string, two_factor_policy: TwoFactorPolicy): Promise<void> {
    await this.setCompanyState({ name: company, two_factor_policy });
  }

  /** Changes the policy about who has to have a second factor. */
  async setRequireSecondFactor(company: string, require_second_factor: RequireSecondFactor): Promise<void> {
    await this.setCompanyState({ name: company, require_second_factor });
  }

  /** Changes how new agents are told. */
  async setNewAgentMail(company: string, new_agent_mail: NewAgentMail): Promise<void> {
    await this.setCompanyState({ name: company, new_agent_mail });
  }

  async setCompanyState(state: CompanyState): Promise<void> {
    await this.post('companies/state', state);
  }

  /** Moves the server's clock on; it goes on ticking. Answers what it shows then, in milliseconds since 1970. */
  async advanceClock(seconds: number): Promise<number> {
    return this.moveClock({ advance_seconds: seconds });
  }

  /** Moves the server's clock. Answers what it shows then, in milliseconds since 1970. */
  async moveClock(move: { advance_seconds?: number; set?: string }): Promise<number> {
    return Date.parse(((await this.post('clock', move)) as { now: string }).now);
  }

  /** Lets everybody who signs in stand in line, or go on. */
  async holdLine(hold: boolean): Promise<void> {
    await this.post('line', { hold });
  }

  /** Mails to `to`, or to anybody, newest first. */
  async mails(to?: string): Promise<Mail[]> {
    return (await this.call('GET', to === undefined ? 'mail' : `mail?to=${encodeURIComponent(to)}`)) as Mail[];
  }

  /** Throws everything away. */
  async reset(): Promise<void> {
    await this.call('POST', 'reset');
  }

  private post(path: string, body: object): Promise<unknown> {
    return this.call('POST', path, body);
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.url}/_test/${path}`, {
      method,
      signal: AbortSignal.timeout(patience),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new KitError(`${method} /_test/${path}`, response.status, text);
    return text === '' ? undefined : JSON.parse(text);
  }
}
