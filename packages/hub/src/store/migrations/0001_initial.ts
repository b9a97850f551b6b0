// The first schema is one long table list on purpose: a reader wants it in one piece.
import type { EngineProfile } from "../engine.ts";

export const name = "0001_initial";
/** A program that does not know this migration must not run on a database that has it. */
export const breaking = true;

export function statements({ type, notificationKeys }: EngineProfile): string[] {
  const { int, bytes, text, serial } = type;
  return [
    `CREATE TABLE shops (id ${text} PRIMARY KEY, name ${text} NOT NULL, created_at ${int} NOT NULL)`,
    `CREATE TABLE api_keys (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL REFERENCES shops (id), hash ${bytes} NOT NULL UNIQUE, label ${text} NOT NULL,
      last4 ${text} NOT NULL, created_at ${int} NOT NULL, revoked_at ${int})`,
    `CREATE TABLE accounts (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL REFERENCES shops (id), provider ${text} NOT NULL, slug ${text} NOT NULL UNIQUE,
      label ${text} NOT NULL, credentials ${bytes} NOT NULL, credentials_version ${int} NOT NULL, status ${text} NOT NULL,
      created_at ${int} NOT NULL, updated_at ${int} NOT NULL)`,
    `CREATE TABLE orders (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL REFERENCES shops (id), reference ${text} NOT NULL, amount ${int} NOT NULL,
      currency ${text} NOT NULL, items ${text} NOT NULL, customer ${text} NOT NULL, description ${text}, return_url ${text},
      metadata ${text} NOT NULL, expires_at ${int} NOT NULL, closed ${text}, checkout_hash ${bytes} NOT NULL UNIQUE,
      amount_paid ${int} NOT NULL, amount_refunded ${int} NOT NULL, amount_reversed ${int} NOT NULL, payment_status ${text} NOT NULL,
      fulfillment_status ${text} NOT NULL, version ${int} NOT NULL, created_at ${int} NOT NULL, updated_at ${int} NOT NULL,
      UNIQUE (shop_id, reference))`,
    `CREATE INDEX orders_by_status ON orders (shop_id, payment_status, id)`,
    `CREATE TABLE payments (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL, order_id ${text} NOT NULL REFERENCES orders (id),
      account_id ${text} NOT NULL REFERENCES accounts (id), provider ${text} NOT NULL, method ${text} NOT NULL, attempt ${int} NOT NULL,
      reference ${text} NOT NULL, provider_id ${text}, handles ${text} NOT NULL, actions ${text} NOT NULL, amount ${int} NOT NULL,
      currency ${text} NOT NULL, status ${text} NOT NULL, flags ${text} NOT NULL, collected ${int} NOT NULL, refunded ${int} NOT NULL,
      reversed ${int} NOT NULL, buyer_fee ${int} NOT NULL, callback_url ${text}, expires_at ${int} NOT NULL, submitted_at ${int},
      opened_at ${int}, paid_at ${int}, last_asked_at ${int}, wanted ${text}, replaces ${text}, waiting_for_quota_until ${int},
      needs_attention ${text}, version ${int} NOT NULL, created_at ${int} NOT NULL, updated_at ${int} NOT NULL,
      UNIQUE (account_id, reference), UNIQUE (order_id, attempt))`,
    `CREATE INDEX payments_by_provider_id ON payments (account_id, provider_id) WHERE provider_id IS NOT NULL`,
    `CREATE INDEX payments_by_status ON payments (shop_id, status, id)`,
    `CREATE INDEX payments_live ON payments (id) WHERE status IN ('created', 'submitted', 'pending', 'authorized')`,
    `CREATE TABLE refunds (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL, order_id ${text} NOT NULL REFERENCES orders (id),
      payment_id ${text} NOT NULL REFERENCES payments (id), provider_key ${text} NOT NULL, provider_id ${text}, amount ${int} NOT NULL,
      currency ${text} NOT NULL, reason ${text}, status ${text} NOT NULL, origin ${text} NOT NULL, needs_attention ${text},
      proof ${text}, submitted_at ${int}, succeeded_at ${int}, version ${int} NOT NULL, created_at ${int} NOT NULL, updated_at ${int} NOT NULL,
      UNIQUE (payment_id, provider_key))`,
    `CREATE INDEX refunds_by_order ON refunds (order_id)`,
    `CREATE INDEX refunds_open ON refunds (id) WHERE status IN ('created', 'submitted', 'unknown', 'manual')`,
    `CREATE TABLE answers (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL, account_id ${text} NOT NULL, subject_type ${text} NOT NULL, subject_id ${text} NOT NULL,
      operation ${text} NOT NULL, certainty ${text} NOT NULL, summary ${text} NOT NULL, exchange ${bytes} NOT NULL, cause ${text} NOT NULL,
      verdict ${text} NOT NULL, asked_at ${int} NOT NULL, answered_at ${int} NOT NULL)`,
    `CREATE INDEX answers_by_subject ON answers (subject_id, id)`,
    `CREATE TABLE transitions (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL, subject_type ${text} NOT NULL, subject_id ${text} NOT NULL, sequence ${int} NOT NULL,
      from_status ${text} NOT NULL, to_status ${text} NOT NULL, flags ${text} NOT NULL, cause ${text} NOT NULL, answer_id ${text},
      at ${int} NOT NULL, UNIQUE (subject_id, sequence))`,
    `CREATE TABLE events (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL, type ${text} NOT NULL, subject_type ${text} NOT NULL, subject_id ${text} NOT NULL,
      sequence ${int} NOT NULL, order_id ${text}, payment_id ${text}, position ${text} NOT NULL, body ${text} NOT NULL, occurred_at ${int} NOT NULL,
      UNIQUE (subject_id, sequence))`,
    `CREATE UNIQUE INDEX events_by_shop ON events (shop_id, position)`,
    `CREATE INDEX events_by_payment ON events (payment_id) WHERE payment_id IS NOT NULL`,
    `CREATE TABLE endpoints (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL REFERENCES shops (id), url ${text} NOT NULL, description ${text}, events ${text} NOT NULL,
      format ${text} NOT NULL, status ${text} NOT NULL, paused_reason ${text}, secrets ${bytes} NOT NULL, failures_in_row ${int} NOT NULL,
      first_failure_at ${int}, last_success_at ${int}, version ${int} NOT NULL, created_at ${int} NOT NULL, updated_at ${int} NOT NULL)`,
    `CREATE INDEX endpoints_by_shop ON endpoints (shop_id)`,
    `CREATE TABLE deliveries (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL, event_id ${text} NOT NULL REFERENCES events (id),
      endpoint_id ${text} NOT NULL REFERENCES endpoints (id), status ${text} NOT NULL, attempts ${int} NOT NULL, step ${int} NOT NULL,
      trigger ${text} NOT NULL, due_at ${int} NOT NULL, lease_until ${int}, last_status ${int}, last_fault ${text}, delivered_at ${int},
      created_at ${int} NOT NULL, UNIQUE (event_id, endpoint_id))`,
    `CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at) WHERE status = 'due'`,
    `CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE status = 'delivering'`,
    `CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint_id, status, id)`,
    `CREATE TABLE attempts (
      id ${text} PRIMARY KEY, delivery_id ${text} NOT NULL, number ${int} NOT NULL, trigger ${text} NOT NULL, started_at ${int} NOT NULL,
      elapsed_ms ${int} NOT NULL, status ${int}, fault ${text}, response_body ${text})`,
    `CREATE INDEX attempts_by_delivery ON attempts (delivery_id)`,
    `CREATE TABLE notifications (
      seq ${serial}, account_id ${text} NOT NULL, shop_id ${text} NOT NULL, verdict ${int} NOT NULL, route ${int} NOT NULL,
      dedupe ${bytes} NOT NULL, reference ${text} NOT NULL, provider_id ${text}, event_key ${text} NOT NULL, claim ${text}, payment_id ${text},
      remote_address ${text} NOT NULL, received_at ${int} NOT NULL, last_received_at ${int} NOT NULL, repeats ${int} NOT NULL)`,
    ...notificationKeys,
    `CREATE INDEX notifications_new ON notifications (seq) WHERE route = 0`,
    `CREATE INDEX notifications_parked ON notifications (account_id, reference) WHERE route = 2`,
    `CREATE INDEX notifications_quarantined ON notifications (account_id, seq) WHERE route = 3`,
    `CREATE INDEX notifications_by_payment ON notifications (payment_id) WHERE payment_id IS NOT NULL`,
    `CREATE TABLE notification_bodies (seq ${int} PRIMARY KEY, sealed ${bytes} NOT NULL)`,
    `CREATE TABLE jobs (
      key ${text} PRIMARY KEY, kind ${text} NOT NULL, subject_id ${text} NOT NULL, account_id ${text}, due_at ${int} NOT NULL, lease_until ${int},
      rearmed_for ${int}, generation ${int} NOT NULL, attempts ${int} NOT NULL, priority ${int} NOT NULL, payload ${text} NOT NULL)`,
    `CREATE INDEX jobs_due ON jobs (priority, due_at) WHERE lease_until IS NULL`,
    `CREATE INDEX jobs_leased ON jobs (lease_until) WHERE lease_until IS NOT NULL`,
    `CREATE TABLE idempotency (
      scope ${bytes} PRIMARY KEY, fingerprint ${bytes} NOT NULL, lease_until ${int}, status ${int}, answer ${bytes}, intent ${text},
      created_at ${int} NOT NULL)`,
    `CREATE INDEX idempotency_by_age ON idempotency (created_at)`,
    `CREATE TABLE budgets (
      account_id ${text} PRIMARY KEY, tokens_milli ${int} NOT NULL, refilled_at ${int} NOT NULL, day ${int} NOT NULL, used_today ${int} NOT NULL)`,
    `CREATE TABLE unmatched_money (
      id ${text} PRIMARY KEY, shop_id ${text} NOT NULL, account_id ${text} NOT NULL, reference ${text} NOT NULL, provider_id ${text} NOT NULL,
      amount ${int}, currency ${text} NOT NULL, answer_id ${text} NOT NULL, payment_id ${text}, found_at ${int} NOT NULL, matched_at ${int},
      UNIQUE (account_id, provider_id))`,
  ];
}
