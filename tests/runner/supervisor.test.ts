import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Supervisor, type Service } from "../../scripts/lib/supervisor.ts";

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const SERVES = `require("node:http").createServer((request, response) => {
  if (request.url === "/die") { console.error("going down"); process.exit(7); }
  response.writeHead(request.url === "/ready" ? 200 : 404).end();
}).listen(Number(process.env.FAKE_PORT), "127.0.0.1");`;

async function fake(name: string, program: string): Promise<Service> {
  const port = await freePort();
  return {
    name,
    args: ["-e", program],
    env: { FAKE_PORT: String(port) },
    host: "127.0.0.1",
    port,
    port_variable: "FAKE_PORT",
    ready_paths: ["/missing", "/ready"],
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const started: Supervisor[] = [];
function supervisor(
  services: readonly Service[],
  over: { verbose?: boolean; write?: (text: string) => void; ready_within_ms?: number } = {},
): Supervisor {
  const made = new Supervisor(services, { cwd: ".", write: () => undefined, verbose: false, ready_within_ms: 15_000, ...over });
  started.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((one) => one.stop(0)));
});

describe("the starter", () => {
  test("is done when every service answers, and stops them all", async () => {
    const one = supervisor([await fake("one", SERVES), await fake("two", SERVES)]);
    expect(await one.start()).toBeUndefined();
    const { pids } = one;
    expect(pids.map(isAlive)).toEqual([true, true]);
    await one.stop(10_000);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  test("tells of a service that dies later, with its last lines", async () => {
    const service = await fake("one", SERVES);
    const one = supervisor([service]);
    expect(await one.start()).toBeUndefined();
    await fetch(`http://127.0.0.1:${service.port}/die`).catch(() => undefined);
    expect(await one.died).toEqual({ name: "one", how: "exit code 7", last_lines: ["going down"] });
  });

  test("tells of a service that dies before it is ready", async () => {
    const one = supervisor([await fake("good", SERVES), await fake("bad", "console.log('no database'); process.exit(3)")]);
    expect(await one.start()).toBe("bad ended by itself (exit code 3). Its last lines:\n  no database");
  });

  test("tells of a service that never becomes ready", async () => {
    const deaf = `require("node:http").createServer((request, response) => response.writeHead(503).end()).listen(Number(process.env.FAKE_PORT), "127.0.0.1");`;
    const one = supervisor([await fake("deaf", deaf)], { ready_within_ms: 300 });
    expect(await one.start()).toContain("deaf was not ready after 0.3 s");
  });

  test("names the port that is taken and the variable that moves it, and starts nothing", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const { port } = blocker.address() as AddressInfo;
    const one = supervisor([{ ...(await fake("hub", SERVES)), port, port_variable: "PORT" }]);
    expect(await one.start()).toBe(`Port ${port} is taken, and hub needs it. Stop what uses it, or choose another: PORT=${port + 100} npm start`);
    expect(one.pids).toEqual([]);
    blocker.close();
  });

  test("ends a service that does not stop when asked", async () => {
    const one = supervisor([await fake("stubborn", `process.on("SIGTERM", () => {}); ${SERVES}`)]);
    expect(await one.start()).toBeUndefined();
    const { pids } = one;
    await one.stop(50);
    expect(pids.map(isAlive)).toEqual([false]);
  });

  test("leaves no service behind when it is killed itself", async () => {
    const service = await fake("one", SERVES);
    const library = JSON.stringify(new URL("../../scripts/lib/supervisor.ts", import.meta.url).href);
    const program = `const { Supervisor } = await import(${library});
      const one = new Supervisor([${JSON.stringify(service)}], { cwd: ".", write() {}, verbose: false, ready_within_ms: 15000 });
      await one.start();
      console.log(one.pids[0]);`;
    const starter = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(starter.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    starter.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });

  test("shows warnings of the services under their names, and their chatter only when asked", async () => {
    const talks = `console.log('{"level":30,"msg":"listening"}'); console.log('{"level":40,"msg":"slow disk"}'); ${SERVES}`;
    const quiet: string[] = [];
    const one = supervisor([await fake("hub", talks)], { write: (text) => quiet.push(text) });
    expect(await one.start()).toBeUndefined();
    await expect.poll(() => quiet).toEqual(['hub | {"level":40,"msg":"slow disk"}\n']);
    const loud: string[] = [];
    const two = supervisor([await fake("hub", talks)], { write: (text) => loud.push(text), verbose: true });
    expect(await two.start()).toBeUndefined();
    await expect.poll(() => loud).toHaveLength(2);
  });
});
