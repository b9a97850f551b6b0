import type { EmulatorRequest, EmulatorResponse } from "@lunas/domain";
import { charge } from "./charge.ts";
import type { Context } from "./context.ts";
import { coreError, json, merchantOf } from "./context.ts";
import type { Idempotency } from "./idempotency.ts";
import { qrImage } from "./images.ts";
import { close, review, status } from "./operations.ts";
import { refund } from "./refund.ts";
import { simulator } from "./simulator.ts";
import { cancelSnap, createSnap, snapUnauthorized } from "./snap.ts";
import { snapPage } from "./snap-page.ts";
import { snapScripts } from "./snap-scripts.ts";
import type { Merchant } from "./transaction.ts";

type Run = (context: Context, request: EmulatorRequest, merchant: Merchant, id: string) => EmulatorResponse;

interface Route {
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  readonly api: "core" | "snap";
  readonly run: Run;
}

/** Merchants' calls. Ids come un-encoded from most clients (midtrans.md §14): an id is what stands between the slashes. */
const ROUTES: readonly Route[] = [
  { method: "POST", api: "core", path: /^\/v2\/charge$/, run: charge },
  { method: "GET", api: "core", path: /^\/v2\/([^/]+)\/status$/, run: status },
  { method: "POST", api: "core", path: /^\/v2\/([^/]+)\/cancel$/, run: (context, _request, merchant, id) => close(context, merchant, id, "cancel") },
  { method: "POST", api: "core", path: /^\/v2\/([^/]+)\/expire$/, run: (context, _request, merchant, id) => close(context, merchant, id, "expire") },
  { method: "POST", api: "core", path: /^\/v2\/([^/]+)\/(?:approve|deny)$/, run: (context, _request, merchant, id) => review(context, merchant, id) },
  {
    method: "POST",
    api: "core",
    path: /^\/v2\/([^/]+)\/refund$/,
    run: (context, request, merchant, id) => refund(context, request, merchant, id, false),
  },
  {
    method: "POST",
    api: "core",
    path: /^\/v2\/([^/]+)\/refund\/online\/direct$/,
    run: (context, request, merchant, id) => refund(context, request, merchant, id, true),
  },
  { method: "POST", api: "snap", path: /^\/snap\/v1\/transactions$/, run: createSnap },
  { method: "POST", api: "snap", path: /^\/snap\/v1\/transactions\/([^/]+)\/cancel$/, run: cancelSnap },
];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function find(request: Pick<EmulatorRequest, "method" | "path">): { route: Route; id: string } | undefined {
  for (const route of ROUTES) {
    const match = route.method === request.method ? route.path.exec(request.path) : null;
    if (match) return { route, id: decoded(match[1] ?? "") };
  }
  return undefined;
}

export function isApi(request: Pick<EmulatorRequest, "method" | "path">): boolean {
  return find(request) !== undefined;
}

async function callApi(context: Context, idempotency: Idempotency, request: EmulatorRequest): Promise<EmulatorResponse | undefined> {
  const found = find(request);
  if (!found) return undefined;
  const { route, id } = found;
  const merchant = merchantOf(context, request);
  if (!merchant) return route.api === "snap" ? snapUnauthorized() : coreError(context, 401, context.switches.message_401);
  return idempotency.around(request, merchant, () => context.world.store.transaction(() => route.run(context, request, merchant, id)));
}

/** Pages, scripts and pictures for payers. */
const PAGES: readonly ((context: Context, request: EmulatorRequest) => EmulatorResponse | undefined)[] = [simulator, snapPage, snapScripts, qrImage];

/** Answers anything below `/midtrans`. */
export async function answer(context: Context, idempotency: Idempotency, request: EmulatorRequest): Promise<EmulatorResponse> {
  const called = await callApi(context, idempotency, request);
  if (called) return called;
  const shown = context.world.store.transaction(() => {
    for (const show of PAGES) {
      const response = show(context, request);
      if (response) return response;
    }
    return undefined;
  });
  return shown ?? json(404, { status_code: "404", status_message: "The requested resource is not found" });
}
