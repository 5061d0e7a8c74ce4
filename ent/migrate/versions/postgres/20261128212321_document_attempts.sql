-- Modify "sessions" table
ALTER TABLE "sessions" ADD COLUMN "document_front_attempts" bigint NOT NULL DEFAULT 0, ADD COLUMN "document_back_attempts" bigint NOT NULL DEFAULT 0;
