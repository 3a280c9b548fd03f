// Programs that a test starts: each listens within a bound or says what it printed, and all end with the test.
import { spawn } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const startLimit = 60_000;
const stopLimit = 10_000;

/** A folder that is gone when the test is. Servers that leave root behind may enter it, but not list it. */
export const folder = mkdtempSync(join(tmpdir(), "vestibule-beside-"));
chmodSync(folder, 0o711);

const running = new Set();

process.on("exit", () => {
  for (const { child } of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((done, failed) => server.on("error", failed).listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a program that listens on this port of the loopback, and waits for it. */
export async function start(program, words, { port, env = process.env }) {
  const path = join(folder, `${port}.log`);
  const log = openSync(path, "w");
  // Debian's servers lie where only root looks.
  const PATH = `${env.PATH}:/usr/sbin:/sbin`;
  const child = spawn(program, words, { env: { ...env, PATH }, stdio: ["ignore", log, log], cwd: folder });
  closeSync(log);
  let ended;
  const gone = new Promise((done) => {
    child.on("error", (error) => done((ended = error.message)));
    child.on("exit", (code, signal) => done((ended = `ended with ${signal ?? code}`)));
  });
  const one = { child, gone, printed: () => readFileSync(path, "utf8").trim().split("\n").slice(-40).join("\n") };
  running.add(one);
  for (const begun = Date.now(); !(await listens(port)); await sleep(50)) {
    if (ended) throw new Error(`${program} ${ended}: ${one.printed()}`);
    if (Date.now() - begun > startLimit) throw new Error(`${program} does not listen: ${one.printed()}`);
  }
  return one;
}

const listens = (port) =>
  new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      done(true);
    }).on("error", () => done(false));
  });

/** Stops a program that was started, politely at first. */
export async function stop(one) {
  one.child.kill();
  const slow = Symbol("slow");
  if ((await Promise.race([one.gone, sleep(stopLimit, slow, { ref: false })])) === slow) one.child.kill("SIGKILL");
  await one.gone;
  running.delete(one);
}

export async function stopAll() {
  for (const one of [...running]) await stop(one);
}
