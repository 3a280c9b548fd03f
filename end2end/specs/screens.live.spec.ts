import { expect } from '../fixtures';
import { test } from '../fixtures/sso';

for (const width of [320, 400, 1366]) {
  test.describe(`${width} px wide`, () => {
    test.use({ viewport: { width, height: 650 } });

    test('nothing of the sign-in page moves when it comes to life', async ({ visitor }) => {
      const { page, login } = visitor;
      await page.addInitScript(() => {
        const shifts = new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) document.documentElement.setAttribute('data-shifted', String((entry as PerformanceEntry & { value: number }).value));
        });
        shifts.observe({ type: 'layout-shift', buffered: true });
      });
      await login.goto('?company=Acme');
      // What moved is told with a frame.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await expect(page.locator('html')).not.toHaveAttribute('data-shifted');
    });
  });
}

test.describe('in the window of a laptop', () => {
  test.use({ viewport: { width: 1366, height: 650 } });

  test('Sign in stands above the fold, with a provider and a refusal too', async ({ visitor, account, labels }) => {
    const { login } = visitor;
    await login.goto();
    await expect(login.signInWith('Google')).toBeVisible();
    const end = async () => {
      const box = await login.submit.boundingBox();
      return (box?.y ?? 0) + (box?.height ?? 0);
    };
    expect(await end()).toBeLessThan(650);
    await login.type({ ...account, password: 'wrong' });
    await login.submit.click();
    await expect(login.sentence(labels.errors.wrong_credentials)).toBeVisible();
    expect(await end()).toBeLessThan(650);
  });
});

test('Caps Lock is told beside the password while it is on', async ({ visitor, labels }) => {
  const { login } = visitor;
  await login.goto();
  const hint = login.page.getByText(labels.signIn.caps_lock, { exact: true });
  await login.password.focus();
  await expect(hint).toBeHidden();
  const key = async (on: boolean) =>
    login.password.evaluate((field, modifierCapsLock) => field.dispatchEvent(new KeyboardEvent('keydown', { key: 'A', bubbles: true, modifierCapsLock })), on);
  await key(true);
  await expect(hint).toBeVisible();
  await key(false);
  await expect(hint).toBeHidden();
});

test('no page loads more than 40 kB of scripts and styles beyond those of the sign-in page', async ({ visitor, createAccount, mail }) => {
  const { page } = visitor;
  const loaded = () =>
    page.evaluate(() =>
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
        .filter(({ name }) => /\.(?:js|css|wasm)$/.test(new URL(name).pathname))
        .map(({ name, decodedBodySize }): [string, number] => [name, decodedBodySize]),
    );
  await visitor.login.goto();
  const known = new Set((await loaded()).map(([name]) => name));
  await visitor.signIn(await createAccount({ roles: ['admin'], second_factor: 'none' }), mail);
  for (const path of ['/admin', '/admin/agents', '/admin/audit', '/admin/security', '/profile', '/profile/security', '/agent']) {
    await visitor.open(path);
    await page.waitForLoadState();
    const more = (await loaded()).filter(([name]) => !known.has(name));
    expect(more.length, path).toBeGreaterThan(0);
    expect(more.reduce((sum, [, bytes]) => sum + bytes, 0), `${path}: ${JSON.stringify(more)}`).toBeLessThan(40_000);
  }
});
