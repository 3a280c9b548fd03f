import { existsSync } from 'node:fs';
import { defineConfig, devices } from '@playwright/test';
import type { Options, ServerOptions } from './fixtures';

/** The system's Chromium without a window where there is one, else the one that `npx playwright install chromium-headless-shell` fetched. */
const systemChromium = '/usr/bin/chromium-headless-shell';

/** Chromium refuses its sandbox to root; the rest keeps it from talking to anybody but the server under test. */
const chromiumArguments = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const onCi = Boolean(process.env['CI']);

/** With scripts every spec runs but those that speak plain HTTP: a browser adds nothing to them. */
const live = { testIgnore: '**/*.http.spec.ts', use: { javaScriptEnabled: true } } as const;
/** Without scripts the live ones are left out. */
const plain = { testIgnore: '**/*.live.spec.ts', use: { javaScriptEnabled: false } } as const;

/** PostgreSQL runs the journeys that touch every table; what only concerns pages is the same on both databases. */
const journeys = /@journey/;

/** What PostgreSQL runs without scripts: the way in. The other forms call the same server functions as scripts do. */
const wayIn = ['sign-in', 'code', 'trust', 'recovery', 'sso'].map((name) => `**/${name}.spec.ts`);

export default defineConfig<Options, ServerOptions>({
  testDir: 'specs',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: onCi,
  retries: onCi ? 2 : 0,
  workers: process.env['VESTIBULE_TEST_WORKERS'] ? Number(process.env['VESTIBULE_TEST_WORKERS']) : 2,
  timeout: 30_000,
  expect: { timeout: 7_000 },
  reporter: onCi ? [['list'], ['github'], ['html', { open: 'never' }]] : [['list'], ['html', { open: 'never' }]],
  use: {
    ...devices['Desktop Chrome'],
    trace: 'on-first-retry',
    // The trace of the first retry has pictures of every step.
    screenshot: 'off',
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: {
      args: chromiumArguments,
      ...(existsSync(systemChromium) ? { executablePath: systemChromium } : {}),
    },
  },
  projects: [
    { ...live, name: 'live', use: { ...live.use, database: 'sqlite' } },
    { ...plain, name: 'plain', use: { ...plain.use, database: 'sqlite' } },
    ...(process.env['VESTIBULE_TEST_POSTGRES']
      ? [
          { ...live, name: 'live-postgres', grep: journeys, use: { ...live.use, database: 'postgres' as const } },
          { ...plain, name: 'plain-postgres', grep: journeys, testMatch: wayIn, use: { ...plain.use, database: 'postgres' as const } },
        ]
      : []),
  ],
});
