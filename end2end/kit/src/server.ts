import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kit } from './client.js';

/** How long a server may take to answer its first request, in milliseconds. */
const startLimit = 20_000;
/** How long it may take to end after it was asked to, in milliseconds. */
const stopLimit = 10_000;

/** Settings of Vestibule, as variables of the environment; `undefined` takes one away. */
export type Settings = Record<string, string | undefined>;

/** How a private server is started. */
export interface ServerStart {
  /** The binary with the test kit. */
  binary: string;
  /** Settings that win over the usual ones. */
  settings?: (port: number) => Settings;
  /** Address of the database; unset = a file of SQLite that goes with the server. */
  database?: string;
  /** Called when it has stopped. */
  cleanUp?: () => Promise<void>;
}

/** A server with the test kit: somebody else's. */
export class Vestibule {
  readonly kit: Kit;

  /** `url`: its origin, without a slash at the end. */
  constructor(readonly url: string) {
    this.kit = new Kit(url);
  }

  /** Says goodbye: a server of somebody else's goes on. */
  async stop(): Promise<void> {}
}

/** A server with the test kit: own folder, own port, own database. */
export class Server extends Vestibule {
  private child: ChildProcess;

  private constructor(
    url: string,
    private readonly folder: string,
    private readonly begin: () => ChildProcess,
    private readonly output: string[],
    private readonly cleanUp: () => Promise<void>,
  ) {
    super(url);
    this.child = this.spawn();
  }

  /** Starts a server and waits until it is ready. */
  static async start({ binary, settings = () => ({}), database, cleanUp = async () => {} }: ServerStart): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'vestibule-kit-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const environment: NodeJS.ProcessEnv = {
      PATH: process.env['PATH'],
      VESTIBULE_LISTEN: `127.0.0.1:${port}`,
      VESTIBULE_PUBLIC_URL: url,
      VESTIBULE_DATABASE_URL: database ?? `sqlite://${join(folder, 'vestibule.db')}`,
      VESTIBULE_KEY_FILE: join(folder, 'vestibule.key'),
      VESTIBULE_MAIL_FROM: 'Vestibule <vestibule@example.test>',
      VESTIBULE_LOG: 'info',
      ...settings(port),
    };
    const begin = () => spawn(binary, ['serve'], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const server = new Server(url, folder, begin, [], cleanUp);
    try {
      await server.ready();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Everything it has logged so far. */
  get log(): string {
    return this.output.join('');
  }

  /** Kills it where it stands: nothing is finished, nothing is cleaned up. */
  async kill(): Promise<void> {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Starts it again on the same data after it was killed. */
  async startAgain(): Promise<void> {
    this.child = this.spawn();
    await this.ready();
  }

  private spawn(): ChildProcess {
    const child = this.begin();
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => this.output.push(text));
    child.on('error', (error) => this.output.push(`${error}\n`));
    return child;
  }

  /** Asks it to end, and cleans up. */
  override async stop(): Promise<void> {
    if (this.running) {
      const ended = new Promise((done) => this.child.once('exit', done));
      // As from a terminal: then it does not drain.
      this.child.kill('SIGINT');
      const late = setTimeout(() => this.child.kill('SIGKILL'), stopLimit);
      await ended;
      clearTimeout(late);
    }
    await this.cleanUp();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + startLimit;
    while (Date.now() < deadline) {
      if (!this.running) throw new Error(`the server ended while it started:\n${this.log}`);
      const response = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (response?.ok) return;
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`the server was not ready after ${startLimit} ms:\n${this.log}`);
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  const address = listener.address();
  await new Promise((done) => listener.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
