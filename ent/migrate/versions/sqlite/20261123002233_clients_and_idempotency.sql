-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Create "new_idempotency_keys" table
CREATE TABLE `new_idempotency_keys` (`id` text NOT NULL, `user_id` text NOT NULL, `client_id` text NOT NULL, `route` text NOT NULL, `key_hash` text NOT NULL, `body_hash` text NOT NULL, `effect` bool NOT NULL, `answer_sealed` blob NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Copy rows from old table "idempotency_keys" to new temporary table "new_idempotency_keys"
INSERT INTO `new_idempotency_keys` (`id`, `client_id`, `route`, `key_hash`, `body_hash`, `answer_sealed`, `created_at`, `expires_at`) SELECT `id`, `client_id`, `route`, `key_hash`, `body_hash`, `answer_sealed`, `created_at`, `expires_at` FROM `idempotency_keys`;
-- Drop "idempotency_keys" table after copying rows
DROP TABLE `idempotency_keys`;
-- Rename temporary table "new_idempotency_keys" to "idempotency_keys"
ALTER TABLE `new_idempotency_keys` RENAME TO `idempotency_keys`;
-- Create index "idempotencykey_client_id_route_key_hash" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_client_id_route_key_hash` ON `idempotency_keys` (`client_id`, `route`, `key_hash`);
-- Create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_expires_at` ON `idempotency_keys` (`expires_at`);
-- Create index "idempotencykey_user_id_effect" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_user_id_effect` ON `idempotency_keys` (`user_id`, `effect`);
-- Create "new_clients" table
CREATE TABLE `new_clients` (`id` text NOT NULL, `key_id` text NOT NULL, `name` text NOT NULL, `secret_hash` blob NOT NULL, `webhook_secret_sealed` blob NULL, `scopes` json NULL, `origins` json NULL, `requests_per_second` real NULL, `external_id` text NULL, `created_at` datetime NOT NULL, `revoked_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `clients_users_clients` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- Copy rows from old table "clients" to new temporary table "new_clients"
INSERT INTO `new_clients` (`id`, `key_id`, `name`, `secret_hash`, `webhook_secret_sealed`, `created_at`, `revoked_at`, `user_id`) SELECT `id`, `key_id`, `name`, `secret_hash`, `webhook_secret_sealed`, `created_at`, `revoked_at`, `user_id` FROM `clients`;
-- Drop "clients" table after copying rows
DROP TABLE `clients`;
-- Rename temporary table "new_clients" to "clients"
ALTER TABLE `new_clients` RENAME TO `clients`;
-- Create index "oauthclient_user_id" to table: "clients"
CREATE INDEX `oauthclient_user_id` ON `clients` (`user_id`);
-- Create index "oauthclient_external_id" to table: "clients"
CREATE UNIQUE INDEX `oauthclient_external_id` ON `clients` (`external_id`);
-- Add column "request_id" to table: "outboxes"
ALTER TABLE `outboxes` ADD COLUMN `request_id` text NULL;
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
