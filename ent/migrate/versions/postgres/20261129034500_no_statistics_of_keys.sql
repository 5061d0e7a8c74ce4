-- The planner's statistics repeat values of a column, and would keep a wrapped key after it was destroyed. Those that were
-- gathered go with the change of type, which changes nothing else.
ALTER TABLE "data_keys" ALTER COLUMN "wrapped" SET STATISTICS 0, ALTER COLUMN "wrapped" TYPE bytea;
ALTER TABLE "system_keys" ALTER COLUMN "wrapped" SET STATISTICS 0, ALTER COLUMN "wrapped" TYPE bytea;
