/** Events that Lunas tells the outside. Immutable, versioned, numbered per subject. Names are never reused with another meaning. */
export const EVENT_VERSION = 1;

export const EVENT_TYPES = {
  "payment.pending": "The gateway has opened the payment; the buyer can pay it.",
  "payment.authorized": "The amount is reserved but not yet collected.",
  "payment.paid": "The gateway confirms that the money was collected. `flags` says whether it was late, short, too much or a duplicate.",
  "payment.partially_refunded": "A part of the money went back.",
  "payment.refunded": "All of the money went back.",
  "payment.failed": "The payment was refused or never opened.",
  "payment.expired": "The gateway confirms that it was not paid in time.",
  "payment.canceled": "The gateway confirms that it was canceled.",
  "payment.reversed": "Collected money was taken back: a chargeback, or a settlement that the bank undid.",
  "payment.unconfirmed": "A verified notification says more than the gateway's answers do; a person should look.",
  "order.pending": "A payment of the order is open.",
  "order.paid": "The order is paid in full. Deliver now, unless `order.closed` says that it was canceled or over before: then a person decides.",
  "order.underpaid": "Money came, but less than the order's amount.",
  "order.partially_refunded": "A part of the order's money went back.",
  "order.refunded": "All of the order's money went back.",
  "order.reversed": "The order's money was taken back.",
  "order.failed": "The order's last payment failed and none is open.",
  "order.expired": "The last payment was not paid in time, or the order's own time is over; none is open or paid.",
  "order.canceled": "The shop canceled the order; none of its payments is open or paid.",
  "refund.submitted": "The gateway has accepted the refund.",
  "refund.succeeded": "The bank confirms the refund.",
  "refund.failed": "The refund was refused; the money stays collected.",
  "refund.unknown": "The gateway gave no clear answer; it is being asked.",
  "refund.manual": "The method has no refund call, or its window has closed: a person pays it back and closes it with proof.",
  "money.unmatched":
    "A gateway collected money that no payment of this hub has: for a reference that is not known, or by a second transaction of one that is.",
  "endpoint.failing": "An endpoint of this shop has failed many times in a row.",
  "endpoint.paused": "An endpoint was paused after too many failures; its events are kept and sent on resume.",
  "endpoint.test": "Sent by a person to try an endpoint.",
} as const;

export type EventType = keyof typeof EVENT_TYPES;

export function isEventType(word: string): word is EventType {
  return Object.hasOwn(EVENT_TYPES, word);
}
