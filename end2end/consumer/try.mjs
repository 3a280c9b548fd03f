// Uses the kit's package as somebody else does: in fresh folders elsewhere, in TypeScript and in Python.
// VESTIBULE_BINARY names the binary with the test kit.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const here = import.meta.dirname;
const binary = resolve(process.env.VESTIBULE_BINARY ?? join(here, '../../target/vestibule-test-kit'));
const folder = mkdtempSync(join(tmpdir(), 'vestibule-consumer-'));

function run(cwd, program, given, environment = {}) {
  execFileSync(program, given, { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...environment } });
}

const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: join(here, '../kit'), encoding: 'utf8' });
for (const language of ['typescript', 'python']) cpSync(join(here, language), join(folder, language), { recursive: true });

const typescript = join(folder, 'typescript');
const needed = ['@playwright/test@~1.65.1', 'openid-client@^6', join(folder, packed.trim())];
run(typescript, 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...needed]);
run(typescript, 'npx', ['playwright', 'test'], { VESTIBULE_BINARY: binary });

const python = join(folder, 'python');
run(python, 'python3', ['-m', 'venv', 'environment']);
run(python, 'environment/bin/python', ['-m', 'pip', 'install', '--quiet', 'requests>=2,<3']);
const { Server } = await import('../kit/dist/src/server.js');
const server = await Server.start({ binary });
try {
  run(python, 'environment/bin/python', ['-m', 'unittest'], { VESTIBULE_URL: server.url });
} finally {
  await server.stop();
}
// What is left of a failure is its traces.
rmSync(folder, { recursive: true });
