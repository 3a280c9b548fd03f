import { expect, test } from '../fixtures';

test('a second visit takes every asset from the cache', async ({ visitor }) => {
  await visitor.login.goto();
  const first = await visitor.page.evaluate(() => (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).map(({ name }) => name));
  expect(first.some((name) => name.includes('.wasm'))).toBe(true);
  await visitor.login.goto();
  const loaded = await visitor.page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).filter(({ transferSize }) => transferSize > 0).map(({ name }) => name),
  );
  expect(loaded.filter((name) => new URL(name).pathname.startsWith('/assets/'))).toEqual([]);
});

test('signed-in pages load no WebAssembly', async ({ visitor, createAccount, mail }) => {
  await visitor.signIn(await createAccount({ second_factor: 'none' }), mail);
  await visitor.agent.goto();
  const loaded = await visitor.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  expect(loaded.filter((name) => name.includes('.wasm'))).toEqual([]);
});

test('the sign-in page needs at most ten requests, all to our own server', async ({ visitor }) => {
  const requests: string[] = [];
  visitor.page.on('request', (request) => requests.push(request.url()));
  await visitor.login.goto();
  expect(requests.length).toBeLessThanOrEqual(10);
  const origin = new URL(visitor.page.url()).origin;
  expect(requests.filter((url) => !url.startsWith(origin))).toEqual([]);
});
