// Puts a small application behind nginx, Caddy, HAProxy and Apache, each with the lines that the README gives for it, with
// and without TLS, and goes in as a visitor would. Needs openssl, the four proxies (Debian: nginx haproxy apache2-bin
// lua-socket caddy) and a binary of Vestibule:
//   node end2end/proxies/try.mjs target/debug/vestibule
// VESTIBULE_DATABASE_URL and VESTIBULE_KEY_FILE name another database than a new one of SQLite.
import { execFile, spawnSync } from "node:child_process";
import { createHash, createPublicKey, verify } from "node:crypto";
import { appendFileSync, chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { get as getWithTls } from "node:https";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { folder, freePort, start, stop, stopAll } from "./programs.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const readme = readFileSync(join(here, "../../README.md"), "utf8");
const binary = resolve(process.argv[2] ?? "target/debug/vestibule");
const login = `127.0.0.1:${await freePort()}`;
const company = `Acme ${crypto.randomUUID()}`;
const password = "violet harbour kettle";
/** How long anybody may take to answer. */
const patience = 30_000;
const environment = {
  ...process.env,
  VESTIBULE_LISTEN: login,
  VESTIBULE_PUBLIC_URL: `http://${login}`,
  VESTIBULE_DATABASE_URL: process.env.VESTIBULE_DATABASE_URL ?? `sqlite://${folder}/vestibule.db`,
  VESTIBULE_KEY_FILE: process.env.VESTIBULE_KEY_FILE ?? join(folder, "vestibule.key"),
  VESTIBULE_TRUSTED_PROXIES: "127.0.0.1",
  VESTIBULE_LOG: "warn",
  // Caddy keeps what it was told last.
  XDG_CONFIG_HOME: folder,
  XDG_DATA_HOME: folder,
};

function command(...words) {
  const options = { env: environment, input: `${password}\n`, encoding: "utf8", cwd: folder, timeout: 2 * patience };
  const done = spawnSync(binary, words, options);
  if (done.status !== 0) throw new Error(`${words.join(" ")}: ${done.error ?? ""} ${done.stdout} ${done.stderr}`);
  return done.stdout;
}

function version(program, ...words) {
  const done = spawnSync(program, words, { encoding: "utf8", env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  if (done.error) throw new Error(`${program} is not there: ${done.error.message}`);
  return /v?(\d+\.\d+[.\d]*)/.exec(done.stdout + done.stderr)[1];
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
      signal: AbortSignal.timeout(patience),
      headers: { accept: "text/html", ...(cookie && { cookie }), ...(body && { origin }), ...headers },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }

  /** Opens a WebSocket; gives the status of the answer and whom the application took the visitor for. */
  handshake(address) {
    const { host, protocol } = new URL(address);
    const cookie = [...(this.jars.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
    const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": btoa("sixteen bytes it") };
    const headers = { ...upgrade, ...(cookie && { cookie }) };
    return new Promise((done, failed) => {
      (protocol === "https:" ? getWithTls : get)(address, { agent: false, headers, timeout: patience })
        .on("upgrade", (answer, socket) => {
          socket.destroy();
          done([answer.statusCode, answer.headers["x-user"]]);
        })
        .on("response", (answer) => {
          answer.destroy();
          done([answer.statusCode]);
        })
        .on("timeout", () => failed(new Error("no answer to a handshake")))
        .on("error", failed);
    });
  }

  /** Has a cookie of its own at the application. */
  keep(address, name, value) {
    const { host } = new URL(address);
    const jar = this.jars.get(host) ?? new Map();
    // Ours stand between others.
    this.jars.set(host, new Map([[name, value], ...jar, [`not-${name}`, value]]));
  }

  async follow(address) {
    for (let hops = 0; hops < 10; hops += 1) {
      const answer = await this.ask(address);
      if (answer.status < 300 || answer.status >= 400) return { answer, address };
      address = new URL(answer.headers.get("location"), address).href;
    }
    throw new Error(`round in a circle at ${address}`);
  }

  /** Signs in; gives where that leads. */
  async signIn(account, next = "") {
    const body = new URLSearchParams({ company, account, password, next });
    const answer = await this.ask(`http://${login}/login`, { method: "POST", body });
    if (answer.status !== 303) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`);
    return new URL(answer.headers.get("location"), `http://${login}`).href;
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
  const answer = await admin.ask(`http://${login}/admin/applications/new`, { method: "POST", body });
  if (answer.status !== 303) throw new Error(`adding ${name}: ${answer.status} ${await answer.text()}`);
  return /applications\/([0-9a-f-]{36})/.exec(answer.headers.get("location"))[1];
}

/** What the applications show of themselves with TLS, for those who know it already. */
const certificate = join(folder, "wallboard.pem");

function certify() {
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
  const key = join(folder, "key.pem");
  const options = { encoding: "utf8", timeout: patience };
  const done = spawnSync("openssl", [...words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], options);
  if (done.status !== 0) throw new Error(`openssl: ${done.error ?? done.stderr}`);
  appendFileSync(certificate, readFileSync(key));
  // Caddy may have given up being root.
  chmodSync(certificate, 0o644);
  // One that nobody has signed: it is not what is tried here.
  process.removeAllListeners("warning");
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
}

/** The lines of the README for a proxy, on our ports. */
function lines(language, { id, port, scheme, vestibule = login }) {
  const application = `127.0.0.1:${behind.address().port}`;
  const tls = scheme === "https";
  const block = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme);
  if (!block) throw new Error(`the README has no lines for ${language}`);
  return block[1]
    .replaceAll("127.0.0.1:3000", vestibule)
    .replaceAll("127.0.0.1:8080", application)
    .replaceAll("CLIENT_ID", id)
    .replace("wallboard.example.com {", `${scheme}://127.0.0.1:${port} {${tls ? `\n\ttls ${certificate} ${certificate}` : ""}`)
    .replace(":443 ssl crt /etc/haproxy/wallboard.pem", `127.0.0.1:${port}${tls ? ` ssl crt ${certificate}` : ""}`);
}

/** Writes the configuration of a proxy; gives its path. */
function configured(file, language, values) {
  // Apache stops being root before it reads its script, and may not enter every folder then.
  for (const script of ["haproxy.lua", "apache.lua"]) {
    copyFileSync(join(here, script), join(folder, script));
    chmodSync(join(folder, script), 0o644);
  }
  const tls = values.scheme === "https";
  const all = { ...values, ssl: tls ? " ssl" : "", folder, certificate, modules: "/usr/lib/apache2/modules", readme: lines(language, values) };
  const text = readFileSync(join(here, file), "utf8")
    // What follows @tls@ on its line is there with TLS only.
    .replace(/@tls@(.*)/g, tls ? "$1" : "")
    .replace(/@([a-z]+)@/g, (word, name) => all[name] ?? word)
    .replace(/\/etc\/(apache2|haproxy)\/vestibule\.lua/, (_, name) => join(folder, `${name.replace("2", "")}.lua`));
  const path = join(folder, file);
  writeFileSync(path, text);
  return path;
}

/** What an assertion says, after its signature was found to be one of the published keys. */
async function verified(agent, assertion) {
  const [header, claims, signature] = assertion.split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  const { keys } = await (await agent.ask(`http://${login}/oauth/jwks`)).json();
  const key = createPublicKey({ key: keys.find(({ kid }) => kid === read(header).kid), format: "jwk" });
  const signed = Buffer.from(`${header}.${claims}`);
  const good = verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  expect("signature", [read(header).alg, good], ["ES256", true]);
  return read(claims);
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
  const entered = await agent.follow(await agent.signIn("alice", new URL(at).searchParams.get("next")));
  expect("the application answers", entered.answer.status, 200);
  const seen = await entered.answer.json();
  expect("address", seen.url, "/calls?day=1");
  const { "remote-user": user, "remote-groups": groups, "remote-company": of, "remote-name": named } = seen.headers;
  const read = Buffer.from(named, "latin1").toString();
  expect("who", [user, groups, of, read], ["alice", "agent", company, "Zoë 佐藤"]);
  const claims = await verified(agent, seen.headers["remote-assertion"]);
  expect("audience", [claims.iss, claims.aud], [`http://${login}`, new URL(address).host]);
  // Of the cookies the application gets its own, and not ours.
  const cookies = ({ cookie = "" }) => cookie.split(/; */).filter((pair) => pair && !/^(__Host-)?vestibule-state=/.test(pair));
  expect("cookies", cookies(seen.headers), []);
  agent.keep(address, "shift", "early");
  const { headers: others } = await (await agent.ask(page)).json();
  expect("its own cookies", cookies(others), ["shift=early", "not-shift=early"]);
  expect("WebSocket", await agent.handshake(page), [101, "alice"]);
  expect("WebSocket of nobody", await new Browser().handshake(page), [401]);
  // A form of somebody who is signed in arrives; forged headers of theirs do not.
  const posted = await agent.ask(page, { method: "POST", body: "a=1" });
  expect("form", [posted.status, (await posted.json()).method], [200, "POST"]);
  const again = await agent.ask(page, { headers: { "remote-user": "root" } });
  if (again.status < 300 && (await again.json()).headers["remote-user"] !== "alice") throw new Error("a forged user");
  // The end of the session is the end here, too.
  await agent.ask(`http://${login}/logout`, { method: "POST", body: new URLSearchParams() });
  const out = await agent.ask(page);
  if (out.status < 300) throw new Error("let in after the end of the session");
}

const proxies = [
  {
    name: "nginx",
    program: "nginx",
    shows: "-v",
    language: "nginx",
    file: "nginx.conf",
    words: (file) => ["-c", file, "-p", folder],
  },
  {
    name: "Caddy",
    program: "caddy",
    shows: "version",
    language: "caddyfile",
    file: "Caddyfile",
    words: (file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
  {
    name: "HAProxy",
    program: "haproxy",
    shows: "-v",
    language: "haproxy",
    file: "haproxy.cfg",
    words: (file) => ["-db", "-f", file],
  },
  {
    name: "Apache",
    program: "apache2",
    shows: "-v",
    language: "apache",
    file: "apache.conf",
    words: (file) => ["-DFOREGROUND", "-f", file],
  },
];

const behind = createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
});

behind.on("upgrade", (request, socket) => {
  const accepted = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accepted}`];
  socket.on("error", () => socket.destroy());
  socket.write([...lines, `X-User: ${request.headers["remote-user"]}`, "", ""].join("\r\n"));
});

/** Starts a proxy with these values in its lines, acts, and stops it. */
async function putBefore({ program, language, file, words }, values, act) {
  const proxy = await start(program, words(configured(file, language, values)), { port: values.port, env: environment });
  try {
    await act();
  } catch (error) {
    throw new Error(`${error.message}\n${proxy.printed()}`, { cause: error });
  } finally {
    await stop(proxy);
  }
}

/** Whether the doctor finds something wrong there; meanwhile the application can answer. */
const doctorFinds = (address) =>
  new Promise((done, failed) => {
    const doctor = execFile(binary, ["doctor", "--behind", address], { env: environment, timeout: 2 * patience }, (_, said) =>
      done(said.includes("Wrong:")),
    );
    doctor.on("error", failed);
  });

async function tryOut(admin, proxy, scheme) {
  const port = await freePort();
  const address = `${scheme}://127.0.0.1:${port}/`;
  const id = await add(admin, `${proxy.name} ${scheme}`, address);
  await putBefore(proxy, { id, port, scheme }, async () => {
    await visit(address);
    // It believes no certificate that nobody has signed.
    const doctor = scheme === "http" ? command("doctor", "--behind", address) : "";
    if (doctor.includes("Wrong:")) throw new Error(doctor);
  });
}

/** With no Vestibule to ask, nobody is let in. */
async function tryAlone(proxy) {
  const [port, nobody] = [await freePort(), await freePort()];
  await putBefore(proxy, { id: crypto.randomUUID(), port, scheme: "http", vestibule: `127.0.0.1:${nobody}` }, async () => {
    const answer = await new Browser().ask(`http://127.0.0.1:${port}/`);
    if (answer.status < 500) throw new Error(`answered ${answer.status} without Vestibule`);
  });
}

try {
  command("migrate");
  command("company", "create", "--name", company, "--language", "en", "--time-zone", "UTC");
  for (const [account, role, name] of [["alice", "agent", "Zoë 佐藤"], ["root", "admin", "Rita"]]) {
    const who = ["--company", company, "--account", account, "--email", `${account}@acme.test`, "--first-name", name];
    command("account", "create", ...who, "--role", role, "--second-factor", "none", "--password-stdin");
  }
  await start(binary, ["serve"], { port: new URL(`http://${login}`).port, env: environment });
  await new Promise((done, failed) => behind.on("error", failed).listen(0, "127.0.0.1", done));
  const admin = new Browser();
  await admin.signIn("root");
  certify();
  const open = `http://127.0.0.1:${behind.address().port}/`;
  expect("the doctor at an application that nobody protects", await doctorFinds(open), true);
  for (const proxy of proxies) {
    try {
      const found = version(proxy.program, proxy.shows);
      for (const scheme of ["http", "https"]) await tryOut(admin, proxy, scheme);
      await tryAlone(proxy);
      console.log(`${proxy.name} ${found}: good`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`${proxy.name}: ${error.message}`);
    }
  }
} finally {
  behind.closeAllConnections();
  behind.close();
  await stopAll();
}
