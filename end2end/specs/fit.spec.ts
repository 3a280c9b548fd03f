import { expect, test } from '../fixtures';
import { Fit } from '../fixtures/fit';
import { languages, pseudo } from '../fixtures/labels';
import { mailsIn } from '../fixtures/mails';
import { longName, walkConsole, walkIn, walkProfile } from '../fixtures/walk';

for (const language of [...languages, ...pseudo]) {
  test.describe(`at every width in ${language}`, () => {
    test.use({ language, viewport: { width: 1280, height: 720 }, twoFactorPolicy: 30 });

    // What scripts add to a page stands in fit.live.spec.ts.
    test('every page fits, with every word in one piece', async ({ visitor, company, createAccount, createApp, server, live }) => {
      test.skip(live, 'scripts add few words, and change no style');
      // Fifty pages at three widths.
      test.slow();
      const agent = await createAccount({ first_name: 'Bob' });
      const admin = await createAccount({ roles: ['admin'], second_factor: 'both' });
      const fit = new Fit(visitor.page, [longName, company.name, agent.account, agent.email, admin.account, admin.email]);
      const look = () => fit.look();
      await walkIn(visitor, agent, admin, look);
      await walkProfile(visitor, createApp, look);
      await server.kit.setAccountLocked(company.name, agent.account, true);
      await walkConsole(visitor, agent, look);
      expect(fit.misfits).toEqual([]);
    });

    test('every mail fits, with every word in one piece', async ({ page, server, live }) => {
      test.skip(live, 'mails have no scripts');
      test.slow();
      const fit = new Fit(page, []);
      for (const path of await mailsIn(server, language)) {
        await page.goto(path);
        await fit.look();
      }
      expect(fit.misfits).toEqual([]);
    });
  });
}
