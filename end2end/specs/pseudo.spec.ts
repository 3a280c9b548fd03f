import { expect, test } from '../fixtures';
import { pseudo } from '../fixtures/labels';
import { mailsIn } from '../fixtures/mails';
import { plainWords, textsOf } from '../fixtures/pseudo';
import { longName, walkConsole, walkIn, walkProfile } from '../fixtures/walk';

// Only with a server that offers drafts:
// cargo xtask locales pseudo && VESTIBULE_TRANSLATOR=1 cargo xtask test --only browser -- pseudo fit -g en-XA
for (const language of pseudo) {
  test.describe(`in ${language}, which nobody speaks`, () => {
    test.use({ language, twoFactorPolicy: 30 });

    test('every text of every page comes from a catalogue', async ({ visitor, company, createAccount, createApp, server, live }) => {
      test.skip(live, 'the server says all of it');
      test.slow();
      const { page } = visitor;
      const agent = await createAccount({ first_name: 'Bob' });
      const admin = await createAccount({ roles: ['admin'], second_factor: 'both' });
      // What the walk types.
      const typed = [longName, 'bjørn', 'nowhere', 'nobody', 'ada', 'Ada', 'Eve', '2001:db8:1:2::/64'];
      const given = [...typed, company.name, agent.account, agent.first_name, admin.account, admin.first_name, language];
      const found = new Set<string>();
      const look = async () => {
        for (const text of await textsOf(page)) {
          for (const word of plainWords(text, given)) found.add(`${new URL(page.url()).pathname}: ${word} in "${text}"`);
        }
      };
      await walkIn(visitor, agent, admin, look);
      await walkProfile(visitor, createApp, look);
      await server.kit.setAccountLocked(company.name, agent.account, true);
      await walkConsole(visitor, agent, look);
      expect([...found]).toEqual([]);
    });

    test('every text of every mail comes from a catalogue', async ({ page, server, live }) => {
      test.skip(live, 'mails have no scripts');
      const found = new Set<string>();
      // The facts that the test kit makes up.
      const given = ['Acme & Sons', 'Acme', 'Alice', 'alice', 'Rita', 'kx7m-Qd2t-9RwP', 'mail.example.com:465'];
      for (const path of await mailsIn(server, language)) {
        await page.goto(path);
        const plainText = await (await fetch(server.url + path.replace(/html$/, 'txt'))).text();
        for (const text of [...(await textsOf(page)), ...plainText.split('\n')]) {
          for (const word of plainWords(text, given)) found.add(`${path}: ${word} in "${text}"`);
        }
      }
      expect([...found]).toEqual([]);
    });
  });
}
