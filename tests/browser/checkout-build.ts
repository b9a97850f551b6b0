import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, TOOLS } from "../../scripts/lib/paths.ts";
import { runNode } from "../../scripts/lib/run.ts";

export interface CheckoutBuild {
  /** What the hub serves below /checkout-assets/. */
  readonly folder: string;
  remove(): void;
}

/** Builds the hosted payment page from its sources into a folder of its own. Throws with the tool's words when that fails. */
export async function buildCheckout(): Promise<CheckoutBuild> {
  const folder = mkdtempSync(join(tmpdir(), "lunas-checkout-"));
  const { code, text } = await runNode([TOOLS.vite, "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"], {
    cwd: join(ROOT, "apps/checkout"),
    output: "kept",
    // The test runner's own NODE_ENV would put React's development build into it.
    env: { NODE_ENV: "production" },
  });
  if (code !== 0) throw new Error(`the checkout does not build:\n${text.trim()}`);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
