import { randomBytes } from 'node:crypto';
import { test as base, type Page } from '@playwright/test';
import { appOf, type Account, type Company } from './account.js';
import { AuthenticatorApp } from './authenticator.js';
import type { Kit, NewAccount, Proof, Role, TwoFactorPolicy } from './client.js';
import { Clock } from './clock.js';
import { labelsOf, type Labels } from './labels.js';
import { Mails } from './mails.js';
import { Visitor } from './pages/index.js';
import { Provider, type ProviderName } from './provider.js';
import { Server, Vestibule, type Settings } from './server.js';

/** What a test may set with `test.use`. */
export interface Options {
  /** Language of the browser, of the company and of the `labels`. */
  language: string;
  /** The company's policy. */
  twoFactorPolicy: TwoFactorPolicy;
}

/** What a project sets for all its workers. */
export interface WorkerOptions {
  /** The binary with the test kit; unset = what VESTIBULE_BINARY names, or `vestibule-test-kit` of the PATH. */
  vestibuleBinary: string | undefined;
  /** A server that runs already, instead of one for each worker; unset = what VESTIBULE_URL names. */
  vestibuleUrl: string | undefined;
  /** Settings of the servers. */
  vestibuleSettings: Settings;
}

/** Who is signed in, and how. */
export interface SignInWishes {
  /** Unset = somebody new of the test's company. */
  account?: Account;
  /** Unset = the password. */
  proof?: Proof;
}

export interface Fixtures {
  /** The kit of the server. */
  kit: Kit;
  /** Company of this test alone. */
  company: Company;
  /** Agent of the company, with codes by e-mail. */
  account: Account;
  /** Makes further accounts; they differ from `account` by what is given. */
  createAccount: (wishes?: Partial<Omit<NewAccount, 'email'>>) => Promise<Account>;
  /** Makes a further company. */
  createCompany: (wishes?: Partial<Company>) => Promise<Company>;
  /** A browser of its own in which somebody of the company is signed in, without having signed in. */
  signedInPage: (role: Role, wishes?: SignInWishes) => Promise<Page>;
  /** Mails that have arrived. */
  mail: Mails;
  /** The server's clock. */
  clock: Clock;
  /** The authenticator app of an account. */
  app: { code: (account: Account) => Promise<string> };
  /** An authenticator app that was given this secret. */
  createApp: (secret: string) => AuthenticatorApp;
  /** Google and Office 365. */
  provider: Record<ProviderName, Provider>;
  /** The words of the test's language. */
  labels: Labels;
  /** The browser of this test. */
  visitor: Visitor;
  /** Whether pages run scripts. */
  live: boolean;
}

export interface WorkerFixtures {
  /** The server of this worker. */
  vestibule: Vestibule;
}

/** Regions for browsers, so that their Accept-Language is one that people have. */
const regions: Record<string, string> = { en: 'en-GB', de: 'de-DE', ar: 'ar-EG' };

/** A word that no other test uses. */
export function unique(): string {
  return randomBytes(5).toString('hex');
}

/** Playwright's `test` with Vestibule. Each test has a company of its own, so that tests of one server do not meet. */
export const test = base.extend<Options & Fixtures, WorkerOptions & WorkerFixtures>({
  language: ['en', { option: true }],
  twoFactorPolicy: [0, { option: true }],
  vestibuleBinary: [process.env['VESTIBULE_BINARY'], { option: true, scope: 'worker' }],
  vestibuleUrl: [process.env['VESTIBULE_URL'], { option: true, scope: 'worker' }],
  vestibuleSettings: [{}, { option: true, scope: 'worker' }],

  vestibule: [
    async ({ vestibuleBinary, vestibuleUrl, vestibuleSettings }, use) => {
      const start = () => Server.start({ binary: vestibuleBinary ?? 'vestibule-test-kit', settings: () => vestibuleSettings });
      const server = vestibuleUrl === undefined ? await start() : new Vestibule(vestibuleUrl);
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  kit: async ({ vestibule }, use) => use(vestibule.kit),
  baseURL: async ({ vestibule }, use) => use(vestibule.url),
  locale: async ({ language }, use) => use(regions[language] ?? language),
  live: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled ?? true),
  labels: async ({ language }, use) => use(labelsOf(language)),

  createCompany: async ({ kit, language, twoFactorPolicy }, use) => {
    await use(async (wishes = {}) => {
      const company = { name: `Acme ${unique()}`, language, two_factor_policy: twoFactorPolicy, ...wishes };
      await kit.createCompany(company);
      return company;
    });
  },
  company: async ({ createCompany }, use) => use(await createCompany()),
  createAccount: async ({ kit, company, createApp }, use) => {
    await use(async (wishes = {}) => {
      const name = wishes.account ?? `alice.${unique()}`;
      const account: NewAccount = {
        company: company.name,
        account: name,
        email: `${name}@mail-${unique()}.test`,
        first_name: 'Alice',
        roles: ['agent'],
        password: `Correct horse ${unique()}!`,
        second_factor: 'email',
        ...wishes,
      };
      const { id, app_secret, backup_codes } = await kit.createAccount(account);
      return { ...account, id, backupCodes: backup_codes ?? [], ...(app_secret ? { app: createApp(app_secret) } : {}) };
    });
  },
  account: async ({ createAccount }, use) => use(await createAccount()),
  signedInPage: async ({ browser, contextOptions, kit, createAccount, vestibule, baseURL, locale, javaScriptEnabled, extraHTTPHeaders }, use) => {
    const opened: Page[] = [];
    await use(async (role, { account, proof = 'password' } = {}) => {
      const somebody = account ?? (await createAccount({ account: `${role}.${unique()}`, roles: [role], second_factor: 'none' }));
      const { cookie, value } = await kit.createSession({ company: somebody.company, account: somebody.account, proof });
      const context = await browser.newContext({
        ...contextOptions,
        ...(baseURL === undefined ? {} : { baseURL }),
        ...(locale === undefined ? {} : { locale }),
        ...(javaScriptEnabled === undefined ? {} : { javaScriptEnabled }),
        ...(extraHTTPHeaders === undefined ? {} : { extraHTTPHeaders }),
      });
      await context.addCookies([{ name: cookie, value, url: vestibule.url, httpOnly: true, sameSite: 'Lax' }]);
      const page = await context.newPage();
      opened.push(page);
      return page;
    });
    for (const page of opened) await page.context().close();
  },

  mail: async ({ kit }, use) => use(new Mails(kit)),
  clock: async ({ kit }, use) => use(new Clock(kit)),
  createApp: async ({ clock }, use) => use((secret) => new AuthenticatorApp(secret, clock)),
  app: async ({}, use) => use({ code: (account) => appOf(account).code() }),
  provider: async ({ visitor }, use) => {
    await use({ google: new Provider('google', visitor), office365: new Provider('office365', visitor) });
  },
  visitor: async ({ page, labels, live }, use) => use(new Visitor(page, labels, live)),
});
