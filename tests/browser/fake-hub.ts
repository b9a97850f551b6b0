import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { encode } from "uqr";
import { order, stateWith, TOKEN, type FakeState } from "./fake-state.ts";

/** The policy under which the hub serves the page. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html" };

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A scripted hub: it serves the built page as the real one does and says what the test tells it to. */
export class FakeHub {
  state: FakeState = stateWith({ order: order() });
  /** What opening and refreshing answer; the state by default. */
  open: (method: string) => Reply | Promise<Reply> = () => ({ status: 201, body: this.state });
  refresh: () => Reply = () => ({ status: 200, body: this.state });
  /** `refused`: the stream answers 503. */
  stream: "up" | "refused" = "up";
  /** Connections are cut. */
  down = false;
  qr: "fine" | "broken" = "fine";
  /** Every request below /pay, such as `POST /payments`. */
  readonly requests: string[] = [];
  readonly #streams = new Set<ServerResponse>();
  readonly #server: Server;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/pay/${TOKEN}`;
  }

  /** Changes the state and tells every open stream. */
  push(state: FakeState): void {
    this.state = { ...state, server_time: new Date(Date.now() + state.skew_ms).toISOString() };
    for (const stream of this.#streams) stream.write(`event: state\ndata: ${JSON.stringify(this.state)}\n\n`);
  }

  /** Cuts every connection and takes no other until `comeBack`. */
  goDown(): void {
    this.down = true;
    this.#server.closeAllConnections();
  }

  comeBack(): void {
    this.down = false;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://hub").pathname;
    if (this.down) return void request.socket.destroy();
    if (path.startsWith("/checkout-assets/")) return this.#file(response, path.slice("/checkout-assets/".length));
    if (path === `/pay/${TOKEN}`) return this.#file(response, "index.html");
    if (!path.startsWith(`/pay/${TOKEN}/`)) {
      return path.startsWith("/pay/") && extname(path) === "" && !path.endsWith("/state") && !path.endsWith("/events")
        ? this.#file(response, "index.html")
        : send(response, { status: 404, body: { code: "not_found" } });
    }
    const rest = path.slice(`/pay/${TOKEN}`.length);
    this.requests.push(`${request.method} ${rest}`);
    if (rest === "/state") return send(response, { status: 200, body: this.#now() });
    if (rest === "/events") return this.#events(response);
    if (rest.endsWith("/qr.png")) return this.#image(response);
    if (rest === "/refresh") return send(response, this.refresh());
    const { method } = JSON.parse(await text(request)) as { method: string };
    return send(response, await this.open(method));
  }

  #now(): FakeState {
    this.state = { ...this.state, server_time: new Date(Date.now() + this.state.skew_ms).toISOString() };
    return this.state;
  }

  #events(response: ServerResponse): void {
    if (this.stream === "refused") return send(response, { status: 503, body: { code: "unavailable" } });
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).write(": hello\n\n");
    this.#streams.add(response);
    response.once("close", () => this.#streams.delete(response));
  }

  #image(response: ServerResponse): void {
    if (this.qr === "broken") return send(response, { status: 502, body: { code: "gateway_unclear" } });
    response.writeHead(200, { "content-type": "image/png" }).end(qrPng("00020101021226610014COM.GO-JEK.WWW0118936009140000000001"));
  }

  #file(response: ServerResponse, name: string): void {
    try {
      const bytes = readFileSync(join(this.#folder, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream", "content-security-policy": POLICY }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json" }).end(JSON.stringify(body));
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** A QR code as an 8-bit gray PNG, 8 pixels a module. */
function qrPng(content: string): Buffer {
  const { data, size } = encode(content, { border: 1 });
  const side = size * 8;
  const rows = Array.from({ length: side }, (_, y) =>
    Buffer.from([0, ...Array.from({ length: side }, (__, x) => (data[Math.floor(y / 8)]?.[Math.floor(x / 8)] ? 0 : 255))]),
  );
  const chunk = (type: string, body: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(type), body]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, check]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head[8] = 8;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
