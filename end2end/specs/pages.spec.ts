import { expect, test } from '../fixtures';
import { pattern } from '../fixtures/labels';

test('the start page leads to the sign-in page', async ({ visitor }) => {
  await visitor.open('/');
  await visitor.login.ready();
  await expect(visitor.page).toHaveTitle(new RegExp(visitor.labels.signIn.title));
  await expect(visitor.login.heading).toBeVisible();
});

test('every page links Terms of Service and Privacy Policy', async ({ visitor, createAccount, mail, labels }) => {
  const admin = await createAccount({ roles: ['admin'], second_factor: 'none' });
  const expectLinks = async () => {
    await expect(visitor.page.getByRole('link', { name: labels.common.terms, exact: true })).toHaveAttribute('href', '/terms');
    await expect(visitor.page.getByRole('link', { name: labels.common.privacy, exact: true })).toHaveAttribute('href', '/privacy');
  };
  for (const path of ['/login', '/terms', '/privacy', '/nowhere']) {
    await visitor.open(path);
    await expectLinks();
  }
  await visitor.signIn(admin, mail);
  await expectLinks();
  for (const path of ['/agents', '/agents/new', '/agents/import', `/agents/${admin.id}`, `/agents/${admin.id}/view`, '/company', '/security', '/audit']) {
    expect((await visitor.open(`/admin${path}`)).status(), path).toBe(200);
    await expectLinks();
  }
  await visitor.agent.goto();
  await expectLinks();
  await visitor.profile.goto();
  await expectLinks();
  await visitor.security.goto();
  await expectLinks();
});

for (const { path, title } of [
  { path: '/terms', title: 'terms' },
  { path: '/privacy', title: 'privacy' },
] as const) {
  test(`${path} has a text to read`, async ({ visitor, labels }) => {
    expect((await visitor.open(path)).status()).toBe(200);
    await expect(visitor.page.getByRole('heading', { level: 1 })).toHaveText(labels.common[title]);
    expect((await visitor.page.getByRole('main').innerText()).length).toBeGreaterThan(200);
  });
}

test.describe('an error page', () => {
  test('for an unknown address', async ({ visitor, labels, console }) => {
    console.allow(/status of 404 .*\/assets\/nowhere\.css/);
    for (const path of ['/nowhere', '/login/nowhere', '/assets/nowhere.css', '/agent/%F0%9F%A6%8A', '/.git/config', '/.env']) {
      expect((await visitor.open(path)).status(), path).toBe(404);
    }
    await visitor.open('/nowhere');
    await expect(visitor.page.getByRole('heading', { level: 1, name: labels.errors.not_found_title })).toBeVisible();
    await expect(visitor.login.sentence(labels.errors.not_found)).toBeVisible();
    await visitor.page.getByRole('link', { name: labels.errors.go_home }).click();
    await visitor.login.ready();
  });

  test('for an agent at the admin\'s door', { tag: '@journey' }, async ({ visitor, createAccount, mail, labels }) => {
    for (const { role, paths } of [
      { role: 'agent', paths: ['/admin', '/admin/agents', '/admin/company', '/admin/security', '/admin/audit'] },
      { role: 'supervisor', paths: ['/admin/company', '/admin/security', '/admin/audit'] },
    ] as const) {
      const account = await createAccount({ roles: [role], second_factor: 'none' });
      await visitor.page.context().clearCookies();
      await visitor.signIn(account, mail);
      for (const path of paths) expect((await visitor.open(path)).status(), path).toBe(403);
      await expect(visitor.page.getByRole('heading', { level: 1, name: labels.errors.forbidden_title })).toBeVisible();
      await expect(visitor.login.sentence(labels.errors.forbidden)).toBeVisible();
    }
    await visitor.page.getByRole('link', { name: labels.errors.go_home }).click();
    await visitor.agent.ready();
  });

  test('for a request from elsewhere', async ({ visitor, account, labels }) => {
    await visitor.login.goto();
    const origin = new URL(visitor.page.url()).origin;
    // A page of another site that sends our own form.
    const hostile = `data:text/html,<form method="post" action="${origin}/login"><input name="company" value="${account.company}"><button>Win</button></form>`;
    await visitor.page.goto(hostile);
    const answer = visitor.page.waitForResponse((response) => response.request().method() === 'POST');
    await visitor.page.getByRole('button').click();
    expect((await answer).status()).toBe(403);
    await expect(visitor.page.getByRole('heading', { level: 1, name: labels.errors.cross_site_title })).toBeVisible();
    await expect(visitor.login.sentence(labels.errors.cross_site)).toBeVisible();
  });
});

test('the code page without a pending sign-in leads to the sign-in page', async ({ visitor }) => {
  await visitor.open('/login/code');
  await expect(visitor.code.code).toHaveCount(0);
  await visitor.login.ready();
});

test('a page of somebody who is not signed in leads to the sign-in page', async ({ visitor }) => {
  for (const path of ['/agent', '/admin', '/admin/agents', '/admin/agents/new', '/admin/company', '/admin/audit/export', '/choose-password']) {
    await visitor.open(path);
    await visitor.login.ready();
    expect(new URL(visitor.page.url()).pathname).toBe('/login');
  }
});

test.describe('the local mailbox', () => {
  // It is there for the same machine only, so nobody may be in between.
  test.use({ source: null });

  test('shows the mail with the code', async ({ visitor, account, mail, labels }) => {
    await visitor.passPassword(account);
    const { subject, code } = await mail.next(account.email);
    const tab = await visitor.newTab();
    await tab.mailbox.goto();
    await expect(tab.page.getByText(account.email).first()).toBeVisible();
    await tab.mailbox.mail(subject).click();
    await expect(tab.mailbox.html.getByText(code ?? '').first()).toBeVisible();
    await expect(tab.mailbox.html.getByText(pattern(labels.mail.code_life)).first()).toBeVisible();
    await tab.page.getByRole('link', { name: labels.mailbox.back }).click();
    await tab.mailbox.ready();
  });
});

test('the local mailbox is not there for others', async ({ visitor }) => {
  expect((await visitor.open('/mailbox')).status()).toBe(404);
});

test('the navigation of the console leads to every page and marks where one is', async ({ visitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  for (const [name, path] of [
    [labels.console.agents, '/admin/agents'],
    [labels.profile.sessions_title, '/admin/sessions'],
    [labels.console.general, '/admin/company'],
    [labels.console.security, '/admin/security'],
    [labels.console.audit, '/admin/audit'],
    [labels.console.overview, '/admin'],
  ] as const) {
    const link = visitor.admin.navigation.getByRole('link', { name, exact: true });
    await link.click();
    await expect(visitor.page).toHaveURL(path);
    await expect(link).toHaveAttribute('aria-current', 'page');
    await expect(visitor.page.getByRole('heading', { level: 1 })).toHaveCount(1);
  }
  for (const path of ['/profile', '/profile/security']) {
    await visitor.open(path);
    await expect(visitor.admin.navigation.getByRole('link', { name: labels.console.agents, exact: true }), 'the way back').toBeVisible();
  }
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 320, height: 640 } });

  test('the navigation of the console is one line that says where one is, and opens over the page', async ({ visitor, createAccount, mail, labels }) => {
    await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
    const { page } = visitor;
    const { navigation } = visitor.admin;
    const link = (name: string) => navigation.getByRole('link', { name, exact: true });
    for (const [path, shown] of [
      ['/admin/company', labels.console.general],
      ['/profile', labels.console.navigation],
    ] as const) {
      await visitor.open(path);
      const button = navigation.getByRole('button');
      await expect(button).toContainText(shown);
      await expect(link(labels.console.audit)).toBeHidden();
      const height = (await navigation.boundingBox())?.height ?? 0;
      expect(height, `height on ${path}`).toBeLessThan(80);
      await button.click();
      await expect(link(labels.console.audit)).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(link(labels.console.audit)).toBeHidden();
    }
    await navigation.getByRole('button').click();
    await link(labels.console.audit).click();
    await expect(page).toHaveURL('/admin/audit');
    await navigation.getByRole('button').click();
    await expect(link(labels.console.audit)).toHaveAttribute('aria-current', 'page');
  });
});

test('where colours are the reader\'s the navigation marks the current page, and on paper there is none', async ({ visitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  const { page } = visitor;
  await page.emulateMedia({ forcedColors: 'active' });
  await visitor.agents.goto();
  const current = visitor.admin.navigation.getByRole('link', { name: labels.console.agents, exact: true });
  await expect(current).toHaveCSS('outline-style', 'solid');
  await expect(visitor.admin.navigation.getByRole('link', { name: labels.console.audit, exact: true })).not.toHaveCSS('outline-style', 'solid');
  await page.emulateMedia({ forcedColors: 'none', media: 'print' });
  await expect(current).toBeHidden();
  await expect(visitor.agents.rows.first()).toBeVisible();
});
