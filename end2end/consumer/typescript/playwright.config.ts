import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

/** The system's browser where there is one, else the one that Playwright fetched. */
const chromium = '/usr/bin/chromium-headless-shell';

export default defineConfig({
  use: {
    launchOptions: {
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
      ...(existsSync(chromium) ? { executablePath: chromium } : {}),
    },
  },
});
