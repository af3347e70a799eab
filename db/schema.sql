\restrict dbmate

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: merchant_deliveries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.merchant_deliveries (
    event_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    seq integer NOT NULL,
    queued_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    refusals integer DEFAULT 0 NOT NULL,
    first_attempted_at timestamp with time zone,
    last_attempted_at timestamp with time zone,
    delivered_at timestamp with time zone,
    gave_up_at timestamp with time zone,
    last_status integer,
    last_error text
);


--
-- Name: merchant_endpoints; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.merchant_endpoints (
    id uuid NOT NULL,
    user_id bigint,
    url text NOT NULL,
    secret text NOT NULL,
    previous_secret text,
    previous_until timestamp with time zone,
    allow_private boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp with time zone,
    disabled_because text,
    strikes integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    paused_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL
);


--
-- Name: merchant_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.merchant_events (
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    seq integer NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: midtrans_budget; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.midtrans_budget (
    singleton boolean DEFAULT true NOT NULL,
    tokens double precision NOT NULL,
    refilled_at timestamp with time zone NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    paused_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    CONSTRAINT midtrans_budget_singleton_check CHECK (singleton)
);


--
-- Name: payment_create_rates; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.payment_create_rates (
    user_id bigint NOT NULL,
    window_started_at timestamp with time zone NOT NULL,
    created integer NOT NULL
);


--
-- Name: payment_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment_events (
    payment_id uuid NOT NULL,
    seq integer NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    what text NOT NULL,
    source text NOT NULL,
    status text NOT NULL,
    detail jsonb NOT NULL,
    digest bytea NOT NULL,
    evidence bytea
);


--
-- Name: payment_idempotency_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment_idempotency_keys (
    user_id bigint NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    payment_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone NOT NULL,
    lease uuid,
    uncharged boolean DEFAULT false NOT NULL,
    finished boolean DEFAULT false NOT NULL,
    gateway_code text,
    gateway_message text,
    lost boolean DEFAULT false NOT NULL
);


--
-- Name: payment_refunds; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment_refunds (
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    user_id bigint NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    transaction text NOT NULL,
    amount integer NOT NULL,
    reason text,
    status text DEFAULT 'requested'::text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    confirmed_at timestamp with time zone,
    gateway_code text,
    gateway_message text,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    CONSTRAINT payment_refunds_amount_check CHECK ((amount > 0)),
    CONSTRAINT payment_refunds_check CHECK (((status = 'accepted'::text) = (accepted_at IS NOT NULL))),
    CONSTRAINT payment_refunds_check1 CHECK (((confirmed_at IS NULL) OR (status = 'accepted'::text))),
    CONSTRAINT payment_refunds_status_check CHECK ((status = ANY (ARRAY['requested'::text, 'accepted'::text, 'refused'::text, 'not_sent'::text])))
);


--
-- Name: payment_transactions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment_transactions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id bigint NOT NULL,
    order_id character varying(64) NOT NULL,
    gross_amount integer NOT NULL,
    payment_type character varying(32) NOT NULL,
    status character varying(32) NOT NULL,
    midtrans_transaction_id character varying(64),
    midtrans_response_json jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    paid_at timestamp with time zone,
    expires_at timestamp with time zone DEFAULT (now() + '00:15:00'::interval),
    late boolean DEFAULT false NOT NULL,
    refunded_amount integer DEFAULT 0 NOT NULL,
    callback_url text,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    breaks jsonb DEFAULT '[]'::jsonb NOT NULL,
    asked_at timestamp with time zone,
    log_length integer DEFAULT 0 NOT NULL,
    log_head bytea DEFAULT '\x'::bytea NOT NULL,
    charged_first_at timestamp with time zone DEFAULT now() NOT NULL,
    charged_last_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone DEFAULT now(),
    unconfirmed_since timestamp with time zone,
    attended jsonb DEFAULT '[]'::jsonb NOT NULL,
    needs_attention boolean DEFAULT false NOT NULL,
    checkout_token text,
    changed_at timestamp with time zone DEFAULT now()
);


--
-- Name: payment_webhook_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.payment_webhook_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    received_at timestamp without time zone DEFAULT (now() AT TIME ZONE 'utc'::text) NOT NULL,
    order_id character varying(64),
    midtrans_transaction_id character varying(64),
    raw_body jsonb NOT NULL,
    signature_key character varying(255),
    is_verified boolean DEFAULT false NOT NULL,
    processed boolean DEFAULT false NOT NULL,
    processing_error text,
    repeats integer DEFAULT 0 NOT NULL,
    forged boolean DEFAULT false NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.users ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: merchant_deliveries merchant_deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.merchant_deliveries
    ADD CONSTRAINT merchant_deliveries_pkey PRIMARY KEY (event_id, endpoint_id);


--
-- Name: merchant_endpoints merchant_endpoints_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.merchant_endpoints
    ADD CONSTRAINT merchant_endpoints_pkey PRIMARY KEY (id);


--
-- Name: merchant_events merchant_events_payment_id_seq_type_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.merchant_events
    ADD CONSTRAINT merchant_events_payment_id_seq_type_key UNIQUE (payment_id, seq, type);


--
-- Name: merchant_events merchant_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.merchant_events
    ADD CONSTRAINT merchant_events_pkey PRIMARY KEY (id);


--
-- Name: midtrans_budget midtrans_budget_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.midtrans_budget
    ADD CONSTRAINT midtrans_budget_pkey PRIMARY KEY (singleton);


--
-- Name: payment_create_rates payment_create_rates_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_create_rates
    ADD CONSTRAINT payment_create_rates_pkey PRIMARY KEY (user_id);


--
-- Name: payment_events payment_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_events
    ADD CONSTRAINT payment_events_pkey PRIMARY KEY (payment_id, seq);


--
-- Name: payment_idempotency_keys payment_idempotency_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_idempotency_keys
    ADD CONSTRAINT payment_idempotency_keys_pkey PRIMARY KEY (user_id, key);


--
-- Name: payment_refunds payment_refunds_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_refunds
    ADD CONSTRAINT payment_refunds_pkey PRIMARY KEY (id);


--
-- Name: payment_refunds payment_refunds_user_id_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_refunds
    ADD CONSTRAINT payment_refunds_user_id_key_key UNIQUE (user_id, key);


--
-- Name: payment_transactions payment_transactions_midtrans_transaction_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_transactions
    ADD CONSTRAINT payment_transactions_midtrans_transaction_id_key UNIQUE (midtrans_transaction_id);


--
-- Name: payment_transactions payment_transactions_order_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_transactions
    ADD CONSTRAINT payment_transactions_order_id_key UNIQUE (order_id);


--
-- Name: payment_transactions payment_transactions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_transactions
    ADD CONSTRAINT payment_transactions_pkey PRIMARY KEY (id);


--
-- Name: payment_webhook_events payment_webhook_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_webhook_events
    ADD CONSTRAINT payment_webhook_events_pkey PRIMARY KEY (id);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: merchant_deliveries_due_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX merchant_deliveries_due_index ON public.merchant_deliveries USING btree (endpoint_id, due_at) WHERE ((delivered_at IS NULL) AND (gave_up_at IS NULL));


--
-- Name: merchant_deliveries_failed_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX merchant_deliveries_failed_index ON public.merchant_deliveries USING btree (gave_up_at) WHERE (gave_up_at IS NOT NULL);


--
-- Name: merchant_deliveries_leased_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX merchant_deliveries_leased_index ON public.merchant_deliveries USING btree (endpoint_id) WHERE (leased_until > '-infinity'::timestamp with time zone);


--
-- Name: merchant_deliveries_order_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX merchant_deliveries_order_index ON public.merchant_deliveries USING btree (endpoint_id, payment_id) WHERE ((delivered_at IS NULL) AND (gave_up_at IS NULL));


--
-- Name: merchant_events_created_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX merchant_events_created_index ON public.merchant_events USING btree (created_at);


--
-- Name: payment_idempotency_keys_created_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_idempotency_keys_created_index ON public.payment_idempotency_keys USING btree (created_at);


--
-- Name: payment_refunds_due_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_refunds_due_index ON public.payment_refunds USING btree (due_at) WHERE (due_at IS NOT NULL);


--
-- Name: payment_refunds_payment_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_refunds_payment_index ON public.payment_refunds USING btree (payment_id);


--
-- Name: payment_transactions_attention_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_attention_index ON public.payment_transactions USING btree (updated_at DESC, id DESC) WHERE needs_attention;


--
-- Name: payment_transactions_checkout_token_index; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX payment_transactions_checkout_token_index ON public.payment_transactions USING btree (checkout_token) WHERE (checkout_token IS NOT NULL);


--
-- Name: payment_transactions_due_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_due_index ON public.payment_transactions USING btree (due_at) WHERE (due_at IS NOT NULL);


--
-- Name: payment_transactions_newest_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_newest_index ON public.payment_transactions USING btree (created_at DESC, id DESC);


--
-- Name: payment_transactions_orphans_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_orphans_index ON public.payment_transactions USING btree (due_at) WHERE ((status)::text = 'created'::text);


--
-- Name: payment_transactions_status_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_status_index ON public.payment_transactions USING btree (status);


--
-- Name: payment_transactions_user_id_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_user_id_index ON public.payment_transactions USING btree (user_id);


--
-- Name: payment_transactions_user_newest_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_user_newest_index ON public.payment_transactions USING btree (user_id, created_at DESC, id DESC);


--
-- Name: payment_transactions_user_rare_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_transactions_user_rare_index ON public.payment_transactions USING btree (user_id, status, created_at DESC, id DESC) WHERE ((status)::text = ANY (ARRAY['failure'::text, 'deny'::text, 'cancel'::text, 'partial_refund'::text, 'refund'::text, 'partial_chargeback'::text, 'chargeback'::text]));


--
-- Name: payment_webhook_events_due_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_webhook_events_due_index ON public.payment_webhook_events USING btree (due_at) WHERE (is_verified AND (NOT processed) AND (processing_error IS NULL));


--
-- Name: payment_webhook_events_failed_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_webhook_events_failed_index ON public.payment_webhook_events USING btree (received_at, id) WHERE ((NOT processed) AND (processing_error IS NOT NULL));


--
-- Name: payment_webhook_events_forged_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_webhook_events_forged_index ON public.payment_webhook_events USING btree (received_at) WHERE forged;


--
-- Name: payment_webhook_events_midtrans_transaction_id_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_webhook_events_midtrans_transaction_id_index ON public.payment_webhook_events USING btree (midtrans_transaction_id);


--
-- Name: payment_webhook_events_newest_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_webhook_events_newest_index ON public.payment_webhook_events USING btree (received_at, id);


--
-- Name: payment_webhook_events_order_id_index; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_webhook_events_order_id_index ON public.payment_webhook_events USING btree (order_id);


--
-- Name: merchant_deliveries merchant_deliveries_event_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.merchant_deliveries
    ADD CONSTRAINT merchant_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.merchant_events(id) ON DELETE CASCADE;


--
-- Name: merchant_events merchant_events_payment_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.merchant_events
    ADD CONSTRAINT merchant_events_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES public.payment_transactions(id);


--
-- Name: payment_events payment_events_payment_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_events
    ADD CONSTRAINT payment_events_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES public.payment_transactions(id);


--
-- Name: payment_idempotency_keys payment_idempotency_keys_payment_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_idempotency_keys
    ADD CONSTRAINT payment_idempotency_keys_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES public.payment_transactions(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: payment_refunds payment_refunds_payment_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_refunds
    ADD CONSTRAINT payment_refunds_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES public.payment_transactions(id);


--
-- Name: payment_transactions payment_transactions_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment_transactions
    ADD CONSTRAINT payment_transactions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id);


--
-- PostgreSQL database dump complete
--

\unrestrict dbmate


--
-- Dbmate schema migrations
--

INSERT INTO public.schema_migrations (version) VALUES
    ('20261123000001'),
    ('20261123000002'),
    ('20261123000003'),
    ('20261123000004'),
    ('20261125000001'),
    ('20261125000002'),
    ('20261125000003'),
    ('20261125000004'),
    ('20261125000005'),
    ('20261126000001'),
    ('20261126000002'),
    ('20261126000003');
