import { COLLECTED_STATUSES, invariant, LIVE_STATUSES, LunasError } from "@lunas/domain";
import { askGateway } from "../../collect/ask.ts";
import { createPayment, openPayment } from "../../collect/payments.ts";
import { findBundle, type OrderBundle, type PaymentRow } from "../../collect/rows.ts";
import { isUnusable } from "../../collect/unusable.ts";
import { checkoutUrl } from "../../collect/views.ts";
import type { Hub } from "../../hub.ts";
import { PRIORITY } from "../../store/jobs.ts";
import { shownPayment } from "./state.ts";

/** The gateway is asked once about a payment in this time, however often buyers press the button. */
const ASK_GAP_MS = 10_000;

export interface BuyerWish {
  readonly method: string;
  readonly account?: string | undefined;
}

/** What buyers do on the page. One at a time for each order in this process; between processes the database decides. */
export class BuyerActions {
  #hub: Hub;
  #running = new Map<string, Promise<boolean>>();

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /**
   * Opens a payment by this method, or goes on with the one that is open: a second click, a reload and a second tab open nothing anew.
   * @returns whether a payment was opened.
   */
  async pay(bundle: OrderBundle, wish: BuyerWish): Promise<boolean> {
    const key = `${bundle.order.id} ${wish.method} ${wish.account ?? ""}`;
    const running = this.#running.get(key);
    if (running) return running;
    const mine = this.#pay(bundle, wish).finally(() => this.#running.delete(key));
    this.#running.set(key, mine);
    return mine;
  }

  async #pay(bundle: OrderBundle, wish: BuyerWish): Promise<boolean> {
    if (await this.#goOn(bundle, wish)) return false;
    try {
      // The wallet app brings the buyer back to this page, which shows how it stands.
      const callback_url = checkoutUrl(this.#hub, bundle.order.id);
      await createPayment(this.#hub, bundle.order.shop_id, bundle.order.id, { ...wish, callback_url }, "buyer", async () => {});
      return true;
    } catch (error) {
      // Another process was quicker: its payment is as good.
      if (!(error instanceof LunasError) || error.code !== "conflict") throw error;
      const again = await this.#hub.store.read((db) => findBundle(db, undefined, bundle.order.id));
      invariant(again, `order ${bundle.order.id} is gone`);
      if (await this.#goOn(again, wish)) return false;
      throw error;
    }
  }

  async #goOn(bundle: OrderBundle, wish: BuyerWish): Promise<boolean> {
    const now = this.#hub.clocks.business.now();
    const same = (payment: PaymentRow): boolean =>
      payment.method === wish.method &&
      (wish.account === undefined || bundle.slugs.get(payment.account_id) === wish.account) &&
      LIVE_STATUSES.includes(payment.status);
    const open = bundle.payments.findLast(same);
    if (!open || open.wanted === "cancel" || open.wanted === "expire" || isUnusable(open)) return false;
    if (open.status === "submitted" || open.status === "created") {
      // Its opening was interrupted or is under way: the connector asks and goes on, it never charges blindly.
      await openPayment(this.#hub, open.id, "continue", "buyer");
      return true;
    }
    return open.actions.length > 0 && open.expires_at > now;
  }

  /** Asks the gateway how the shown payment stands, unless that was asked just now. */
  async refresh(bundle: OrderBundle): Promise<void> {
    const payment = shownPayment(bundle);
    if (!payment || COLLECTED_STATUSES.includes(payment.status)) return;
    const since_ms = this.#hub.clocks.business.now() - (payment.last_asked_at ?? Number.NEGATIVE_INFINITY);
    if (since_ms >= 0 && since_ms < ASK_GAP_MS) return;
    const key = `ask ${payment.id}`;
    const running = this.#running.get(key) ?? this.#ask(payment).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    await running;
  }

  async #ask(payment: PaymentRow): Promise<boolean> {
    const opening =
      (payment.status === "submitted" || payment.status === "created") && payment.wanted === "open" && this.#hub.hold.reason === undefined;
    const asked = await askGateway(this.#hub, payment.id, opening ? "continue" : "get", "buyer", PRIORITY.buyer);
    return asked.asked;
  }
}
