// A running `kitward serve` behind a front, with a mailbox, for what the demo has not got.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { freePort, isReady, plainEnvironment } from "./demo.mjs";
import { startFront } from "./front.mjs";

const run = promisify(execFile);

// Takes every mail.
async function startMailbox() {
  const mails = [];
  const server = createServer((socket) => {
    const say = (line) => socket.write(`${line}\r\n`);
    let [text, inMail] = ["", false];
    const take = (end) => {
      const at = text.indexOf(end);
      if (at < 0) return undefined;
      const taken = text.slice(0, at);
      text = text.slice(at + end.length);
      return taken;
    };
    const answer = (line) => {
      const word = line.slice(0, 4).toUpperCase();
      inMail = word === "DATA";
      if (inMail) say("354 go on");
      else if (word === "QUIT") socket.end("221 bye\r\n");
      else say("250 localhost");
    };
    socket.setEncoding("utf8").on("error", () => {});
    socket.on("data", (chunk) => {
      text += chunk;
      for (;;) {
        const taken = take(inMail ? "\r\n.\r\n" : "\r\n");
        if (taken === undefined) return;
        if (!inMail) answer(taken);
        else {
          inMail = false;
          mails.push(taken);
          say("250 ok");
        }
      }
    });
    say("220 localhost");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: server.address().port, mails, stop: () => server.close() };
}

// What stands in a mail, without the soft ends of its lines.
const readable = (mail) =>
  mail
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, byte) => String.fromCharCode(Number.parseInt(byte, 16)));

// The stand-in for S3, behind a front of its own; `settings` are those of a server that uses it.
export async function startStorage() {
  const program = join(dirname(process.env.KITWARD_BIN), "s3-stand-in");
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const settings = {};
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "") break;
    const at = line.indexOf("=");
    settings[line.slice(0, at)] = line.slice(at + 1);
  }
  const front = await startFront(Number(new URL(settings.KITWARD_STORAGE_S3_ENDPOINT).port));
  settings.KITWARD_STORAGE_S3_ENDPOINT = `http://127.0.0.1:${front.port}`;
  const stop = async () => {
    child.stdin.end();
    await ended;
    await front.stop();
  };
  return { front, settings, stop };
}

// Starts it on an empty data folder; resolves when it is ready.
export async function startServer(changed = {}) {
  const folder = await mkdtemp(join(tmpdir(), "kitward-browser-"));
  const [port, mailbox] = [await freePort(), await startMailbox()];
  const front = await startFront(port);
  const origin = `http://localhost:${front.port}`;
  const env = {
    ...plainEnvironment(),
    KITWARD_DATA_DIR: folder,
    KITWARD_LISTEN: `127.0.0.1:${port}`,
    KITWARD_PUBLIC_URL: origin,
    KITWARD_MAIL_SMTP_URL: `smtp://127.0.0.1:${mailbox.port}`,
    KITWARD_MAIL_FROM: "licenses@example.com",
    KITWARD_LOG: "warn",
    ...changed,
  };
  const make = ["token", "create", "--scope", "admin", "--json"];
  const { stdout } = await run(process.env.KITWARD_BIN, make, { env });
  const { token } = JSON.parse(stdout);
  const child = spawn(process.env.KITWARD_BIN, ["serve"], { env, stdio: ["ignore", "inherit", "inherit"] });
  const ended = once(child, "exit");

  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(patience);
    mailbox.stop();
    await front.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const call = async (method, path, body) => {
    const isFile = Buffer.isBuffer(body);
    const answer = await fetch(`${origin}/v1/admin${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        "Content-Type": isFile ? "application/octet-stream" : "application/json",
      },
      body: isFile ? body : JSON.stringify(body ?? {}),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  // The first link in a mail that begins so.
  const mailedLink = async (path) => {
    const start = `${origin}${path}`;
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(100)) {
      const found = mailbox.mails.map(readable).find((mail) => mail.includes(start));
      if (found) return found.slice(found.indexOf(start)).match(/^[^\s"<]+/)[0];
    }
    throw new Error(`no mail with ${start}: ${mailbox.mails.join("\n")}`);
  };

  try {
    const end = Date.now() + 60_000;
    while (!(await isReady(origin))) {
      if (child.exitCode !== null) throw new Error(`kitward serve ended with ${child.exitCode}`);
      if (Date.now() > end) throw new Error("kitward serve was not ready within 60 s");
      await sleep(50);
    }
    return { origin, front, call, mailedLink, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
