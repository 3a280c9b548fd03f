// Visits a page twice with Chromium, as a person would, and prints what went over the wire as JSON.
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';

const [url, systemChromium] = process.argv.slice(-2);
const browser = await chromium.launch({
  args: [...(process.getuid() === 0 ? ['--no-sandbox'] : []), '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ...(existsSync(systemChromium) ? { executablePath: systemChromium } : {}),
});
const context = await browser.newContext();
const visits = [];
for (let visit = 0; visit < 2; visit++) {
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  const requests = new Map();
  network.on('Network.requestWillBeSent', ({ requestId, request }) => requests.set(requestId, { url: request.url, bytes: 0, cached: false }));
  network.on('Network.requestServedFromCache', ({ requestId }) => (requests.get(requestId).cached = true));
  network.on('Network.responseReceived', ({ requestId, response }) => {
    if (response.fromDiskCache) requests.get(requestId).cached = true;
  });
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => (requests.get(requestId).bytes = encodedDataLength));
  const begun = performance.now();
  await page.goto(url, { waitUntil: 'load' });
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
  visits.push({ milliseconds: performance.now() - begun, requests: [...requests.values()] });
  await page.close();
}
await browser.close();
console.log(JSON.stringify(visits));
