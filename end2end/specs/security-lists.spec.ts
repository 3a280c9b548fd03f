import type { Locator } from '@playwright/test';
import { appOf, expect, test, type Account } from '../fixtures';
import { Http } from '../fixtures/http';
import { fill } from '../fixtures/labels';
import type { Mails } from '../fixtures/mails';
import type { Visitor } from '../pages';

/** Signs in and ticks `Don't ask again`. */
async function signInAndTrust(visitor: Visitor, account: Account, mail: Mails): Promise<void> {
  await visitor.passPassword(account);
  await visitor.code.trust(30).check();
  await visitor.code.enter(account.app ? await account.app.code() : await mail.nextCode(account.email));
  await visitor.landed(account);
}

/** The moment in a line of details, in milliseconds since 1970. */
async function moment(line: Locator): Promise<number> {
  return Date.parse((await line.locator('time').getAttribute('datetime')) ?? '');
}

const day = 24 * 60 * 60 * 1000;

test.describe('trusted browsers', { tag: '@journey' }, () => {
  test.use({ twoFactorPolicy: 30 });

  test('are listed with their name and their fixed end; this one is marked', async ({ visitor, anotherVisitor, account, mail, labels, source }) => {
    await signInAndTrust(visitor, account, mail);
    const other = await anotherVisitor();
    await signInAndTrust(other, account, mail);
    await visitor.security.goto();
    await expect(visitor.security.trusted).toHaveCount(2);
    const mine = visitor.security.trusted.filter({ hasText: labels.profile.this_browser });
    await expect(mine).toHaveCount(1);
    await expect(mine.getByRole('heading')).toContainText('Chrome');
    if (source !== null) await expect(mine).toContainText(source);
    const since = await moment(visitor.security.detail(mine, labels.profile.since));
    const until = await moment(visitor.security.detail(mine, labels.profile.until));
    expect(until - since).toBe(30 * day);
  });

  test('last use follows, the end does not', async ({ visitor, account, mail, clock, labels }) => {
    await signInAndTrust(visitor, account, mail);
    await visitor.security.goto();
    const mine = visitor.security.trusted.first();
    const read = async (name: string) => moment(visitor.security.detail(mine, name));
    const until = await read(labels.profile.until);
    const used = await read(labels.profile.last_used);
    await visitor.signOut();
    await clock.advance({ days: 3 });
    await visitor.login.goto();
    await visitor.login.send(account);
    await visitor.agent.ready();
    await visitor.security.goto();
    expect(await read(labels.profile.until)).toBe(until);
    expect(await read(labels.profile.last_used)).toBeGreaterThanOrEqual(used + 3 * day);
  });

  test('Remove asks that browser for a code again, and no other', async ({ visitor, anotherVisitor, account, mail, labels }) => {
    await signInAndTrust(visitor, account, mail);
    const other = await anotherVisitor();
    await signInAndTrust(other, account, mail);
    await visitor.security.goto();
    await visitor.security.remove(visitor.security.trusted.filter({ hasText: labels.profile.this_browser }));
    await expect(visitor.security.sentence(labels.profile.ended)).toBeVisible();
    await expect(visitor.security.trusted).toHaveCount(1);
    await expect(visitor.security.trusted.filter({ hasText: labels.profile.this_browser })).toHaveCount(0);
    await visitor.signOut();
    await visitor.passPassword(account);

    await other.agent.goto();
    await other.signOut();
    await other.login.send(account);
    await other.agent.ready();
  });

  test('Remove all asks every browser again', async ({ visitor, anotherVisitor, account, mail, labels }) => {
    await signInAndTrust(visitor, account, mail);
    const other = await anotherVisitor();
    await signInAndTrust(other, account, mail);
    await visitor.security.goto();
    await visitor.security.removeAll.click();
    await expect(visitor.page.getByText(labels.profile.trusted_none)).toBeVisible();
    await expect(visitor.security.trusted).toHaveCount(0);
    for (const somebody of [visitor, other]) {
      await somebody.agent.goto();
      await somebody.signOut();
      await somebody.passPassword(account);
    }
  });

  test('of another account on the same browser are not listed, and stay', async ({ visitor, account, createAccount, mail }) => {
    const colleague = await createAccount({ second_factor: 'app' });
    await signInAndTrust(visitor, account, mail);
    await visitor.signOut();
    await signInAndTrust(visitor, colleague, mail);
    await visitor.security.goto();
    await expect(visitor.security.trusted).toHaveCount(1);
    await visitor.security.removeAll.click();
    await expect(visitor.security.trusted).toHaveCount(0);
    await visitor.signOut();
    await visitor.login.send(account);
    await visitor.agent.ready();
  });

  test('a row that another tab has removed already is no error', async ({ visitor, account, mail }) => {
    await signInAndTrust(visitor, account, mail);
    await visitor.security.goto();
    const tab = await visitor.newTab();
    await tab.security.goto();
    await tab.security.remove(tab.security.trusted.first());
    await expect(tab.security.trusted).toHaveCount(0);
    await visitor.security.remove(visitor.security.trusted.first());
    await visitor.security.ready();
    await expect(visitor.security.trusted).toHaveCount(0);
  });
});

test.describe('policies', () => {
  test('every login trusts no browser, and a shorter policy shows in the list', async ({ visitor, createCompany, createAccount, server, mail, labels }) => {
    const company = await createCompany({ two_factor_policy: 30 });
    const account = await createAccount({ company: company.name });
    await signInAndTrust(visitor, account, mail);
    await server.kit.setTwoFactorPolicy(company.name, 14);
    await visitor.security.goto();
    const [row] = await visitor.security.trusted.all();
    if (!row) throw new Error('no trusted browser');
    const since = await moment(visitor.security.detail(row, labels.profile.since));
    expect((await moment(visitor.security.detail(row, labels.profile.until))) - since).toBe(14 * day);
    await server.kit.setTwoFactorPolicy(company.name, 0);
    await visitor.security.goto();
    await expect(visitor.page.getByText(labels.profile.trusted_none)).toBeVisible();
  });
});

test.describe('sessions', { tag: '@journey' }, () => {
  test('are listed; this one is marked', async ({ visitor, anotherVisitor, createAccount, mail, labels, source }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    await expect(visitor.security.sessions).toHaveCount(1);
    await expect(visitor.security.endOthers).toHaveCount(0);
    const other = await anotherVisitor();
    await other.signIn(account, mail);
    await visitor.security.goto();
    await expect(visitor.security.sessions).toHaveCount(2);
    const mine = visitor.security.sessions.filter({ hasText: labels.profile.this_session });
    await expect(mine).toHaveCount(1);
    await expect(mine.getByRole('heading')).toContainText('Chrome');
    if (source !== null) await expect(mine).toContainText(source);
    await expect(visitor.security.detail(mine, labels.profile.last_used)).toBeVisible();
  });

  test('End ends that one at once, and no other', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    const others = [await anotherVisitor(), await anotherVisitor()] as const;
    for (const somebody of others) await somebody.signIn(account, mail);
    await visitor.signIn(account, mail);
    await others[0].security.goto();
    await others[0].security.end(others[0].security.sessions.filter({ hasNotText: labels.profile.this_session }).last());
    await expect(others[0].security.sentence(labels.profile.ended)).toBeVisible();
    await others[1].open('/agent');
    await others[1].login.ready();
    await visitor.agent.goto();
    await others[0].agent.goto();
  });

  test('End of this one signs out', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    await visitor.security.end(visitor.security.sessions.filter({ hasText: labels.profile.this_session }));
    await visitor.login.ready();
    await expect(visitor.login.sentence(labels.signIn.signed_out)).toBeVisible();
    expect(await visitor.cookie('session')).toBeUndefined();
  });

  test('End all others leaves this one', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    const colleague = await createAccount({ second_factor: 'none' });
    const others = [await anotherVisitor(), await anotherVisitor()] as const;
    for (const somebody of others) await somebody.signIn(account, mail);
    const stranger = await anotherVisitor();
    await stranger.signIn(colleague, mail);
    await visitor.signIn(account, mail);
    await visitor.security.goto();
    await expect(visitor.security.sessions).toHaveCount(3);
    await visitor.security.endOthers.click();
    await expect(visitor.security.sentence(labels.profile.ended)).toBeVisible();
    await expect(visitor.security.sessions).toHaveCount(1);
    for (const somebody of others) {
      await somebody.open('/agent');
      await somebody.login.ready();
    }
    await stranger.agent.goto();
  });

  test('are ten at most: the oldest ends', async ({ visitor, playwright, server, createAccount, mail }) => {
    const account = await createAccount({ second_factor: 'none' });
    const { company, account: name, password } = account;
    await visitor.signIn(account, mail);
    for (let number = 1; number <= 10; number += 1) {
      // Each in a browser of its own: in one a new sign-in takes the place of the session before.
      const browser = await playwright.request.newContext({ baseURL: server.url });
      expect((await new Http(browser, server.url).post('/login', { company, account: name, password })).status()).toBe(200);
      await browser.dispose();
    }
    await visitor.open('/agent');
    await visitor.login.ready();
    await visitor.login.send(account);
    await visitor.agent.ready();
    await visitor.security.goto();
    await expect(visitor.security.sessions).toHaveCount(10);
  });
});

test.describe('a sign-in from a new browser', { tag: '@journey' }, () => {
  test('is told by mail, once for each browser', async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'none' });
    await visitor.signIn(account, mail);
    const { text } = await mail.next(account.email, labels.mail.new_browser_subject);
    expect(text).toContain(fill(labels.mail.new_browser_intro, account));
    expect(text).toContain('Chrome');
    await visitor.signOut();
    await visitor.login.send(account);
    await visitor.agent.ready();
    const other = await anotherVisitor();
    await other.signIn(account, mail);
    await mail.next(account.email, labels.mail.new_browser_subject);
    expect(await mail.count(account.email)).toBe(2);
  });

  test('is told only after the whole sign-in', async ({ visitor, createAccount, mail, labels }) => {
    const account = await createAccount({ second_factor: 'both' });
    await visitor.passPassword(account);
    await visitor.code.otherMethod.click();
    await mail.nextCode(account.email);
    expect(await mail.count(account.email), 'the password alone tells nobody').toBe(1);
    await visitor.code.enter(await appOf(account).code());
    await visitor.agent.ready();
    expect((await mail.next(account.email)).subject).toBe(labels.mail.new_browser_subject);
  });
});
