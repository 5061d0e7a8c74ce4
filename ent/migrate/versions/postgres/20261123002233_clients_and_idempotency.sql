-- Modify "clients" table
ALTER TABLE "clients" ADD COLUMN "scopes" jsonb NULL, ADD COLUMN "origins" jsonb NULL, ADD COLUMN "requests_per_second" double precision NULL, ADD COLUMN "external_id" character varying NULL;
-- Create index "oauthclient_external_id" to table: "clients"
CREATE UNIQUE INDEX "oauthclient_external_id" ON "clients" ("external_id");
-- Modify "idempotency_keys" table
ALTER TABLE "idempotency_keys" DROP COLUMN "key_id", DROP COLUMN "status", ADD COLUMN "user_id" character varying NOT NULL, ADD COLUMN "effect" boolean NOT NULL;
-- Create index "idempotencykey_user_id_effect" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_user_id_effect" ON "idempotency_keys" ("user_id", "effect");
-- Modify "outboxes" table
ALTER TABLE "outboxes" ADD COLUMN "request_id" character varying NULL;
