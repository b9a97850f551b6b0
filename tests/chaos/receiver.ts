import { createServer, type Server } from "node:http";
import type { Random } from "@lunas/domain";
import { Webhook } from "standardwebhooks";

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly sequence: number;
  readonly subject: { readonly type: string; readonly id: string };
  readonly body: string;
}

/** A shop's endpoint: checks every webhook with an independent library, answers some with an error, and remembers what it took. */
export class Receiver {
  readonly events: ReceivedEvent[] = [];
  readonly problems: string[] = [];
  #server: Server;
  failing_share = 0.1;

  constructor(secret: string, random: Random) {
    const webhook = new Webhook(secret);
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        if (random.float() < this.failing_share) return response.writeHead(500).end();
        try {
          const event = webhook.verify(body, request.headers as Record<string, string>) as Omit<ReceivedEvent, "body">;
          if (event.id !== request.headers["webhook-id"])
            this.problems.push(`event ${event.id} came under the webhook-id ${String(request.headers["webhook-id"])}`);
          this.events.push({ id: event.id, type: event.type, sequence: event.sequence, subject: event.subject, body });
        } catch (error) {
          this.problems.push(`a webhook that does not verify: ${String(error)}`);
        }
        response.writeHead(204).end();
      });
    });
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
