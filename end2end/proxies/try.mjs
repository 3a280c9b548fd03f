// Puts a small application behind nginx, Caddy, HAProxy and Apache, each with its snippet of this folder, and goes in as
// a visitor would. Needs the four proxies (Debian: nginx haproxy apache2 lua-socket caddy) and a binary of Vestibule:
//   node end2end/proxies/try.mjs target/debug/vestibule
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const binary = resolve(process.argv[2] ?? "target/debug/vestibule");
const folder = mkdtempSync(join(tmpdir(), "proxies-"));
const login = { host: "127.0.0.1", port: 3471 };
const application = { host: "127.0.0.1", port: 3472 };
const password = "violet harbour kettle";
const environment = {
  ...process.env,
  VESTIBULE_LISTEN: `${login.host}:${login.port}`,
  VESTIBULE_PUBLIC_URL: `http://${login.host}:${login.port}`,
  VESTIBULE_DATABASE_URL: `sqlite://${folder}/vestibule.db`,
  VESTIBULE_KEY_FILE: join(folder, "vestibule.key"),
  VESTIBULE_TRUSTED_PROXIES: "127.0.0.1",
  VESTIBULE_LOG: "warn",
};
const children = [];

function command(...words) {
  const done = spawnSync(binary, words, { env: environment, input: `${password}\n`, encoding: "utf8", cwd: folder });
  if (done.status !== 0) throw new Error(`${words.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

function start(program, ...words) {
  const child = spawn(program, words, { env: environment, stdio: ["ignore", "inherit", "inherit"], cwd: folder });
  children.push(child);
  return child;
}

async function listening({ host, port }) {
  for (let left = 300; left > 0; left -= 1) {
    const there = await new Promise((done) => {
      const socket = connect(port, host, () => done(true)).on("error", () => done(false));
      socket.on("connect", () => socket.end());
    });
    if (there) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`nothing listens on ${port}`);
}

/** A browser without scripts: follows redirects, and keeps the cookies of each host and port by themselves. */
class Browser {
  jars = new Map();

  async ask(address, { method = "GET", headers = {}, body } = {}) {
    const { origin, host } = new URL(address);
    const jar = this.jars.get(host) ?? new Map();
    this.jars.set(host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(address, {
      method,
      body,
      redirect: "manual",
      headers: { accept: "text/html", ...(cookie && { cookie }), ...(body && { origin }), ...headers },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }

  async follow(address) {
    for (let hops = 0; hops < 10; hops += 1) {
      const answer = await this.ask(address);
      if (answer.status < 300 || answer.status >= 400) return { answer, address };
      address = new URL(answer.headers.get("location"), address).href;
    }
    throw new Error(`round in a circle at ${address}`);
  }

  async signIn(account) {
    const body = new URLSearchParams({ company: "Acme", account, password });
    const answer = await this.ask(`http://${login.host}:${login.port}/login`, { method: "POST", body });
    if (answer.status !== 303) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`);
  }
}

function expect(what, found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}

/** Adds an application behind a proxy in the console; gives its client ID. */
async function add(admin, name, address) {
  const fields = { name, kind: "behind_proxy", launch_uri: address, redirect_uris: "", logout_uris: "" };
  const body = new URLSearchParams({ ...fields, back_channel_uri: "", "roles[]": "agent", signing: "ES256" });
  const answer = await admin.ask(`http://${login.host}:${login.port}/admin/applications/new`, { method: "POST", body });
  if (answer.status !== 303) throw new Error(`adding ${name}: ${answer.status} ${await answer.text()}`);
  return /applications\/([0-9a-f-]{36})/.exec(answer.headers.get("location"))[1];
}

function filled(file, values) {
  const text = readFileSync(join(here, file), "utf8");
  const whole = text.replace(/@([a-z]+)@/g, (_, name) => values[name]);
  const path = join(folder, file);
  writeFileSync(path, whole);
  return path;
}

async function visit(address) {
  const agent = new Browser();
  const page = `${address}calls?day=1`;
  // Nobody is let in, whatever they say of themselves.
  const forged = { "remote-user": "root", "x-forwarded-host": "evil.test", "x-original-url": "https://evil.test/" };
  for (const [name, value] of Object.entries(forged)) {
    const answer = await agent.ask(page, { headers: { [name]: value } });
    if (answer.status < 300) throw new Error(`${name} is let in`);
    const to = answer.headers.get("location");
    if (to && !to.startsWith(address)) throw new Error(`${name} leads to ${to}`);
  }
  const { address: at } = await agent.follow(page);
  expect("led to", new URL(at).pathname, "/login");
  await agent.signIn("alice");
  const entered = await agent.follow(page);
  expect("the application answers", entered.answer.status, 200);
  const seen = await entered.answer.json();
  expect("address", seen.url, "/calls?day=1");
  const { "remote-user": user, "remote-groups": groups, "remote-company": company, "remote-name": named } = seen.headers;
  expect("who", [user, groups, company, named], ["alice", "agent", "Acme", "alice"]);
  const claims = JSON.parse(Buffer.from(seen.headers["remote-assertion"].split(".")[1], "base64url"));
  expect("audience", claims.aud, new URL(address).host);
  // A form of somebody who is signed in arrives; forged headers of theirs do not.
  const posted = await agent.ask(page, { method: "POST", body: "a=1" });
  expect("form", [posted.status, (await posted.json()).method], [200, "POST"]);
  const again = await agent.ask(page, { headers: { "remote-user": "root" } });
  if (again.status < 300 && (await again.json()).headers["remote-user"] !== "alice") throw new Error("a forged user");
  // The end of the session is the end here, too.
  await agent.ask(`http://${login.host}:${login.port}/logout`, { method: "POST", body: new URLSearchParams() });
  const out = await agent.ask(page);
  if (out.status < 300) throw new Error("let in after the end of the session");
}

const proxies = [
  ["nginx", "nginx.conf", (file) => start("nginx", "-c", file, "-p", folder)],
  ["Caddy", "Caddyfile", (file) => start("caddy", "run", "--adapter", "caddyfile", "--config", file)],
  ["HAProxy", "haproxy.cfg", (file) => start("haproxy", "-f", file)],
  ["Apache", "apache.conf", (file) => start("apache2", "-DFOREGROUND", "-f", file)],
];

const behind = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
});

let failed = 0;
try {
  command("migrate");
  command("company", "create", "--name", "Acme", "--language", "en", "--time-zone", "UTC");
  for (const [account, role] of [["alice", "agent"], ["root", "admin"]]) {
    const who = ["--company", "Acme", "--account", account, "--email", `${account}@acme.test`, "--first-name", account];
    command("account", "create", ...who, "--role", role, "--second-factor", "none", "--password-stdin");
  }
  start(binary, "serve");
  behind.listen(application.port, application.host);
  await listening(login);
  const admin = new Browser();
  await admin.signIn("root");
  for (const [place, [name, file, run]] of proxies.entries()) {
    const port = application.port + 1 + place;
    const address = `http://127.0.0.1:${port}/`;
    const id = await add(admin, name, address);
    const values = {
      folder,
      here,
      id,
      port,
      host: "127.0.0.1",
      vestibule: `${login.host}:${login.port}`,
      application: `${application.host}:${application.port}`,
      modules: "/usr/lib/apache2/modules",
    };
    const child = run(filled(file, values));
    try {
      await listening({ host: "127.0.0.1", port });
      await visit(address);
      const doctor = command("doctor", "--behind", address);
      if (doctor.includes("Wrong:")) throw new Error(doctor);
      console.log(`${name}: good`);
    } catch (error) {
      failed += 1;
      console.log(`${name}: ${error.message}`);
    } finally {
      child.kill();
    }
  }
} finally {
  for (const child of children) child.kill();
  behind.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
