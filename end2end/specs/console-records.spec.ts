import { writeFile } from 'node:fs/promises';
import { expect, test, unique } from '../fixtures';
import { counted, fill } from '../fixtures/labels';
import { linkOf } from '../fixtures/letters';

const admin = { roles: ['admin' as const], second_factor: 'none' as const, first_name: 'Rita' };

test('the Audit log says who did what to whom, is filtered, and goes into a file', { tag: '@journey' }, async ({ visitor, anotherVisitor, account, company, createAccount, mail, server, labels, source }) => {
  const own = await createAccount(admin);
  await visitor.signIn(own, mail);
  const { audit } = visitor;
  await visitor.agentForm.goto(account.id);
  await visitor.agentForm.save({ title: 'Team lead' });
  await expect(visitor.agentForm.sentence(labels.agents.saved)).toBeVisible();
  await server.kit.setAccountLocked(company.name, account.account, true);
  await visitor.agentAct.goto(account.id, 'unlock');
  await visitor.agentAct.unlock();
  await visitor.agentView.ready();
  await visitor.agentAct.goto(account.id, 'backup-code');
  await visitor.agentAct.issueCode('=1+1');
  const code = (await visitor.agentAct.issuedCode.innerText()).trim();
  const agent = await anotherVisitor();
  await agent.passPassword(account);
  expect(await agent.code.send('000000'.replace('0', (await mail.nextCode(account.email)).startsWith('0') ? '1' : '0'))).toBe(401);
  await agent.code.sendBackupCode(code);
  await agent.agent.ready();

  await visitor.agentView.goto(account.id);
  await expect(visitor.agentView.events.filter({ hasText: labels.audit.account_unlocked })).toHaveCount(1);
  await audit.goto();
  for (const event of [labels.audit.account_changed, labels.audit.account_unlocked, labels.audit.backup_code_issued]) {
    const row = audit.rowsWith(event, own.account, account.account);
    await expect(row, event).toHaveCount(1);
    await expect(row).toContainText(source ?? '');
    await expect(row).toContainText(labels.company.done);
  }
  await expect(audit.rowsWith(labels.audit.code_refused, account.account)).toContainText(labels.company.refused);
  await expect(audit.rowsWith(labels.audit.signed_in, own.account)).toHaveCount(1);
  await expect(audit.page.getByText(code)).toHaveCount(0);

  await audit.event.selectOption({ label: labels.audit.account_unlocked });
  await audit.account.fill(account.email);
  await audit.show.click();
  await expect(audit.rows).toHaveCount(1);
  await expect(audit.rowsWith(labels.audit.account_unlocked, account.account)).toHaveCount(1);
  await visitor.page.reload();
  await expect(audit.rows).toHaveCount(1);
  await expect(audit.account).toHaveValue(account.email);
  const filtered = await audit.save();
  expect(filtered.name).toMatch(/^audit-\d{4}-\d{2}-\d{2}\.csv$/);
  expect(filtered.text.trim().split('\r\n')).toHaveLength(2);

  await audit.account.fill('nobody');
  await audit.show.click();
  await expect(audit.sentence(labels.company.no_events)).toBeVisible();
  await audit.goto('?from=2001-01-01&until=2001-01-02');
  await expect(audit.sentence(labels.company.no_events)).toBeVisible();

  await audit.goto();
  const { text } = await audit.save();
  expect(text, 'a spreadsheet sees that it is UTF-8').toMatch(/^\ufeff/);
  const [head, ...lines] = text.trim().split('\r\n');
  expect(head).toBe('time,event,outcome,actor,actor_account,target_account,address,browser,request,detail');
  expect(lines.find((line) => line.includes(',backup_code_issued,'))).toMatch(/,'=1\+1$/);
  expect(lines.find((line) => line.includes(',account_changed,'))).toContain(`,${own.account},${account.account},`);
  for (const line of lines) expect(line).not.toMatch(/(^|,)"?[=+@-]/);
  await audit.goto();
  await expect(audit.rowsWith(labels.audit.audit_exported, own.account)).toHaveCount(2);
});

test('the Overview shows the numbers of now and the sign-ins of two weeks', { tag: '@journey' }, async ({ visitor, anotherVisitor, account, company, createAccount, mail, server, labels }) => {
  const locked = await createAccount({ second_factor: 'none' });
  await server.kit.setAccountLocked(company.name, locked.account, true);
  const waiting = await anotherVisitor();
  await waiting.passPassword(account);
  const other = await anotherVisitor();
  await other.login.goto();
  const colleague = await createAccount({ second_factor: 'none' });
  expect(await other.login.send({ ...colleague, password: 'wrong' })).toBe(401);
  await other.login.send(colleague);
  await other.agent.ready();

  const own = await createAccount(admin);
  await visitor.signIn(own, mail);
  const { admin: overview } = visitor;
  const { company: words } = labels;
  for (const [title, number] of [
    [words.signed_in_now, '2'],
    [words.locked_now, '1'],
    [words.waiting_now, '1'],
    [words.coverage, fill(words.percent, { percent: 25 })],
  ] as const) {
    await expect(overview.card(title).getByText(number, { exact: true }), title).toBeVisible();
  }
  await expect(overview.card(words.coverage)).toContainText(counted(words, 'coverage_of', 4, { covered: 1 }));
  await expect(overview.chart).toBeVisible();
  await expect(overview.chart).toHaveAccessibleName(`${words.chart_title} ${fill(words.chart_text, { most: 2, good: 2, failed: 1 })}`);
  await expect(overview.days.first()).toBeHidden();
  await overview.numbers.click();
  await expect(overview.days).toHaveCount(14);
  await expect(overview.days.last().getByRole('cell')).toHaveText(['2', '1']);
  await expect(overview.days.first().getByRole('cell')).toHaveText(['0', '0']);

  await overview.link(words.see_locked).click();
  await visitor.agents.ready();
  expect(await visitor.agents.accounts()).toEqual([locked.account]);
  await overview.goto();
  await overview.link(words.see_without).click();
  await expect(visitor.agents.rows).toHaveCount(3);
});

test('who is signed in is listed, and a session is ended from there', { tag: '@journey' }, async ({ visitor, anotherVisitor, createAccount, mail, labels }) => {
  const account = await createAccount({ second_factor: 'none' });
  const own = await createAccount(admin);
  const agent = await anotherVisitor();
  await agent.signIn(account, mail);
  await visitor.signIn(own, mail);
  await visitor.admin.goto();
  await visitor.admin.link(labels.console.see_sessions).click();
  const { sessions } = visitor;
  await expect(sessions.rowsOf(account.account)).toHaveCount(1);
  await expect(sessions.rowsOf(account.account)).toContainText(labels.audit.proof_password);
  await expect(sessions.rowsOf(own.account)).toContainText(labels.profile.this_session);
  await sessions.end(account.account);
  await expect(sessions.good).toHaveText(counted(labels.console, 'sessions_ended', 1));
  await expect(sessions.rowsOf(account.account)).toHaveCount(0);
  await agent.open('/agent');
  await agent.login.ready();
});

test('the Overview shows any days, by the hour when they are few, and nothing lies over anything', async ({ visitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount(admin), mail);
  const { admin: overview, page } = visitor;
  for (const width of [320, 1366, 1920]) {
    await page.setViewportSize({ width, height: 768 });
    await overview.goto();
    const chart = await page.locator('.chart svg').boundingBox();
    const legend = await page.locator('.legend').boundingBox();
    expect((chart?.y ?? 0) + (chart?.height ?? 0), `chart above the legend at ${width}`).toBeLessThanOrEqual(legend?.y ?? 0);
    const marks = await page.locator('.chart .mark').evaluateAll((all) =>
      all.map((mark) => mark.getBoundingClientRect()).filter((box) => box.width > 0).map(({ left, right, height }) => ({ left, right, height })).sort((one, two) => one.left - two.left),
    );
    expect(marks.length).toBeGreaterThan(2);
    for (const [place, mark] of marks.entries()) {
      expect(mark.height, `letters keep their size at ${width}`).toBeLessThan(24);
      if (place > 0) expect(mark.left, `labels at ${width}`).toBeGreaterThanOrEqual(marks[place - 1]!.right);
    }
  }
  await overview.link(counted(labels.console, 'last_days', 1)).click();
  await overview.numbers.click();
  await expect(overview.days).toHaveCount(24);
});

test.describe('an import', () => {
  test('is checked line by line, runs, and says of everybody that they are there when it is run again', { tag: '@journey' }, async ({ visitor, anotherVisitor, createCompany, createAccount, mail, labels }) => {
    const company = await createCompany({ new_agent_mail: 'activation_link' });
    const own = await createAccount({ ...admin, company: company.name });
    await visitor.signIn(own, mail);
    const word = unique();
    const email = `ada.${word}@mail.test`;
    const many = Array.from({ length: 30 }, (_, number) => `many${number},many${number}.${word}@mail.test,Many,,`);
    const file = [
      '\ufeffaccount,email,first_name,last_name,roles',
      `ada,${email},Ada,"Love,lace",agent supervisor`,
      `ADA,other.${word}@mail.test,Ada,,`,
      `bad name,bad.${word}@mail.test,Bad,,`,
      `eve,nowhere,Eve,,`,
      `nameless,nameless.${word}@mail.test,,,`,
      `king,king.${word}@mail.test,King,,emperor`,
      `${own.account},mine.${word}@mail.test,Mine,,`,
      `short,short.${word}@mail.test,Short`,
      ...many,
      '',
    ].join('\r\n');
    const { import: imports } = visitor;
    await visitor.agents.goto();
    await visitor.agents.import.click();
    await imports.check(file);
    await expect(imports.page.getByText(labels.company.import_checked)).toBeVisible();
    const { imports: words } = labels;
    const verdicts = [
      ['2', 'ada', words.good],
      ['3', 'ADA', words.doubled],
      ['4', 'bad name', words.bad_account],
      ['5', 'eve', words.bad_email],
      ['6', 'nameless', words.bad_person],
      ['7', 'king', words.bad_role],
      ['8', own.account, words.name_taken],
      ['9', 'short', words.bad_columns],
    ] as const;
    for (const [line, account, verdict] of verdicts) {
      const row = imports.lines.filter({ has: imports.page.getByRole('cell', { name: line, exact: true }) });
      await expect(row.getByRole('cell')).toHaveText([line, account, verdict]);
    }
    await visitor.agents.goto('?search=many');
    await expect(visitor.agents.rows, 'nothing was created yet').toHaveCount(0);
    await visitor.page.goBack();

    await expect(imports.lines.first().getByRole('cell').first(), 'what is wrong comes first').toHaveText('3');
    const problems = await imports.saveProblems();
    expect(problems).toContain('ADA,other.');
    expect(problems, 'a good line is not among them').not.toContain(email);
    await imports.start();
    const running = imports.page.getByText(labels.company.import_running);
    const done = imports.page.getByText(counted(labels.company, 'import_done', 31));
    await expect(running.or(done)).toBeVisible();
    if (await running.isVisible()) await expect(imports.page.getByRole('progressbar')).toBeVisible();
    await expect(done).toBeVisible({ timeout: 20_000 });
    await visitor.agents.goto('?search=many');
    await expect(visitor.agents.rows).toHaveCount(30);
    await visitor.agents.goto('?search=love');
    await expect(visitor.agents.row('ada')).toContainText('Ada Love,lace');
    await expect(visitor.agents.row('ada')).toContainText(labels.console.role_supervisor);
    const agent = await anotherVisitor();
    await agent.open(linkOf(await mail.next(email, labels.mail.activation_subject)));
    await agent.choosePassword.ready();

    await imports.goto();
    await imports.check(file);
    await expect(imports.fact(words.exists)).toHaveText('31');
    await expect(imports.sentence(labels.company.import_nothing)).toBeVisible();
  });

  test('of something else is refused in a clear sentence', async ({ visitor, createAccount, mail, labels }, testInfo) => {
    await visitor.signIn(await createAccount(admin), mail);
    const { import: imports } = visitor;
    const head = 'account,email,first_name\r\n';
    const large = testInfo.outputPath('large.csv');
    await writeFile(large, Buffer.alloc(20 * 1024 * 1024, head));
    await imports.goto();
    for (const { what, file, sentence } of [
      { what: 'Latin-1', file: Buffer.from(`${head}ada,a@mail.test,Ada\r\nbjorn,b@mail.test,Bj\u00f8rn\r\n`, 'latin1'), sentence: fill(labels.errors.file_not_text, { line: 3 }) },
      { what: 'a workbook', file: Buffer.from('504b030414000600', 'hex'), sentence: labels.errors.file_workbook },
      { what: 'no columns', file: 'Ada,Lovelace\r\n', sentence: labels.errors.file_columns },
      { what: 'a picture', file: Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), sentence: fill(labels.errors.file_not_text, { line: 1 }) },
      { what: 'nothing', file: '', sentence: labels.errors.file_empty },
      { what: '20 MB', file: { path: large }, sentence: fill(labels.errors.file_too_large, { most: 5 }) },
    ]) {
      const status = await imports.check(file);
      expect(status, what).toBeGreaterThanOrEqual(400);
      expect(status, what).toBeLessThan(500);
      await expect(imports.alert.getByRole('link', { name: sentence, exact: true }), what).toBeVisible();
      await expect(imports.file, what).toHaveAttribute('aria-invalid', 'true');
    }
  });
});

test('hostile names are text: in the list, the details, the audit log, mails and files', { tag: '@journey' }, async ({ visitor, createAccount, mail, labels }) => {
  await visitor.signIn(await createAccount(admin), mail);
  const { agentForm } = visitor;
  await agentForm.gotoNew();
  const account = `eve.${unique()}`;
  const email = `${account}@mail.test`;
  const firstName = '</script><img src=x onerror=alert(1)>';
  const lastName = '=HYPERLINK("http://evil.test","x")';
  const alias = '𝒜da 🦊 {{ name }} <a href="http://evil.test">x</a>';
  expect(await agentForm.add({ account, email, firstName: 'Eve\u202egnp', lastName, alias, phone: '@SUM(1)', title: '<!--' })).toBe(422);
  await expect(agentForm.firstName).toHaveAccessibleDescription(new RegExp(labels.errors.bad_characters.replaceAll('.', '\\.')));
  await expect(agentForm.alias).toHaveValue(alias);
  await agentForm.add({ firstName });
  await visitor.agentView.ready();
  await expect(visitor.agentView.heading).toHaveText(alias);
  await expect(visitor.agentView.fact(labels.profile.first_name)).toHaveText(firstName);
  await expect(visitor.agentView.fact(labels.profile.last_name)).toHaveText(lastName);
  await expect(visitor.agentView.fact(labels.profile.job_title)).toHaveText('<!--');

  await visitor.agents.goto();
  await expect(visitor.agents.row(account)).toContainText(alias);
  await visitor.agents.choose(account, labels.agents.view);
  await visitor.agentView.ready();
  await visitor.page.getByRole('main').getByRole('link', { name: labels.agents.edit, exact: true }).click();
  await expect(agentForm.alias).toHaveValue(alias);
  await expect(agentForm.firstName).toHaveValue(firstName);

  const letter = await mail.next(email, labels.mail.details_subject);
  expect(letter.html).not.toMatch(/<img src=x|<a href="http:\/\/evil|<script/i);
  expect(letter.html).toContain('&lt;/script&gt;&lt;img src=x');
  expect(letter.text).toContain(fill(labels.mail.greeting, { name: firstName }));

  await visitor.agents.goto();
  const { name, text } = await visitor.agents.save();
  expect(name).toMatch(/^agents-\d{4}-\d{2}-\d{2}\.csv$/);
  const line = text.split('\r\n').find((row) => row.startsWith(account)) ?? '';
  const cell = (value: string) => (/[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  expect(line).toContain([account, email, cell(firstName), cell(`'${lastName}`), cell(alias), "'@SUM(1)", '<!--'].join(','));
  await visitor.audit.goto();
  await expect(visitor.audit.rowsWith(labels.audit.account_created, account)).toHaveCount(1);
  // What was exported can be imported again, and is there already.
  await visitor.import.goto();
  await visitor.import.check(text);
  await expect(visitor.import.fact(labels.imports.exists)).toHaveText('2');
});
