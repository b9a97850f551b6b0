-- What the migrations make. Not run by anything; npx vitest run packages/hub/src/store/migrate.test.ts -u writes it anew.

CREATE TABLE accounts (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL,
  slug text COLLATE "C" NOT NULL,
  label text COLLATE "C" NOT NULL,
  credentials bytea NOT NULL,
  credentials_version bigint NOT NULL,
  status text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  previous_until bigint,
  CONSTRAINT accounts_pkey PRIMARY KEY (id),
  CONSTRAINT accounts_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops(id),
  CONSTRAINT accounts_slug_key UNIQUE (slug)
);

CREATE TABLE answers (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  subject_type text COLLATE "C" NOT NULL,
  subject_id text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  certainty text COLLATE "C" NOT NULL,
  summary text COLLATE "C" NOT NULL,
  exchange bytea NOT NULL,
  cause text COLLATE "C" NOT NULL,
  verdict text COLLATE "C" NOT NULL,
  asked_at bigint NOT NULL,
  answered_at bigint NOT NULL,
  CONSTRAINT answers_pkey PRIMARY KEY (id)
);

CREATE TABLE api_keys (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  hash bytea NOT NULL,
  label text COLLATE "C" NOT NULL,
  last4 text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  revoked_at bigint,
  CONSTRAINT api_keys_hash_key UNIQUE (hash),
  CONSTRAINT api_keys_pkey PRIMARY KEY (id),
  CONSTRAINT api_keys_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops(id)
);

CREATE TABLE attempts (
  id text COLLATE "C" NOT NULL,
  delivery_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  trigger text COLLATE "C" NOT NULL,
  started_at bigint NOT NULL,
  elapsed_ms bigint NOT NULL,
  status bigint,
  fault text COLLATE "C",
  response_body text COLLATE "C",
  CONSTRAINT attempts_pkey PRIMARY KEY (delivery_id, id)
);

CREATE TABLE budgets (
  account_id text COLLATE "C" NOT NULL,
  tokens_milli bigint NOT NULL,
  refilled_at bigint NOT NULL,
  day bigint NOT NULL,
  used_today bigint NOT NULL,
  CONSTRAINT budgets_pkey PRIMARY KEY (account_id)
);

CREATE TABLE deliveries (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  attempts bigint NOT NULL,
  step bigint NOT NULL,
  trigger text COLLATE "C" NOT NULL,
  due_at bigint NOT NULL,
  lease_until bigint,
  delivered_at bigint,
  created_at bigint NOT NULL,
  generation bigint NOT NULL,
  first_trigger text COLLATE "C",
  first_at bigint,
  first_elapsed_ms bigint,
  first_status bigint,
  first_fault text COLLATE "C",
  first_body text COLLATE "C",
  CONSTRAINT deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES endpoints(id),
  CONSTRAINT deliveries_event_id_endpoint_id_key UNIQUE (event_id, endpoint_id),
  CONSTRAINT deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id),
  CONSTRAINT deliveries_pkey PRIMARY KEY (id)
);

CREATE TABLE endpoints (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  url text COLLATE "C" NOT NULL,
  description text COLLATE "C",
  events text COLLATE "C" NOT NULL,
  format text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  paused_reason text COLLATE "C",
  secrets bytea NOT NULL,
  failures_in_row bigint NOT NULL,
  first_failure_at bigint,
  last_success_at bigint,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  CONSTRAINT endpoints_pkey PRIMARY KEY (id),
  CONSTRAINT endpoints_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops(id)
);

CREATE TABLE events (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  subject_type text COLLATE "C" NOT NULL,
  subject_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  order_id text COLLATE "C",
  payment_id text COLLATE "C",
  position text COLLATE "C" NOT NULL,
  body text COLLATE "C" NOT NULL,
  occurred_at bigint NOT NULL,
  CONSTRAINT events_pkey PRIMARY KEY (id),
  CONSTRAINT events_subject_id_sequence_key UNIQUE (subject_id, sequence)
);

CREATE TABLE idempotency (
  scope bytea NOT NULL,
  fingerprint bytea NOT NULL,
  lease_until bigint,
  status bigint,
  answer bytea,
  intent text COLLATE "C",
  created_at bigint NOT NULL,
  CONSTRAINT idempotency_pkey PRIMARY KEY (scope)
);

CREATE TABLE jobs (
  key text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  subject_id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C",
  due_at bigint NOT NULL,
  lease_until bigint,
  rearmed_for bigint,
  generation bigint NOT NULL,
  attempts bigint NOT NULL,
  priority bigint NOT NULL,
  payload text COLLATE "C" NOT NULL,
  CONSTRAINT jobs_pkey PRIMARY KEY (key)
);

CREATE TABLE meta (
  name text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  CONSTRAINT meta_pkey PRIMARY KEY (name)
);

CREATE TABLE migrations (
  name text COLLATE "C" NOT NULL,
  breaking bigint NOT NULL,
  CONSTRAINT migrations_pkey PRIMARY KEY (name)
);

CREATE TABLE notification_batches (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  keep_until bigint NOT NULL,
  single_of text COLLATE "C",
  sealed bytea NOT NULL,
  CONSTRAINT notification_batches_pkey PRIMARY KEY (id)
);

CREATE TABLE notifications (
  seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  account_id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  verdict bigint NOT NULL,
  route bigint NOT NULL,
  dedupe bytea NOT NULL,
  reference text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C",
  event_key text COLLATE "C" NOT NULL,
  claim text COLLATE "C",
  payment_id text COLLATE "C",
  remote_address text COLLATE "C" NOT NULL,
  received_at bigint NOT NULL,
  last_received_at bigint NOT NULL,
  repeats bigint NOT NULL,
  batch bigint,
  place bigint,
  CONSTRAINT notifications_pkey PRIMARY KEY (seq)
);

CREATE TABLE orders (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  reference text COLLATE "C" NOT NULL,
  amount bigint NOT NULL,
  currency text COLLATE "C" NOT NULL,
  items text COLLATE "C" NOT NULL,
  customer text COLLATE "C" NOT NULL,
  description text COLLATE "C",
  return_url text COLLATE "C",
  metadata text COLLATE "C" NOT NULL,
  expires_at bigint NOT NULL,
  closed text COLLATE "C",
  checkout_hash bytea NOT NULL,
  amount_paid bigint NOT NULL,
  amount_refunded bigint NOT NULL,
  amount_reversed bigint NOT NULL,
  payment_status text COLLATE "C" NOT NULL,
  fulfillment_status text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  CONSTRAINT orders_checkout_hash_key UNIQUE (checkout_hash),
  CONSTRAINT orders_pkey PRIMARY KEY (id),
  CONSTRAINT orders_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops(id),
  CONSTRAINT orders_shop_id_reference_key UNIQUE (shop_id, reference)
);

CREATE TABLE payment_transactions (
  payment_id text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C" NOT NULL,
  status text COLLATE "C",
  absent bigint NOT NULL,
  claim text COLLATE "C",
  seen_at bigint NOT NULL,
  asked_at bigint,
  CONSTRAINT payment_transactions_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id),
  CONSTRAINT payment_transactions_pkey PRIMARY KEY (payment_id, provider_id)
);

CREATE TABLE payments (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL,
  method text COLLATE "C" NOT NULL,
  attempt bigint NOT NULL,
  reference text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C",
  handles text COLLATE "C" NOT NULL,
  actions text COLLATE "C" NOT NULL,
  amount bigint NOT NULL,
  currency text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  flags text COLLATE "C" NOT NULL,
  collected bigint NOT NULL,
  refunded bigint NOT NULL,
  reversed bigint NOT NULL,
  buyer_fee bigint NOT NULL,
  callback_url text COLLATE "C",
  expires_at bigint NOT NULL,
  submitted_at bigint,
  opened_at bigint,
  paid_at bigint,
  last_asked_at bigint,
  wanted text COLLATE "C",
  replaces text COLLATE "C",
  waiting_for_quota_until bigint,
  needs_attention text COLLATE "C",
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  opening_until bigint,
  closed_at bigint,
  CONSTRAINT payments_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id),
  CONSTRAINT payments_account_id_reference_key UNIQUE (account_id, reference),
  CONSTRAINT payments_order_id_attempt_key UNIQUE (order_id, attempt),
  CONSTRAINT payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  CONSTRAINT payments_pkey PRIMARY KEY (id)
);

CREATE TABLE refunds (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  payment_id text COLLATE "C" NOT NULL,
  provider_key text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C",
  amount bigint NOT NULL,
  currency text COLLATE "C" NOT NULL,
  reason text COLLATE "C",
  status text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL,
  needs_attention text COLLATE "C",
  proof text COLLATE "C",
  submitted_at bigint,
  succeeded_at bigint,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  waiting_for_quota_until bigint,
  CONSTRAINT refunds_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id),
  CONSTRAINT refunds_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id),
  CONSTRAINT refunds_payment_id_provider_key_key UNIQUE (payment_id, provider_key),
  CONSTRAINT refunds_pkey PRIMARY KEY (id)
);

CREATE TABLE shops (
  id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  CONSTRAINT shops_pkey PRIMARY KEY (id)
);

CREATE TABLE transitions (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  subject_type text COLLATE "C" NOT NULL,
  subject_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  from_status text COLLATE "C" NOT NULL,
  to_status text COLLATE "C" NOT NULL,
  flags text COLLATE "C" NOT NULL,
  cause text COLLATE "C" NOT NULL,
  answer_id text COLLATE "C",
  at bigint NOT NULL,
  CONSTRAINT transitions_pkey PRIMARY KEY (id),
  CONSTRAINT transitions_subject_id_sequence_key UNIQUE (subject_id, sequence)
);

CREATE TABLE unmatched_money (
  id text COLLATE "C" NOT NULL,
  shop_id text COLLATE "C" NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  reference text COLLATE "C" NOT NULL,
  provider_id text COLLATE "C" NOT NULL,
  amount bigint,
  currency text COLLATE "C" NOT NULL,
  answer_id text COLLATE "C" NOT NULL,
  payment_id text COLLATE "C",
  found_at bigint NOT NULL,
  matched_at bigint,
  status text COLLATE "C" NOT NULL,
  refunded bigint,
  asked_at bigint,
  CONSTRAINT unmatched_money_account_id_provider_id_key UNIQUE (account_id, provider_id),
  CONSTRAINT unmatched_money_pkey PRIMARY KEY (id)
);

CREATE INDEX accounts_by_shop ON public.accounts USING btree (shop_id, id);

CREATE INDEX answers_by_subject ON public.answers USING btree (subject_id, id);

CREATE INDEX deliveries_by_endpoint ON public.deliveries USING btree (endpoint_id, status, id);

CREATE INDEX deliveries_due ON public.deliveries USING btree (endpoint_id, due_at) WHERE (status = 'due'::text);

CREATE INDEX endpoints_by_shop ON public.endpoints USING btree (shop_id);

CREATE INDEX events_by_payment ON public.events USING btree (payment_id) WHERE (payment_id IS NOT NULL);

CREATE UNIQUE INDEX events_by_shop ON public.events USING btree (shop_id, "position");

CREATE INDEX events_by_type ON public.events USING btree (shop_id, type, "position");

CREATE INDEX idempotency_by_age ON public.idempotency USING btree (created_at);

CREATE INDEX jobs_due ON public.jobs USING btree (priority, due_at) WHERE (lease_until IS NULL);

CREATE INDEX jobs_leased ON public.jobs USING btree (lease_until) WHERE (lease_until IS NOT NULL);

CREATE INDEX notification_batches_by_age ON public.notification_batches USING btree (keep_until);

CREATE INDEX notifications_by_payment ON public.notifications USING btree (payment_id) WHERE (payment_id IS NOT NULL);

CREATE UNIQUE INDEX notifications_dedupe ON public.notifications USING btree (dedupe);

CREATE INDEX notifications_new ON public.notifications USING btree (seq) WHERE (route = 0);

CREATE INDEX notifications_parked ON public.notifications USING btree (account_id, reference) WHERE (route = 2);

CREATE INDEX notifications_quarantined ON public.notifications USING btree (account_id, seq) WHERE (route = 3);

CREATE INDEX orders_by_shop ON public.orders USING btree (shop_id, id);

CREATE INDEX orders_by_status ON public.orders USING btree (shop_id, payment_status, id);

CREATE INDEX orders_open ON public.orders USING btree (id) WHERE ((closed IS NULL) AND (payment_status = ANY (ARRAY['unpaid'::text, 'pending'::text, 'failed'::text, 'expired'::text, 'canceled'::text])));

CREATE INDEX payment_transactions_claimed ON public.payment_transactions USING btree (payment_id) WHERE (claim IS NOT NULL);

CREATE INDEX payments_by_paid_at ON public.payments USING btree (paid_at) WHERE (paid_at IS NOT NULL);

CREATE INDEX payments_by_provider_id ON public.payments USING btree (account_id, provider_id) WHERE (provider_id IS NOT NULL);

CREATE INDEX payments_by_shop ON public.payments USING btree (shop_id, id);

CREATE INDEX payments_by_status ON public.payments USING btree (shop_id, status, id);

CREATE INDEX payments_closed ON public.payments USING btree (expires_at) WHERE (status = ANY (ARRAY['failed'::text, 'expired'::text, 'canceled'::text]));

CREATE INDEX payments_live ON public.payments USING btree (id) WHERE (status = ANY (ARRAY['created'::text, 'submitted'::text, 'pending'::text, 'authorized'::text]));

CREATE INDEX refunds_by_order ON public.refunds USING btree (order_id);

CREATE INDEX refunds_by_shop ON public.refunds USING btree (shop_id, created_at, id);

CREATE INDEX refunds_open ON public.refunds USING btree (id) WHERE (status = ANY (ARRAY['created'::text, 'submitted'::text, 'unknown'::text, 'manual'::text]));

CREATE INDEX unmatched_money_by_reference ON public.unmatched_money USING btree (account_id, reference);
