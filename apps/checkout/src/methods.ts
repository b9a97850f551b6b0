import type { Method, MethodKind, State } from "./contract.ts";
import type { Language } from "./language.ts";

const ORDER_OF_KINDS: readonly MethodKind[] = ["ewallet", "qris", "virtual_account", "hosted"];

export interface Group {
  readonly kind: MethodKind;
  readonly methods: readonly Method[];
}

/** Methods by kind. Where two accounts offer the same one the first is taken: to the buyer they are the same. */
export function groupMethods(methods: readonly Method[]): Group[] {
  const first = methods.filter((one, index) => methods.findIndex((other) => other.method === one.method) === index);
  return ORDER_OF_KINDS.map((kind) => ({ kind, methods: first.filter((one) => one.kind === kind) })).filter((group) => group.methods.length > 0);
}

/** What to call a method; one that the shop no longer offers keeps its plain name. */
export function methodName(state: State, method: string, language: Language): string {
  const known = state.methods.find((one) => one.method === method);
  return known?.label[language] ?? PLAIN[method] ?? method.replaceAll("_", " ");
}

const PLAIN: Readonly<Record<string, string>> = {
  gopay: "GoPay",
  qris: "QRIS",
  bca_va: "BCA Virtual Account",
  bni_va: "BNI Virtual Account",
  bri_va: "BRI Virtual Account",
  permata_va: "Permata Virtual Account",
};

const BANKS: Readonly<Record<string, string>> = { permata: "Permata", mandiri: "Mandiri", danamon: "Danamon", seabank: "SeaBank", saqu: "Saqu" };

/** `bca` -> `BCA`, `permata` -> `Permata`. */
export function bankName(bank: string): string {
  return BANKS[bank.toLowerCase()] ?? bank.toUpperCase();
}

/** The letters on a method's badge. */
export function markOf(method: string): string {
  if (method === "gopay") return "GoPay";
  if (method === "qris") return "QRIS";
  return method.endsWith("_va") ? bankName(method.slice(0, -3)) : "• • •";
}
