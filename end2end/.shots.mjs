import { chromium } from '@playwright/test';
const url='http://127.0.0.1:42000', pw='marble-kettle-orchard-9';
const browser = await chromium.launch({args:['--no-sandbox','--disable-gpu'], executablePath:process.env.CHROMIUM});
const ctx = await browser.newContext({viewport:{width:1280,height:800}});
const page = await ctx.newPage();
async function login(acc){
 await page.goto(url+'/login'); await page.locator('html[data-hydrated]').waitFor({state:'attached'});
 await page.locator('#company').fill('Demo'); await page.locator('#account').fill(acc); await page.locator('#password').fill(pw);
 await page.getByRole('button',{name:'Sign in',exact:true}).click();
}
await login('admin'); await page.waitForURL('**/login/code');
const m = await ctx.newPage(); await m.waitForTimeout(2500); await m.goto(url+'/mailbox'); const t=await m.locator('tr',{hasText:'admin@demo.test'}).getByRole('link',{name:/\d{6}/}).first().innerText(); const code=/\d{6}/.exec(t)[0]; await m.close();
await page.locator('[name=code]').first().fill(code); await page.screenshot({path:'/tmp/shots/code.png'}); await page.locator('[name=code]').first().press('Enter'); await page.waitForTimeout(4000); await page.screenshot({path:'/tmp/shots/code2.png'}); await page.waitForURL('**/admin');
const paths={overview:'/admin',agents:'/admin/agents',audit:'/admin/audit',sessions:'/admin/sessions',mail:'/admin/mail',security:'/admin/security',profile:'/profile',psec:'/profile/security',apps:'/admin/applications',import:'/admin/agents/import',sso:'/admin/sso',company:'/admin/company'};
const only=process.argv[2]?.split(',');
for (const [lang,w,scheme] of (process.argv[3]??'en:1280:light').split(',').map(x=>x.split(':'))) {
  await page.setViewportSize({width:+w,height:800}); await page.emulateMedia({colorScheme:scheme});
  await ctx.addCookies([{name:'language',value:lang,url}]);
  for (const [n,p] of Object.entries(paths)) { if(only&&!only.includes(n)) continue;
    await page.goto(url+p); const sel=page.locator('select[name=language]').first(); if ((await page.locator('html').getAttribute('lang'))!==lang) { await sel.selectOption(lang); await page.waitForFunction(l=>document.documentElement.lang===l,lang); }
    await page.screenshot({path:`/tmp/shots/${n}-${lang}-${w}-${scheme}.png`,fullPage:+w>400?false:false}); }
}
await browser.close();
