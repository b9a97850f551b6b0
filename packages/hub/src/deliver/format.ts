import { signStandard } from "./signature.ts";

export interface Outgoing {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How an event is put on the wire. */
export interface Format {
  build(event: { readonly id: string; readonly body: string }, secrets: readonly string[], wall_ms: number): Outgoing;
}

const standard: Format = {
  build: (event, secrets, wall_ms) => {
    const body = Buffer.from(event.body);
    const timestamp_s = Math.floor(wall_ms / 1000);
    return {
      headers: {
        "content-type": "application/json",
        "user-agent": "Lunas",
        "webhook-id": event.id,
        "webhook-timestamp": String(timestamp_s),
        "webhook-signature": signStandard(event.id, timestamp_s, body, secrets),
      },
      body,
    };
  },
};

/** Formats by name. Another one is a line here. */
export const FORMATS: Readonly<Record<string, Format>> = { standard };
