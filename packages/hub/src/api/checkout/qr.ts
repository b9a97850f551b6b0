import { LunasError } from "@lunas/domain";
import type { OrderBundle } from "../../collect/rows.ts";
import type { Hub } from "../../hub.ts";

const TIMEOUT_MS = 5_000;
const IMAGE_BYTES_MAX = 512 * 1024;
const KEPT_MS = 60_000;
const KEPT_IMAGES_MAX = 100;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** QR images of gateways, fetched by the hub: the gateway does not see the buyer, and the page needs no other origin. */
export class QrImages {
  #hub: Pick<Hub, "http" | "clocks" | "log">;
  /** The oldest first. */
  #kept = new Map<string, { readonly image: Uint8Array; readonly read_at: number }>();

  constructor(hub: Pick<Hub, "http" | "clocks" | "log">) {
    this.#hub = hub;
  }

  /** @throws LunasError not_found, gateway_unclear */
  async read(bundle: OrderBundle, payment_id: string): Promise<Uint8Array> {
    const payment = bundle.payments.find((one) => one.id === payment_id);
    const action = payment?.actions.find((one) => one.type === "qr");
    if (!action) throw new LunasError("not_found");
    const now = this.#hub.clocks.wall.now();
    const known = this.#kept.get(action.image_url);
    if (known && now - known.read_at < KEPT_MS) return known.image;
    this.#kept.delete(action.image_url);
    const image = await this.#fetch(action.image_url);
    if (this.#kept.size >= KEPT_IMAGES_MAX) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(action.image_url, { image, read_at: now });
    return image;
  }

  async #fetch(url: string): Promise<Uint8Array> {
    const result = await this.#hub.http({ method: "GET", url, headers: { accept: "image/png" }, timeout_ms: TIMEOUT_MS, max_bytes: IMAGE_BYTES_MAX });
    const image = result.ok && result.status === 200 ? Buffer.from(result.body) : undefined;
    // Whatever the gateway calls it: only what is a PNG is served as one.
    if (image?.subarray(0, PNG.length).equals(PNG)) return image;
    this.#hub.log.warn({ fault: result.ok ? `status ${result.status}, no PNG` : result.fault }, "a QR image could not be fetched");
    throw new LunasError("gateway_unclear", { detail: "The gateway did not give the QR image. Try again." });
  }
}
