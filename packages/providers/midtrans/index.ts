import type { Provider } from "@lunas/domain";
import { fields, isSandbox, parse, sandbox, type MidtransConfig } from "./config.ts";
import { gateway } from "./gateway.ts";
import { budget, capabilities } from "./methods.ts";
import { callbacks } from "./notification.ts";

export { addresses, SANDBOX_CLIENT_KEY, SANDBOX_SERVER_KEY, type MidtransConfig } from "./config.ts";
export { sign, verify } from "./signature.ts";
export { SNAP_TOKEN_HANDLE } from "./snap.ts";

/** Midtrans: a gateway (midtrans.md). Core API for wallets, QRIS and bank transfer, Snap for its hosted page. */
export const midtrans: Provider<MidtransConfig> = {
  name: "midtrans",
  label: "Midtrans",
  roles: ["gateway"],
  config: { fields, parse, sandbox, isSandbox },
  budget,
  capabilities,
  gateway,
  callbacks,
  emulator: async () => (await import("./emulator/index.ts")).midtransEmulator,
};
