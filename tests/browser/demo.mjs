// A running `kitward demo`, and what it printed.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export const isReady = (origin) =>
  fetch(`${origin}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );

// Ours, without settings: the server refuses those it does not know.
export const plainEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("KITWARD_")));

// The printed commands, as printed; a trailing backslash continues one.
function curlLines(lines) {
  const commands = [];
  let open;
  for (const line of lines) {
    if (open === undefined && !line.trimStart().startsWith("curl ")) continue;
    open = open === undefined ? line : `${open}\n${line}`;
    if (line.endsWith("\\")) continue;
    commands.push(open);
    open = undefined;
  }
  return commands;
}

// Starts it on a free port; resolves when it is ready and has been silent for a second.
export async function startDemo() {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const child = spawn(process.env.KITWARD_BIN, ["demo", "--port", String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: plainEnvironment(),
  });
  const ended = once(child, "exit");
  const lines = [];
  let lastLine = Date.now();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    lastLine = Date.now();
  });

  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(patience);
  };
  const value = (label) => {
    const line = lines.find((text) => text.trim().startsWith(`${label}:`));
    if (!line) throw new Error(`kitward demo printed no line '${label}: …'`);
    return line
      .trim()
      .slice(label.length + 1)
      .trim();
  };
  const activate = async () => {
    const command = curlLines(lines).find((text) => text.includes("/v1/licenses/activate"));
    if (!command) throw new Error("kitward demo printed no curl line that activates");
    const { stdout } = await run("bash", ["-c", command], { timeout: 30_000 });
    return JSON.parse(stdout);
  };

  try {
    const end = Date.now() + 60_000;
    while (!(await isReady(origin)) || lines.length === 0 || Date.now() - lastLine < 1000) {
      if (child.exitCode !== null) throw new Error(`kitward demo ended with ${child.exitCode}`);
      if (Date.now() > end) throw new Error("kitward demo was not ready within 60 s");
      await sleep(50);
    }
    return { origin, link: value("Portal"), key: value("License key"), activate, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
