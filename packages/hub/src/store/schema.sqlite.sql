-- What the migrations make. Not run by anything; npx vitest run packages/hub/src/store/migrate.test.ts -u writes it anew.

CREATE TABLE accounts (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL REFERENCES shops (id),
  provider TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  label TEXT NOT NULL,
  credentials BLOB NOT NULL,
  credentials_version INTEGER NOT NULL,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  previous_until INTEGER
);

CREATE INDEX accounts_by_shop ON accounts (
  shop_id,
  id
);

CREATE TABLE answers (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  subject_type TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  certainty TEXT NOT NULL,
  summary TEXT NOT NULL,
  exchange BLOB NOT NULL,
  cause TEXT NOT NULL,
  verdict TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  answered_at INTEGER NOT NULL
);

CREATE INDEX answers_by_subject ON answers (
  subject_id,
  id
);

CREATE TABLE api_keys (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL REFERENCES shops (id),
  hash BLOB NOT NULL UNIQUE,
  label TEXT NOT NULL,
  last4 TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
);

CREATE TABLE "attempts" (
   delivery_id TEXT NOT NULL,
  id TEXT NOT NULL,
  number INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  elapsed_ms INTEGER NOT NULL,
  status INTEGER,
  fault TEXT,
  response_body TEXT,
  PRIMARY KEY (delivery_id,
  id)) WITHOUT ROWID;

CREATE TABLE budgets (
   account_id TEXT PRIMARY KEY,
  tokens_milli INTEGER NOT NULL,
  refilled_at INTEGER NOT NULL,
  day INTEGER NOT NULL,
  used_today INTEGER NOT NULL
);

CREATE TABLE deliveries (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL,
  event_id TEXT NOT NULL REFERENCES events (id),
  endpoint_id TEXT NOT NULL REFERENCES endpoints (id),
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  step INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  lease_until INTEGER,
  delivered_at INTEGER,
  created_at INTEGER NOT NULL,
  generation INTEGER NOT NULL DEFAULT 0,
  first_trigger TEXT,
  first_at INTEGER,
  first_elapsed_ms INTEGER,
  first_status INTEGER,
  first_fault TEXT,
  first_body TEXT,
  UNIQUE (event_id,
  endpoint_id)
);

CREATE INDEX deliveries_by_endpoint ON deliveries (
  endpoint_id,
  status,
  id
);

CREATE INDEX deliveries_due ON deliveries (
  endpoint_id,
  due_at
) WHERE status = 'due';

CREATE TABLE endpoints (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL REFERENCES shops (id),
  url TEXT NOT NULL,
  description TEXT,
  events TEXT NOT NULL,
  format TEXT NOT NULL,
  status TEXT NOT NULL,
  paused_reason TEXT,
  secrets BLOB NOT NULL,
  failures_in_row INTEGER NOT NULL,
  first_failure_at INTEGER,
  last_success_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX endpoints_by_shop ON endpoints (
  shop_id
);

CREATE TABLE events (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL,
  type TEXT NOT NULL,
  subject_type TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  order_id TEXT,
  payment_id TEXT,
  position TEXT NOT NULL,
  body TEXT NOT NULL,
  occurred_at INTEGER NOT NULL,
  UNIQUE (subject_id,
  sequence)
);

CREATE INDEX events_by_payment ON events (
  payment_id
) WHERE payment_id IS NOT NULL;

CREATE UNIQUE INDEX events_by_shop ON events (
  shop_id,
  position
);

CREATE INDEX events_by_type ON events (
  shop_id,
  type,
  position
);

CREATE TABLE idempotency (
   scope BLOB PRIMARY KEY,
  fingerprint BLOB NOT NULL,
  lease_until INTEGER,
  status INTEGER,
  answer BLOB,
  intent TEXT,
  created_at INTEGER NOT NULL
);

CREATE INDEX idempotency_by_age ON idempotency (
  created_at
);

CREATE TABLE jobs (
   key TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  account_id TEXT,
  due_at INTEGER NOT NULL,
  lease_until INTEGER,
  rearmed_for INTEGER,
  generation INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  payload TEXT NOT NULL
);

CREATE INDEX jobs_due ON jobs (
  priority,
  due_at
) WHERE lease_until IS NULL;

CREATE INDEX jobs_leased ON jobs (
  lease_until
) WHERE lease_until IS NOT NULL;

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE migrations (
  name TEXT PRIMARY KEY,
  breaking INTEGER NOT NULL
);

CREATE TABLE notification_batches (
  id INTEGER PRIMARY KEY,
  keep_until INTEGER NOT NULL,
  single_of TEXT,
  sealed BLOB NOT NULL
);

CREATE INDEX notification_batches_by_age ON notification_batches (
  keep_until
);

CREATE TABLE notification_keys (
  dedupe BLOB PRIMARY KEY,
  seq INTEGER NOT NULL) WITHOUT ROWID;

CREATE TRIGGER notification_keys_changed AFTER UPDATE OF dedupe ON notifications BEGIN DELETE FROM notification_keys WHERE dedupe = OLD.dedupe AND seq = OLD.seq; INSERT OR REPLACE INTO notification_keys VALUES (
  NEW.dedupe,
  NEW.seq); END;

CREATE TRIGGER notification_keys_gone AFTER DELETE ON notifications BEGIN DELETE FROM notification_keys WHERE dedupe = OLD.dedupe AND seq = OLD.seq; END;

CREATE TABLE notifications (
   seq INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  shop_id TEXT NOT NULL,
  verdict INTEGER NOT NULL,
  route INTEGER NOT NULL,
  dedupe BLOB NOT NULL,
  reference TEXT NOT NULL,
  provider_id TEXT,
  event_key TEXT NOT NULL,
  claim TEXT,
  payment_id TEXT,
  remote_address TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  last_received_at INTEGER NOT NULL,
  repeats INTEGER NOT NULL,
  batch INTEGER,
  place INTEGER
);

CREATE INDEX notifications_by_payment ON notifications (
  payment_id
) WHERE payment_id IS NOT NULL;

CREATE INDEX notifications_new ON notifications (
  seq
) WHERE route = 0;

CREATE INDEX notifications_parked ON notifications (
  account_id,
  reference
) WHERE route = 2;

CREATE INDEX notifications_quarantined ON notifications (
  account_id,
  seq
) WHERE route = 3;

CREATE TABLE orders (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL REFERENCES shops (id),
  reference TEXT NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  items TEXT NOT NULL,
  customer TEXT NOT NULL,
  description TEXT,
  return_url TEXT,
  metadata TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  closed TEXT,
  checkout_hash BLOB NOT NULL UNIQUE,
  amount_paid INTEGER NOT NULL,
  amount_refunded INTEGER NOT NULL,
  amount_reversed INTEGER NOT NULL,
  payment_status TEXT NOT NULL,
  fulfillment_status TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (shop_id,
  reference)
);

CREATE INDEX orders_by_shop ON orders (
  shop_id,
  id
);

CREATE INDEX orders_by_status ON orders (
  shop_id,
  payment_status,
  id
);

CREATE INDEX orders_open ON orders (
  id) WHERE closed IS NULL AND payment_status IN ('unpaid',
  'pending',
  'failed',
  'expired',
  'canceled'
);

CREATE TABLE payment_transactions (
   payment_id TEXT NOT NULL REFERENCES payments (id),
  provider_id TEXT NOT NULL,
  status TEXT,
  absent INTEGER NOT NULL,
  claim TEXT,
  seen_at INTEGER NOT NULL,
  asked_at INTEGER,
  PRIMARY KEY (payment_id,
  provider_id)
);

CREATE INDEX payment_transactions_claimed ON payment_transactions (
  payment_id
) WHERE claim IS NOT NULL;

CREATE TABLE payments (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL,
  order_id TEXT NOT NULL REFERENCES orders (id),
  account_id TEXT NOT NULL REFERENCES accounts (id),
  provider TEXT NOT NULL,
  method TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  reference TEXT NOT NULL,
  provider_id TEXT,
  handles TEXT NOT NULL,
  actions TEXT NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  status TEXT NOT NULL,
  flags TEXT NOT NULL,
  collected INTEGER NOT NULL,
  refunded INTEGER NOT NULL,
  reversed INTEGER NOT NULL,
  buyer_fee INTEGER NOT NULL,
  callback_url TEXT,
  expires_at INTEGER NOT NULL,
  submitted_at INTEGER,
  opened_at INTEGER,
  paid_at INTEGER,
  last_asked_at INTEGER,
  wanted TEXT,
  replaces TEXT,
  waiting_for_quota_until INTEGER,
  needs_attention TEXT,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  opening_until INTEGER,
  closed_at INTEGER,
  UNIQUE (account_id,
  reference),
  UNIQUE (order_id,
  attempt)
);

CREATE INDEX payments_by_paid_at ON payments (
  paid_at
) WHERE paid_at IS NOT NULL;

CREATE INDEX payments_by_provider_id ON payments (
  account_id,
  provider_id
) WHERE provider_id IS NOT NULL;

CREATE INDEX payments_by_shop ON payments (
  shop_id,
  id
);

CREATE INDEX payments_by_status ON payments (
  shop_id,
  status,
  id
);

CREATE INDEX payments_closed ON payments (
  expires_at) WHERE status IN ('failed',
  'expired',
  'canceled'
);

CREATE INDEX payments_live ON payments (
  id) WHERE status IN ('created',
  'submitted',
  'pending',
  'authorized'
);

CREATE TABLE refunds (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL,
  order_id TEXT NOT NULL REFERENCES orders (id),
  payment_id TEXT NOT NULL REFERENCES payments (id),
  provider_key TEXT NOT NULL,
  provider_id TEXT,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  reason TEXT,
  status TEXT NOT NULL,
  origin TEXT NOT NULL,
  needs_attention TEXT,
  proof TEXT,
  submitted_at INTEGER,
  succeeded_at INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  waiting_for_quota_until INTEGER,
  UNIQUE (payment_id,
  provider_key)
);

CREATE INDEX refunds_by_order ON refunds (
  order_id
);

CREATE INDEX refunds_by_shop ON refunds (
  shop_id,
  created_at,
  id
);

CREATE INDEX refunds_open ON refunds (
  id) WHERE status IN ('created',
  'submitted',
  'unknown',
  'manual'
);

CREATE TABLE shops (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE TABLE transitions (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL,
  subject_type TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  flags TEXT NOT NULL,
  cause TEXT NOT NULL,
  answer_id TEXT,
  at INTEGER NOT NULL,
  UNIQUE (subject_id,
  sequence)
);

CREATE TABLE unmatched_money (
   id TEXT PRIMARY KEY,
  shop_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  reference TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  amount INTEGER,
  currency TEXT NOT NULL,
  answer_id TEXT NOT NULL,
  payment_id TEXT,
  found_at INTEGER NOT NULL,
  matched_at INTEGER,
  status TEXT NOT NULL DEFAULT 'paid',
  refunded INTEGER,
  asked_at INTEGER,
  UNIQUE (account_id,
  provider_id)
);

CREATE INDEX unmatched_money_by_reference ON unmatched_money (
  account_id,
  reference
);
