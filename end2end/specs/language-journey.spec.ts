import { expect, test } from '../fixtures';
import { fill, languages } from '../fixtures/labels';
import { expectLanguage } from '../fixtures/words';

for (const language of languages.filter((tag) => tag !== 'en')) {
  test.describe(`the whole journey in ${language}`, { tag: '@journey' }, () => {
    test.use({ language, twoFactorPolicy: 14 });

    test('with warnings, resend, trust and logout', async ({ visitor, account, mail, clock, labels }) => {
      await visitor.login.goto();
      await expectLanguage(visitor.page, language);
      await expect(visitor.login.heading).toBeVisible();
      await visitor.login.send({ ...account, password: 'wrong' });
      await expect(visitor.login.sentence(labels.errors.wrong_credentials)).toBeVisible();
      await visitor.login.send(account);
      await visitor.code.ready();
      await expectLanguage(visitor.page, language);

      const mailed = await mail.next(account.email);
      const first = mailed.code ?? '';
      expect(mailed.subject).toBe(fill(labels.mail.code_subject, { code: first }));
      // Lines of Chinese, Japanese and Korean are broken between letters.
      const joined = (text: string) => text.replace(/\s/g, '');
      expect(joined(mailed.text)).toContain(joined(labels.mail.code_not_you));
      const wrong = first === '000000' ? '000001' : '000000';
      for (const sentence of [labels.errors.wrong_code, labels.errors.wrong_code, labels.errors.two_left, labels.errors.one_left]) {
        await visitor.code.send(wrong);
        await expect(visitor.code.sentence(sentence)).toBeVisible();
        await expect(visitor.code.verify).toBeEnabled();
      }

      await clock.advance({ seconds: 61 });
      await visitor.code.reload();
      await visitor.code.resend.click();
      await expect(visitor.code.sentence(labels.signIn.resent)).toBeVisible();
      await visitor.code.trust(14).check();
      await visitor.code.enter(await mail.nextCode(account.email));
      await visitor.agent.ready();
      await expectLanguage(visitor.page, language);
      await expect(visitor.agent.welcome('Alice')).toBeVisible();
      await visitor.agent.signOut();
      await visitor.login.ready();
      await expect(visitor.login.sentence(labels.signIn.signed_out)).toBeVisible();

      await visitor.login.send(account);
      await visitor.agent.ready();
    });

    test('up to the lock', async ({ visitor, account, mail, labels }) => {
      await visitor.passPassword(account);
      const code = await mail.nextCode(account.email);
      const wrong = code === '000000' ? '000001' : '000000';
      for (let number = 1; number <= 4; number += 1) expect((await visitor.post('/login/code', { code: wrong })).status()).toBe(401);
      expect(await visitor.code.send(wrong)).toBe(403);
      await visitor.locked.ready();
      await expect(visitor.locked.sentence(labels.errors.account_locked)).toBeVisible();
      const { subject, text } = await mail.next(account.email);
      expect(subject).toBe(labels.mail.locked_subject);
      expect(text).toContain(labels.mail.locked_next);
    });
  });
}
