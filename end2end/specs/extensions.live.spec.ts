import { expect, test } from '../fixtures';

/** What password managers and translators do, as early as they can: an element behind each input, labels wrapped. */
function meddle() {
  const known = new WeakSet();
  const change = () => {
    for (const input of document.querySelectorAll('input')) {
      if (known.has(input)) continue;
      known.add(input);
      const icon = document.createElement('div');
      icon.append(document.createElement('span'));
      input.after(icon);
    }
    for (const label of document.querySelectorAll('label')) {
      if (known.has(label)) continue;
      known.add(label);
      const font = document.createElement('font');
      font.append(...label.childNodes);
      label.append(font);
    }
  };
  new MutationObserver(change).observe(document, { childList: true, subtree: true });
}

test('elements that other software put into the page do not keep it from coming to life', async ({ visitor, account, mail }) => {
  await visitor.page.addInitScript(meddle);
  await visitor.login.goto();
  await expect(visitor.page.locator('input + div > span').first()).toBeAttached();
  await visitor.login.password.fill('correct horse');
  await visitor.login.showPassword.click();
  await expect(visitor.login.password).toHaveAttribute('type', 'text');
  await visitor.login.send(account);
  await visitor.code.ready();
  await visitor.code.enter(await mail.nextCode(account.email));
  await visitor.agent.ready();
});

test('what was typed before stays, with the focus and the caret', async ({ visitor }) => {
  await visitor.page.addInitScript(meddle);
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  await visitor.page.route('**/*.wasm', async (route) => {
    await arrived;
    await route.continue();
  });
  await visitor.page.goto('/login', { waitUntil: 'domcontentloaded' });
  await visitor.login.company.fill('Acme');
  await visitor.login.account.pressSequentially('alcie');
  await visitor.page.keyboard.press('ArrowLeft');
  await visitor.page.keyboard.press('ArrowLeft');
  arrive();
  await expect(visitor.page.locator('html[data-hydrated]')).toBeAttached();
  await visitor.page.keyboard.press('Backspace');
  await expect(visitor.login.company).toHaveValue('Acme');
  await expect(visitor.login.account).toHaveValue('alie');
  await expect(visitor.login.account).toBeFocused();
});
