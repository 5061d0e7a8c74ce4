-- Create "captures" table
CREATE TABLE `captures` (`id` text NOT NULL, `side` text NOT NULL, `file_type` text NOT NULL, `step` integer NOT NULL DEFAULT (0), `blob_key` text NOT NULL, `content_type` text NOT NULL, `size` integer NOT NULL, `width` integer NOT NULL, `height` integer NOT NULL, `digest_term` text NOT NULL, `superseded` bool NOT NULL DEFAULT (false), `analysis_status` text NOT NULL DEFAULT ('pending'), `analysis_code` text NULL, `hints` json NULL, `analysis_sealed` blob NULL, `created_at` datetime NOT NULL, `analyzed_at` datetime NULL, `session_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `captures_sessions_captures` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE NO ACTION);
-- Create index "capture_session_id_side" to table: "captures"
CREATE INDEX `capture_session_id_side` ON `captures` (`session_id`, `side`);
-- Create index "capture_digest_term" to table: "captures"
CREATE INDEX `capture_digest_term` ON `captures` (`digest_term`);
-- Create "checks" table
CREATE TABLE `checks` (`id` text NOT NULL, `name` text NOT NULL, `state` text NOT NULL, `value` real NULL, `reason` text NULL, `evidence_sealed` blob NULL, `created_at` datetime NOT NULL, `session_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `checks_sessions_checks` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE NO ACTION);
-- Create index "check_session_id_name" to table: "checks"
CREATE UNIQUE INDEX `check_session_id_name` ON `checks` (`session_id`, `name`);
-- Create "consents" table
CREATE TABLE `consents` (`id` text NOT NULL, `consented` bool NOT NULL, `created_at` datetime NOT NULL, `session_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `consents_sessions_consents` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE NO ACTION);
-- Create "data_keys" table
CREATE TABLE `data_keys` (`id` text NOT NULL, `purpose` text NOT NULL, `wrapped` blob NULL, `created_at` datetime NOT NULL, `destroyed_at` datetime NULL, PRIMARY KEY (`id`));
-- Create "decisions" table
CREATE TABLE `decisions` (`id` text NOT NULL, `weights_id` text NOT NULL, `score` real NOT NULL, `verified` bool NOT NULL, `verdict` text NOT NULL, `reasons` json NOT NULL, `versions` json NOT NULL, `pieces_sealed` blob NULL, `created_at` datetime NOT NULL, `session_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `decisions_sessions_decision` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE NO ACTION);
-- Create index "decisions_session_id_key" to table: "decisions"
CREATE UNIQUE INDEX `decisions_session_id_key` ON `decisions` (`session_id`);
-- Create "deliveries" table
CREATE TABLE `deliveries` (`id` text NOT NULL, `client_id` text NOT NULL, `session_id` text NULL, `event_id` text NOT NULL, `event_type` text NOT NULL, `body` blob NOT NULL, `status` text NOT NULL DEFAULT ('pending'), `attempts` integer NOT NULL DEFAULT (0), `last_status` integer NULL, `last_code` text NULL, `created_at` datetime NOT NULL, `delivered_at` datetime NULL, `webhook_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `deliveries_webhooks_deliveries` FOREIGN KEY (`webhook_id`) REFERENCES `webhooks` (`id`) ON DELETE SET NULL);
-- Create index "delivery_webhook_id_status" to table: "deliveries"
CREATE INDEX `delivery_webhook_id_status` ON `deliveries` (`webhook_id`, `status`);
-- Create index "delivery_session_id" to table: "deliveries"
CREATE INDEX `delivery_session_id` ON `deliveries` (`session_id`);
-- Create index "delivery_event_id_webhook_id" to table: "deliveries"
CREATE UNIQUE INDEX `delivery_event_id_webhook_id` ON `deliveries` (`event_id`, `webhook_id`);
-- Create "documents" table
CREATE TABLE `documents` (`id` text NOT NULL, `type` text NOT NULL, `data_source` text NOT NULL, `merged` bool NOT NULL DEFAULT (false), `fields_sealed` blob NULL, `created_at` datetime NOT NULL, `session_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `documents_sessions_documents` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE NO ACTION);
-- Create index "document_session_id" to table: "documents"
CREATE INDEX `document_session_id` ON `documents` (`session_id`);
-- Create "face_encodings" table
CREATE TABLE `face_encodings` (`id` text NOT NULL, `user_id` text NOT NULL, `key_id` text NOT NULL, `session_id` text NULL, `capture_id` text NULL, `source` text NOT NULL, `encoder` text NOT NULL, `vector_sealed` blob NULL, `created_at` datetime NOT NULL, `identity_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `face_encodings_identities_encodings` FOREIGN KEY (`identity_id`) REFERENCES `identities` (`id`) ON DELETE SET NULL);
-- Create index "faceencoding_session_id" to table: "face_encodings"
CREATE INDEX `faceencoding_session_id` ON `face_encodings` (`session_id`);
-- Create index "faceencoding_identity_id" to table: "face_encodings"
CREATE INDEX `faceencoding_identity_id` ON `face_encodings` (`identity_id`);
-- Create index "faceencoding_user_id_encoder" to table: "face_encodings"
CREATE INDEX `faceencoding_user_id_encoder` ON `face_encodings` (`user_id`, `encoder`);
-- Create "histories" table
CREATE TABLE `histories` (`id` text NOT NULL, `at` datetime NOT NULL, `actor` text NOT NULL, `event` text NOT NULL, `from` text NULL, `to` text NULL, `detail` json NULL, `session_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `histories_sessions_history` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE NO ACTION);
-- Create index "history_session_id_at" to table: "histories"
CREATE INDEX `history_session_id_at` ON `histories` (`session_id`, `at`);
-- Create "idempotency_keys" table
CREATE TABLE `idempotency_keys` (`id` text NOT NULL, `client_id` text NOT NULL, `key_id` text NOT NULL, `route` text NOT NULL, `key_hash` text NOT NULL, `body_hash` text NOT NULL, `status` integer NOT NULL DEFAULT (0), `answer_sealed` blob NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "idempotencykey_client_id_route_key_hash" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_client_id_route_key_hash` ON `idempotency_keys` (`client_id`, `route`, `key_hash`);
-- Create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_expires_at` ON `idempotency_keys` (`expires_at`);
-- Create "identities" table
CREATE TABLE `identities` (`id` text NOT NULL, `client_id` text NOT NULL, `key_id` text NOT NULL, `person_sealed` blob NULL, `metadata_sealed` blob NULL, `score` real NULL, `created_at` datetime NOT NULL, `verified_at` datetime NULL, `anonymized_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `identities_users_identities` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- Create index "identity_user_id_created_at" to table: "identities"
CREATE INDEX `identity_user_id_created_at` ON `identities` (`user_id`, `created_at`);
-- Create "liveness_challenges" table
CREATE TABLE `liveness_challenges` (`id` text NOT NULL, `session_id` text NOT NULL, `steps` json NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `used_at` datetime NULL, PRIMARY KEY (`id`));
-- Create index "livenesschallenge_session_id" to table: "liveness_challenges"
CREATE INDEX `livenesschallenge_session_id` ON `liveness_challenges` (`session_id`);
-- Create "locations" table
CREATE TABLE `locations` (`id` text NOT NULL, `capture_type` text NOT NULL, `place_sealed` blob NULL, `created_at` datetime NOT NULL, `session_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `locations_sessions_locations` FOREIGN KEY (`session_id`) REFERENCES `sessions` (`id`) ON DELETE NO ACTION);
-- Create "clients" table
CREATE TABLE `clients` (`id` text NOT NULL, `key_id` text NOT NULL, `name` text NOT NULL, `secret_hash` blob NOT NULL, `webhook_secret_sealed` blob NULL, `created_at` datetime NOT NULL, `revoked_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `clients_users_clients` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- Create index "oauthclient_user_id" to table: "clients"
CREATE INDEX `oauthclient_user_id` ON `clients` (`user_id`);
-- Create "outboxes" table
CREATE TABLE `outboxes` (`id` text NOT NULL, `kind` text NOT NULL, `subject_id` text NOT NULL, `session_id` text NULL, `sent` integer NOT NULL DEFAULT (0), `starts` integer NOT NULL DEFAULT (0), `next_at` datetime NOT NULL, `created_at` datetime NOT NULL, `done_at` datetime NULL, `code` text NULL, PRIMARY KEY (`id`));
-- Create index "outbox_done_at_next_at" to table: "outboxes"
CREATE INDEX `outbox_done_at_next_at` ON `outboxes` (`done_at`, `next_at`);
-- Create index "outbox_subject_id_kind" to table: "outboxes"
CREATE INDEX `outbox_subject_id_kind` ON `outboxes` (`subject_id`, `kind`);
-- Create "requirements" table
CREATE TABLE `requirements` (`id` text NOT NULL, `user_id` text NULL, `client_id` text NULL, `type` text NOT NULL, `data_source` text NOT NULL, `required` json NOT NULL, `updated_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "requirement_user_id_client_id_type_data_source" to table: "requirements"
CREATE INDEX `requirement_user_id_client_id_type_data_source` ON `requirements` (`user_id`, `client_id`, `type`, `data_source`);
-- Create "search_terms" table
CREATE TABLE `search_terms` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `user_id` text NOT NULL, `owner` text NOT NULL, `owner_id` text NOT NULL, `field` text NOT NULL, `term` text NOT NULL);
-- Create index "searchterm_user_id_owner_field_term" to table: "search_terms"
CREATE INDEX `searchterm_user_id_owner_field_term` ON `search_terms` (`user_id`, `owner`, `field`, `term`);
-- Create index "searchterm_owner_owner_id_field_term" to table: "search_terms"
CREATE UNIQUE INDEX `searchterm_owner_owner_id_field_term` ON `search_terms` (`owner`, `owner_id`, `field`, `term`);
-- Create "sessions" table
CREATE TABLE `sessions` (`id` text NOT NULL, `key_id` text NOT NULL, `weights_id` text NOT NULL, `kind` text NOT NULL, `status` text NOT NULL DEFAULT ('in_progress'), `document_type` text NOT NULL DEFAULT ('unknown'), `liveness_mode` text NOT NULL, `liveness_provider` text NOT NULL, `created_at` datetime NOT NULL, `expires_at` datetime NOT NULL, `consented` bool NULL, `consented_at` datetime NULL, `document_front_given_at` datetime NULL, `document_back_given_at` datetime NULL, `selfie_given_at` datetime NULL, `liveness_detected` bool NULL, `liveness_detected_at` datetime NULL, `dmv_status` text NOT NULL DEFAULT ('unknown'), `dmv_detected_at` datetime NULL, `ofac_status` text NOT NULL DEFAULT ('unknown'), `ofac_detected_at` datetime NULL, `on_sanction_list` bool NULL, `finalize_requested_at` datetime NULL, `completed_at` datetime NULL, `verified` bool NULL, `verified_at` datetime NULL, `authenticated` bool NULL, `score` real NULL, `attempts` integer NOT NULL DEFAULT (0), `blocked_until` datetime NULL, `person_sealed` blob NULL, `metadata_sealed` blob NULL, `sdk_metadata_sealed` blob NULL, `settings_sealed` blob NULL, `webhook_url_sealed` blob NULL, `anonymized_at` datetime NULL, `deleted_at` datetime NULL, `identity_id` text NULL, `client_id` text NOT NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `sessions_identities_sessions` FOREIGN KEY (`identity_id`) REFERENCES `identities` (`id`) ON DELETE SET NULL, CONSTRAINT `sessions_clients_sessions` FOREIGN KEY (`client_id`) REFERENCES `clients` (`id`) ON DELETE NO ACTION, CONSTRAINT `sessions_users_sessions` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- Create index "session_user_id_created_at" to table: "sessions"
CREATE INDEX `session_user_id_created_at` ON `sessions` (`user_id`, `created_at`);
-- Create index "session_client_id_created_at" to table: "sessions"
CREATE INDEX `session_client_id_created_at` ON `sessions` (`client_id`, `created_at`);
-- Create index "session_status_expires_at" to table: "sessions"
CREATE INDEX `session_status_expires_at` ON `sessions` (`status`, `expires_at`);
-- Create index "session_identity_id" to table: "sessions"
CREATE INDEX `session_identity_id` ON `sessions` (`identity_id`);
-- Create "system_keys" table
CREATE TABLE `system_keys` (`id` text NOT NULL, `purpose` text NOT NULL, `wrapped` blob NOT NULL, `created_at` datetime NOT NULL, `retired_at` datetime NULL, PRIMARY KEY (`id`));
-- Create index "systemkey_purpose" to table: "system_keys"
CREATE INDEX `systemkey_purpose` ON `system_keys` (`purpose`);
-- Create "users" table
CREATE TABLE `users` (`id` text NOT NULL, `name` text NOT NULL, `created_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create "webhooks" table
CREATE TABLE `webhooks` (`id` text NOT NULL, `user_id` text NOT NULL, `key_id` text NOT NULL, `name` text NOT NULL, `url_sealed` blob NULL, `secret_sealed` blob NULL, `created_at` datetime NOT NULL, `failing_since` datetime NULL, `disabled_at` datetime NULL, `deleted_at` datetime NULL, `client_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `webhooks_clients_webhooks` FOREIGN KEY (`client_id`) REFERENCES `clients` (`id`) ON DELETE NO ACTION);
-- Create index "webhook_user_id" to table: "webhooks"
CREATE INDEX `webhook_user_id` ON `webhooks` (`user_id`);
-- Create index "webhook_client_id" to table: "webhooks"
CREATE INDEX `webhook_client_id` ON `webhooks` (`client_id`);
-- Create "weights_versions" table
CREATE TABLE `weights_versions` (`id` text NOT NULL, `user_id` text NULL, `client_id` text NULL, `values` blob NOT NULL, `created_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "weightsversion_user_id_client_id_created_at" to table: "weights_versions"
CREATE INDEX `weightsversion_user_id_client_id_created_at` ON `weights_versions` (`user_id`, `client_id`, `created_at`);
