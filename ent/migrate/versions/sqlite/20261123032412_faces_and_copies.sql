-- Disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- Add column "asked" to table: "captures"
ALTER TABLE `captures` ADD COLUMN `asked` text NULL;
-- Create "new_face_encodings" table
CREATE TABLE `new_face_encodings` (`id` text NOT NULL, `user_id` text NOT NULL, `key_id` text NOT NULL, `session_id` text NULL, `capture_id` text NULL, `source` text NOT NULL, `encoder` text NOT NULL, `quality` real NOT NULL DEFAULT (0), `refreshed` bool NOT NULL DEFAULT (false), `vector_sealed` blob NULL, `created_at` datetime NOT NULL, `identity_id` text NULL, PRIMARY KEY (`id`), CONSTRAINT `face_encodings_identities_encodings` FOREIGN KEY (`identity_id`) REFERENCES `identities` (`id`) ON DELETE SET NULL);
-- Copy rows from old table "face_encodings" to new temporary table "new_face_encodings"
INSERT INTO `new_face_encodings` (`id`, `user_id`, `key_id`, `session_id`, `capture_id`, `source`, `encoder`, `vector_sealed`, `created_at`, `identity_id`) SELECT `id`, `user_id`, `key_id`, `session_id`, `capture_id`, `source`, `encoder`, `vector_sealed`, `created_at`, `identity_id` FROM `face_encodings`;
-- Drop "face_encodings" table after copying rows
DROP TABLE `face_encodings`;
-- Rename temporary table "new_face_encodings" to "face_encodings"
ALTER TABLE `new_face_encodings` RENAME TO `face_encodings`;
-- Create index "faceencoding_session_id" to table: "face_encodings"
CREATE INDEX `faceencoding_session_id` ON `face_encodings` (`session_id`);
-- Create index "faceencoding_identity_id" to table: "face_encodings"
CREATE INDEX `faceencoding_identity_id` ON `face_encodings` (`identity_id`);
-- Create index "faceencoding_user_id_encoder" to table: "face_encodings"
CREATE INDEX `faceencoding_user_id_encoder` ON `face_encodings` (`user_id`, `encoder`);
-- Create index "faceencoding_user_id_created_at" to table: "face_encodings"
CREATE INDEX `faceencoding_user_id_created_at` ON `face_encodings` (`user_id`, `created_at`);
-- Create "new_identities" table
CREATE TABLE `new_identities` (`id` text NOT NULL, `client_id` text NOT NULL, `key_id` text NOT NULL, `person_sealed` blob NULL, `metadata_sealed` blob NULL, `score` real NULL, `failed_authentications` integer NOT NULL DEFAULT (0), `blocked_until` datetime NULL, `created_at` datetime NOT NULL, `verified_at` datetime NULL, `anonymized_at` datetime NULL, `user_id` text NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `identities_users_identities` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION);
-- Copy rows from old table "identities" to new temporary table "new_identities"
INSERT INTO `new_identities` (`id`, `client_id`, `key_id`, `person_sealed`, `metadata_sealed`, `score`, `created_at`, `verified_at`, `anonymized_at`, `user_id`) SELECT `id`, `client_id`, `key_id`, `person_sealed`, `metadata_sealed`, `score`, `created_at`, `verified_at`, `anonymized_at`, `user_id` FROM `identities`;
-- Drop "identities" table after copying rows
DROP TABLE `identities`;
-- Rename temporary table "new_identities" to "identities"
ALTER TABLE `new_identities` RENAME TO `identities`;
-- Create index "identity_user_id_created_at" to table: "identities"
CREATE INDEX `identity_user_id_created_at` ON `identities` (`user_id`, `created_at`);
-- Add column "nonce" to table: "liveness_challenges"
ALTER TABLE `liveness_challenges` ADD COLUMN `nonce` text NULL;
-- Add column "provider_session" to table: "liveness_challenges"
ALTER TABLE `liveness_challenges` ADD COLUMN `provider_session` text NULL;
-- Add column "outcome_sealed" to table: "liveness_challenges"
ALTER TABLE `liveness_challenges` ADD COLUMN `outcome_sealed` blob NULL;
-- Create "fingerprints" table
CREATE TABLE `fingerprints` (`id` text NOT NULL, `user_id` text NOT NULL, `session_id` text NOT NULL, `capture_id` text NOT NULL, `key_id` text NOT NULL, `hashes_sealed` blob NULL, `created_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- Create index "fingerprint_user_id_created_at" to table: "fingerprints"
CREATE INDEX `fingerprint_user_id_created_at` ON `fingerprints` (`user_id`, `created_at`);
-- Create index "fingerprint_session_id" to table: "fingerprints"
CREATE INDEX `fingerprint_session_id` ON `fingerprints` (`session_id`);
-- Enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
