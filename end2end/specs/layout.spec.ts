import { appOf, expect, test } from '../fixtures';
import { expectNoSidewaysScroll } from '../fixtures/accessibility';
import { longName, walkConsole } from '../fixtures/walk';

for (const { language, width } of [
  { language: 'en', width: 320 },
  { language: 'de', width: 320 },
  { language: 'ar', width: 320 },
  { language: 'en', width: 1440 },
]) {
  test.describe(`${width} px wide in ${language}`, () => {
    test.use({ language, viewport: { width, height: 720 }, twoFactorPolicy: 90 });

    test('no page scrolls sideways', async ({ visitor, account, createAccount, mail }) => {
      const { page } = visitor;
      for (const path of ['/login', `/login?company=${'W'.repeat(64)}`, '/terms', '/privacy', '/nowhere']) {
        await visitor.open(path);
        await expectNoSidewaysScroll(page);
      }
      await visitor.login.goto();
      await visitor.login.submit.click();
      await expect(visitor.login.sentence(visitor.labels.errors.account_missing)).toBeVisible();
      await expectNoSidewaysScroll(page);
      await visitor.forgot.goto(`?company=${'W'.repeat(64)}`);
      expect(await visitor.forgot.send('nowhere')).toBe(422);
      await expectNoSidewaysScroll(page);
      await visitor.passPassword(account);
      await expectNoSidewaysScroll(page);
      await visitor.code.enter(await mail.nextCode(account.email));
      await visitor.agent.ready();
      await expectNoSidewaysScroll(page);
      await visitor.open('/admin');
      await expectNoSidewaysScroll(page);
      await page.context().clearCookies();
      await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none', first_name: 'Wolfeschlegelsteinhausenbergerdorff' }), mail);
      await expectNoSidewaysScroll(page);
    });

    test('no page of the profile scrolls sideways', async ({ visitor, createAccount, createApp }) => {
      const { page } = visitor;
      const account = await createAccount({ second_factor: 'both', first_name: 'Wolfeschlegelsteinhausenbergerdorff', account: `w${Date.now()}`.padEnd(64, 'w') });
      await visitor.passPassword(account);
      await expectNoSidewaysScroll(page);
      await visitor.code.useBackupCode.click();
      await expect(visitor.code.backupCode).toBeVisible();
      await visitor.code.ready();
      await expectNoSidewaysScroll(page);
      await visitor.open('/login/code');
      await visitor.code.ready();
      await visitor.code.trust(90).check();
      await visitor.code.enter(await appOf(account).code());
      await visitor.agent.ready();
      await visitor.profile.goto();
      await expectNoSidewaysScroll(page);
      expect(await visitor.profile.send({ firstName: '', title: 'W'.repeat(101) })).toBe(422);
      await expectNoSidewaysScroll(page);
      await visitor.open('/profile/confirm');
      await expectNoSidewaysScroll(page);
      await visitor.security.goto();
      await expect(visitor.security.trusted).toHaveCount(1);
      await expectNoSidewaysScroll(page);
      await visitor.security.begin('email');
      await visitor.emailSetUp.ready();
      await expectNoSidewaysScroll(page);
      await visitor.security.goto();
      await visitor.security.begin('app');
      await visitor.appSetUp.ready();
      await expectNoSidewaysScroll(page);
      const app = await visitor.takeSecret(createApp);
      await expectNoSidewaysScroll(page);
      await visitor.appCode.send(await app.wrongCode());
      await expectNoSidewaysScroll(page);
      await visitor.backupCodes.goto();
      await expectNoSidewaysScroll(page);
      await visitor.backupCodes.generate.click();
      await visitor.newBackupCodes.ready();
      await expectNoSidewaysScroll(page);
    });

    test('the set-up that is required does not scroll sideways', async ({ visitor, createCompany, createAccount }) => {
      const company = await createCompany({ require_second_factor: 'everyone' });
      await visitor.login.goto();
      await visitor.login.send(await createAccount({ company: company.name, second_factor: 'none' }));
      await visitor.required.ready();
      await expectNoSidewaysScroll(visitor.page);
    });

    if (width !== 320) return;

    test('everything to press is big enough', async ({ visitor, account }) => {
      await visitor.passPassword(account);
      for (const target of [visitor.code.verify, visitor.code.cancel, visitor.code.resend, visitor.code.code, visitor.language.select]) {
        const box = await target.boundingBox();
        expect(box?.height, `height of ${target}`).toBeGreaterThanOrEqual(24);
        expect(box?.width, `width of ${target}`).toBeGreaterThanOrEqual(24);
      }
    });

    test('everything to press in the settings is big enough', async ({ visitor, createAccount, mail }) => {
      await visitor.signIn(await createAccount({ second_factor: 'both' }), mail);
      await visitor.security.goto();
      for (const target of await visitor.page.getByRole('main').getByRole('button').all()) {
        const box = await target.boundingBox();
        expect(box?.height, `height of ${target}`).toBeGreaterThanOrEqual(24);
        expect(box?.width, `width of ${target}`).toBeGreaterThanOrEqual(24);
      }
    });
  });
}

for (const { language, width, colorScheme } of [
  { language: 'en', width: 320, colorScheme: 'light' },
  { language: 'de', width: 320, colorScheme: 'dark' },
  { language: 'ar', width: 320, colorScheme: 'light' },
  { language: 'en', width: 768, colorScheme: 'dark' },
  { language: 'ar', width: 1280, colorScheme: 'dark' },
  { language: 'en', width: 1280, colorScheme: 'light' },
] as const) {
  test.describe(`${width} px wide in ${language} and ${colorScheme}`, () => {
    test.use({ language, colorScheme, viewport: { width, height: 720 } });

    test('no page of the console scrolls sideways, and everything to press is big enough', async ({ visitor, company, createAccount, mail, server }) => {
      test.slow();
      const account = `w${Date.now()}`.padEnd(64, 'w');
      const agent = await createAccount({ account, first_name: longName });
      await server.kit.setAccountLocked(company.name, account, true);
      await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none', first_name: longName }), mail);
      await walkConsole(visitor, agent, async () => {
        await expectNoSidewaysScroll(visitor.page);
        if (width !== 320) return;
        const main = visitor.page.getByRole('main');
        for (const target of await main.locator('button, summary, select, input:not([type=hidden], [type=checkbox], [type=radio]), a.button').filter({ visible: true }).all()) {
          const box = await target.boundingBox();
          expect(box?.height, `height of ${target} on ${visitor.page.url()}`).toBeGreaterThanOrEqual(24);
          expect(box?.width, `width of ${target} on ${visitor.page.url()}`).toBeGreaterThanOrEqual(24);
        }
      });
    });
  });
}

for (const language of ['en', 'de', 'ja'] as const) {
  test.describe(`the list of agents on a laptop in ${language}`, () => {
    test.use({ language, viewport: { width: 1280, height: 720 } });

    test('has rows of one line, also where somebody is locked, and cuts nothing that matters', async ({ visitor, company, account, createAccount, mail, server, labels }) => {
      const usual = { company: company.name, account: 'lara.kowalski', email: 'lara.kowalski@demo.test', first_name: 'Lara', password: 'marble-kettle-orchard-9', roles: ['agent' as const], second_factor: 'none' as const };
      await server.kit.createAccount(usual);
      const here = await createAccount({ roles: ['admin'], second_factor: 'none', account: 'ada' });
      await server.kit.setAccountLocked(company.name, account.account, true);
      await visitor.signIn(here, mail);
      const { agents } = visitor;
      await agents.goto();
      await expect(agents.row(account.account).getByRole('button', { name: labels.agents.unlock })).toBeVisible();
      for (const row of [account, usual, here].map(({ account }) => agents.row(account))) {
        const lines = await row.locator('time, bdi, .state').evaluateAll((all) =>
          all.map((element) => {
            const range = document.createRange();
            range.selectNodeContents(element);
            return { text: element.textContent, tops: new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size };
          }),
        );
        expect(lines.filter(({ tops }) => tops > 1)).toEqual([]);
      }
      const cut = await agents.row(usual.account).getByRole('cell').evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map(({ textContent }) => textContent));
      expect(cut).toEqual([]);
    });
  });
}
