import { createHash, timingSafeEqual } from "node:crypto";
import { LunasError } from "@lunas/domain";
import type { FastifyPluginAsync } from "fastify";
import type { Hub, OperatedHub } from "../hub.ts";
import { COMMANDS } from "./commands.ts";

/** Whoever holds the newest master key is the operator. The token is derived from it, so the CLI needs neither another secret nor a database. */
export function operatorToken(hub: Pick<Hub, "vault">): string {
  return `op_${Buffer.from(hub.vault.operatorHmac("operator-token", "v1")).toString("base64url")}`;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** How the CLI speaks to a running hub instead of opening its database file. Not part of the public API. */
export function operatorRoutes(hub: OperatedHub): FastifyPluginAsync {
  const expected = digest(`Bearer ${operatorToken(hub)}`);
  return async (app) => {
    app.post<{ Params: { command: string } }>("/_operator/:command", { schema: { hide: true } }, async (request) => {
      if (!timingSafeEqual(digest(request.headers.authorization ?? ""), expected)) throw new LunasError("unauthorized");
      const name = request.params.command;
      // What every object has by itself, such as `constructor`, is no command.
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      if (!command) throw new LunasError("not_found", { detail: `There is no command ${name}.` });
      const parsed = command.input.safeParse(request.body ?? {});
      if (!parsed.success) {
        throw new LunasError("invalid_request", {
          errors: parsed.error.issues.map((issue) => ({ field: issue.path.join("."), message: issue.message })),
        });
      }
      return { result: await command.run(hub, parsed.data) };
    });
  };
}
