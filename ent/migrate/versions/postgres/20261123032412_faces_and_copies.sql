-- Modify "captures" table
ALTER TABLE "captures" ADD COLUMN "asked" character varying NULL;
-- Modify "face_encodings" table
ALTER TABLE "face_encodings" ADD COLUMN "quality" double precision NOT NULL DEFAULT 0, ADD COLUMN "refreshed" boolean NOT NULL DEFAULT false;
-- Create index "faceencoding_user_id_created_at" to table: "face_encodings"
CREATE INDEX "faceencoding_user_id_created_at" ON "face_encodings" ("user_id", "created_at");
-- Modify "identities" table
ALTER TABLE "identities" ADD COLUMN "failed_authentications" bigint NOT NULL DEFAULT 0, ADD COLUMN "blocked_until" timestamptz NULL;
-- Modify "liveness_challenges" table
ALTER TABLE "liveness_challenges" ADD COLUMN "nonce" character varying NULL, ADD COLUMN "provider_session" character varying NULL, ADD COLUMN "outcome_sealed" bytea NULL;
-- Create "fingerprints" table
CREATE TABLE "fingerprints" ("id" character varying NOT NULL, "user_id" character varying NOT NULL, "session_id" character varying NOT NULL, "capture_id" character varying NOT NULL, "key_id" character varying NOT NULL, "hashes_sealed" bytea NULL, "created_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- Create index "fingerprint_session_id" to table: "fingerprints"
CREATE INDEX "fingerprint_session_id" ON "fingerprints" ("session_id");
-- Create index "fingerprint_user_id_created_at" to table: "fingerprints"
CREATE INDEX "fingerprint_user_id_created_at" ON "fingerprints" ("user_id", "created_at");
