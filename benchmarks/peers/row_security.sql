-- What PostGraphile is given: a role that sees its own range of divisions, relationships, and
-- functions for what the other servers do in code. Owners and superusers see all as before.
DO $$ BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DROP SCHEMA IF EXISTS clerk CASCADE;
CREATE SCHEMA clerk;
GRANT USAGE ON SCHEMA public, clerk TO clerk;
GRANT SELECT ON resident, household, case_file, matter TO clerk;

ALTER TABLE resident ENABLE ROW LEVEL SECURITY;
ALTER TABLE household ENABLE ROW LEVEL SECURITY;
ALTER TABLE case_file ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own_range ON resident;
DROP POLICY IF EXISTS own_range ON household;
DROP POLICY IF EXISTS own_range ON case_file;
CREATE POLICY own_range ON resident TO clerk USING (
  division >= current_setting('clerk.low') AND division < current_setting('clerk.high'));
CREATE POLICY own_range ON household TO clerk USING (
  division >= current_setting('clerk.low') AND division < current_setting('clerk.high'));
CREATE POLICY own_range ON case_file TO clerk USING (
  division >= current_setting('clerk.low') AND division < current_setting('clerk.high'));

COMMENT ON TABLE resident IS E'@unique id_number\n@foreignKey (household_number) references household (number)|@fieldName household|@foreignFieldName members';
COMMENT ON TABLE case_file IS E'@name case\n@foreignKey (applicant_id_number) references resident (id_number)|@fieldName applicant|@foreignFieldName cases\n@foreignKey (matter_code) references matter (code)|@fieldName matter|@foreignFieldName cases';

CREATE FUNCTION clerk.resident_masked_id_number(person public.resident) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT left(person.id_number, 3) || '***********' || right(person.id_number, 4)
$$;
CREATE TYPE clerk.case_count AS (matter_code text, status text, count int);
CREATE FUNCTION clerk.case_counts(township text) RETURNS SETOF clerk.case_count
LANGUAGE sql STABLE AS $$
  SELECT matter_code, status, count(*)::int FROM public.case_file
  WHERE division >= township AND division < (township::bigint + 1)::text
  GROUP BY matter_code, status ORDER BY matter_code, status
$$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA clerk TO clerk;
