import type { DeliveryStatus } from "@lunas/domain";
import type { DeliveryRow } from "../deliver/claim.ts";
import { deliveryStatus, inStatus } from "../deliver/status.ts";
import type { Db } from "../store/index.ts";

/** As they are stored: nobody walks over what is due to find what of it is under way, where both are wanted. */
const STORED = (["due", "delivered", "exhausted", "paused"] as const).map(
  (status): ReturnType<typeof inStatus> =>
    (eb) =>
      eb("status", "=", status),
);

export interface DeliveryWish {
  readonly shop_id: string;
  readonly rows: number;
  /** Id of the last one of the page before. */
  readonly after: string | undefined;
  readonly endpoint_id: string | undefined;
  readonly status: DeliveryStatus | undefined;
  readonly event_id: string | undefined;
  /** Business time. */
  readonly now: number;
}

/** The newest deliveries that fit, without walking over those that do not: an endpoint may have millions, and the exhausted ones be old. */
export async function newestDeliveries(db: Db, wish: DeliveryWish): Promise<DeliveryRow[]> {
  const { shop_id, rows, endpoint_id, status, event_id, now } = wish;
  if (event_id !== undefined) return ofEvent(db, wish, event_id);
  const found: string[] = [];
  for (const endpoint of await endpointsOf(db, shop_id, endpoint_id))
    for (const one of status === undefined ? STORED : [inStatus(status, now)]) found.push(...(await ofLane(db, wish, endpoint, one)));
  // Only of those that are shown the whole row, which holds the answer to the first attempt.
  const newest = found.sort().slice(-rows);
  return newest.length === 0 ? [] : db.selectFrom("deliveries").selectAll().where("id", "in", newest).orderBy("id", "desc").execute();
}

/** Their ids. One index holds the deliveries of an endpoint and a status in the order of their ids. */
async function ofLane(db: Db, { rows, after }: DeliveryWish, endpoint_id: string, fits: ReturnType<typeof inStatus>): Promise<string[]> {
  let query = db.selectFrom("deliveries").select("id").where("endpoint_id", "=", endpoint_id).where(fits).orderBy("id", "desc").limit(rows);
  if (after !== undefined) query = query.where("id", "<", after);
  return (await query.execute()).map((row) => row.id);
}

/** One for each endpoint at most. */
async function ofEvent(db: Db, wish: DeliveryWish, event_id: string): Promise<DeliveryRow[]> {
  const all = await db.selectFrom("deliveries").selectAll().where("event_id", "=", event_id).execute();
  const fitting = all.filter(
    (row) =>
      row.shop_id === wish.shop_id &&
      (wish.endpoint_id === undefined || row.endpoint_id === wish.endpoint_id) &&
      (wish.status === undefined || deliveryStatus(row, wish.now) === wish.status) &&
      (wish.after === undefined || row.id < wish.after),
  );
  return fitting.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, wish.rows);
}

async function endpointsOf(db: Db, shop_id: string, endpoint_id: string | undefined): Promise<string[]> {
  const all = await db.selectFrom("endpoints").select("id").where("shop_id", "=", shop_id).execute();
  return all.map((row) => row.id).filter((id) => endpoint_id === undefined || id === endpoint_id);
}
