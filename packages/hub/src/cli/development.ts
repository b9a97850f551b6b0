import { type Command, InvalidArgumentError } from "commander";
import { DevelopmentHub } from "./development-hub.ts";
import { configOrExit } from "./exit-config.ts";
import { listen } from "./listen.ts";
import { print } from "./print.ts";
import { stopOnSignal } from "./stop-on-signal.ts";
import { trigger, TRIGGERS } from "./trigger.ts";

const COPIES_MAX = 20;

function copies(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > COPIES_MAX) throw new InvalidArgumentError(`a whole number from 1 to ${COPIES_MAX}.`);
  return count;
}

/** What a developer needs at hand: things that happen, and webhooks on this machine. */
export function addDevelopmentCommands(program: Command): void {
  program
    .command("trigger <event>")
    .description(`make something happen at the sandbox and wait until the hub knows: ${Object.keys(TRIGGERS).join(", ")}`)
    .option("--reference <reference>", "of the order that it happens to; by default a new one is made")
    .option("--late", "payment.paid: after the payment has expired")
    .option("--duplicate <count>", "payment.paid: its notification comes so many times", copies)
    .action(async (event: string, o: { reference?: string; late?: boolean; duplicate?: number }) =>
      print(await trigger(new DevelopmentHub(configOrExit()), event, { reference: o.reference, late: o.late, times: o.duplicate })),
    );
  program
    .command("listen")
    .description("show the development shop's events as they come, and pass them on to a handler on this machine")
    .option("--forward-to <url>", "where the handler is, such as http://127.0.0.1:3000/webhook")
    .option("--events <types>", "only these, separated by commas")
    .action(async (o: { forwardTo?: string; events?: string }) => {
      const listening = await listen(new DevelopmentHub(configOrExit()), {
        forwardTo: o.forwardTo,
        events: o.events?.split(",").map((type) => type.trim()),
        say: (line) => void process.stdout.write(`${line}\n`),
      });
      stopOnSignal(() => listening.stop());
    });
}
