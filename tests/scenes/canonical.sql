-- What the raw tables mean, written by hand and apart from the mapping files.
-- Every raw column is text. What cannot be read is null, an unknown code is UNKNOWN.

CREATE MACRO significant(code) AS (
    CASE
        WHEN code = '' OR NOT regexp_full_match(code, '[0-9]+') THEN NULL
        WHEN substr(rpad(code, 12, '0'), 3) = '0000000000' THEN code[:2]
        WHEN substr(rpad(code, 12, '0'), 5) = '00000000' THEN code[:4]
        WHEN substr(rpad(code, 12, '0'), 7) = '000000' THEN code[:6]
        WHEN substr(rpad(code, 12, '0'), 10) = '000' THEN code[:9]
        ELSE code
    END
);
CREATE MACRO padded(code, digits) AS (
    CASE WHEN length(code) = digits THEN significant(code) END
);
-- Everything dates and times are written as; times become UTC, and China is eight hours ahead.
CREATE MACRO day8(word) AS (
    CASE WHEN regexp_full_match(word, '[0-9]{8}') AND word <> '00000000'
        THEN try_cast(word[:4] || '-' || word[5:6] || '-' || word[7:] AS date) END
);
CREATE MACRO month6(word) AS (day8(word || '01'));
CREATE MACRO iso_day(word) AS (try_cast(nullif(word, '') AS date));
CREATE MACRO china(word) AS (try_cast(nullif(word[:19], '') AS timestamp) - INTERVAL 8 HOUR);
CREATE MACRO greenwich(word) AS (try_cast(nullif(word[:19], '') AS timestamp));
CREATE MACRO milliseconds(word) AS (epoch_ms(try_cast(word AS bigint)));

CREATE TABLE "Resident" AS SELECT
    rybh AS "number",
    upper(gmsfhm) AS "idNumber",
    rtrim(xm, ' ') AS "name",
    CASE xb WHEN '1' THEN 'MALE' WHEN '2' THEN 'FEMALE' WHEN '9' THEN 'UNSTATED'
        ELSE CASE WHEN xb IS NOT NULL THEN 'UNKNOWN' END END AS "sex",
    mz AS "nation",
    day8(csrq) AS "birthDate",
    hh AS "householdNumber",
    CASE WHEN yhzgx = '01' THEN 'SELF' WHEN yhzgx = '02' THEN 'HEAD'
        WHEN yhzgx IN ('10', '11', '12') THEN 'SPOUSE'
        WHEN yhzgx IN ('20', '21', '22') THEN 'SON'
        WHEN yhzgx IN ('30', '31', '32') THEN 'DAUGHTER'
        WHEN yhzgx IN ('40', '41', '42') THEN 'GRANDCHILD'
        WHEN yhzgx IN ('50', '51', '52') THEN 'PARENT'
        WHEN yhzgx IN ('60', '61', '62') THEN 'GRANDPARENT'
        WHEN yhzgx IN ('70', '71', '75') THEN 'SIBLING'
        WHEN yhzgx IN ('97', '99') THEN 'OTHER'
        WHEN yhzgx IS NOT NULL THEN 'UNKNOWN' END AS "relationToHead",
    significant(hjdxzqh) AS "registeredDivision",
    padded(jzdxzqh, 12) AS "residenceDivision",
    padded(jcwh, 12) AS "village",
    dz AS "address",
    day8(swrq) AS "deathDate",
    china(gxsj) AS "updatedAt"
FROM raw_population.ck_rk;

CREATE TABLE "Household" AS SELECT
    hh AS "number",
    upper(hzsfzh) AS "headIdNumber",
    dz AS "address",
    padded(xzqh, 12) AS "division",
    padded(jcwh, 12) AS "village",
    CASE hlx WHEN '1' THEN 'FAMILY' WHEN '2' THEN 'COLLECTIVE'
        ELSE CASE WHEN hlx IS NOT NULL THEN 'UNKNOWN' END END AS "kind",
    cast(rks AS integer) AS "size",
    china(gxsj) AS "updatedAt"
FROM raw_population.ck_hu;

CREATE TABLE "SocialInsurance" AS SELECT
    upper(person.AAC002) AS "idNumber",
    CASE insured.AAE140 WHEN '110' THEN 'EMPLOYEE_PENSION' WHEN '120' THEN 'PUBLIC_PENSION'
        WHEN '170' THEN 'RESIDENT_PENSION' WHEN '210' THEN 'UNEMPLOYMENT'
        WHEN '410' THEN 'WORK_INJURY' WHEN '510' THEN 'MATERNITY'
        ELSE CASE WHEN insured.AAE140 IS NOT NULL THEN 'UNKNOWN' END END AS "kind",
    CASE insured.AAC008 WHEN '1' THEN 'ACTIVE' WHEN '2' THEN 'SUSPENDED' WHEN '4' THEN 'ENDED'
        ELSE CASE WHEN insured.AAC008 IS NOT NULL THEN 'UNKNOWN' END END AS "state",
    day8(insured.AAC030) AS "startedOn",
    month6(insured.AAE042) AS "endedIn",
    cast(insured.AAE201 AS integer) AS "paidMonths",
    CASE insured.AAC084 WHEN '1' THEN TRUE WHEN '0' THEN FALSE END AS "drawsPension"
FROM raw_social_security.AC02 AS insured
JOIN raw_social_security.AC01 AS person ON person.AAC001 = insured.AAC001;

CREATE TABLE "MedicalEnrollment" AS SELECT
    upper(certno) AS "idNumber",
    CASE insutype WHEN '310' THEN 'EMPLOYEE' WHEN '390' THEN 'RESIDENT'
        ELSE CASE WHEN insutype IS NOT NULL THEN 'UNKNOWN' END END AS "kind",
    CASE psn_insu_stas WHEN '1' THEN 'ACTIVE' WHEN '2' THEN 'SUSPENDED' WHEN '4' THEN 'ENDED'
        ELSE CASE WHEN psn_insu_stas IS NOT NULL THEN 'UNKNOWN' END END AS "state",
    day8(psn_insu_date) AS "startedOn",
    milliseconds(updt_time) AS "updatedAt"
FROM raw_medical_insurance.psn_insu;

CREATE TABLE "HousingFundAccount" AS SELECT
    upper(ZJHM) AS "idNumber",
    CASE GRZHZT WHEN '01' THEN 'ACTIVE' WHEN '02' THEN 'SEALED' WHEN '03' THEN 'CLOSED'
        ELSE CASE WHEN GRZHZT IS NOT NULL THEN 'UNKNOWN' END END AS "state",
    day8(KHRQ) AS "openedOn",
    month6(JZNY) AS "paidUntil"
FROM raw_housing_fund.GRZHXX;

CREATE TABLE "Assistance" AS SELECT
    upper(axdf0004) AS "headIdNumber",
    CASE abax6002 WHEN '110' THEN 'URBAN_MINIMUM_ALLOWANCE' WHEN '120' THEN 'RURAL_MINIMUM_ALLOWANCE'
        WHEN '131' THEN 'URBAN_DESTITUTE' WHEN '132' THEN 'RURAL_DESTITUTE'
        WHEN '500' THEN 'TEMPORARY' WHEN '600' THEN 'MARGINAL' WHEN '650' THEN 'RIGID_EXPENDITURE'
        ELSE CASE WHEN abax6002 IS NOT NULL THEN 'UNKNOWN' END END AS "kind",
    CASE axdf0040 WHEN '1' THEN 'ACTIVE' WHEN '3' THEN 'ENDED'
        ELSE CASE WHEN axdf0040 IS NOT NULL THEN 'UNKNOWN' END END AS "state",
    iso_day(axdf0021) AS "approvedOn",
    iso_day(axdf0022) AS "endedOn",
    cast(axdf0030 AS decimal(12, 2)) AS "amount",
    cast(axdf0005 AS integer) AS "memberCount"
FROM raw_civil_affairs.axdf;

CREATE TABLE "HouseholdMonitoring" AS SELECT
    register_no AS "householdNumber",
    upper(head_certificate_no) AS "headIdNumber",
    CASE category WHEN 'MINIMUM_LIVING' THEN 'MINIMUM_LIVING_ALLOWANCE'
        WHEN 'SPECIAL_HARDSHIP' THEN 'DESTITUTE' WHEN 'MARGINAL' THEN 'MARGINAL'
        WHEN 'RIGID_EXPENDITURE' THEN 'RIGID_EXPENDITURE' WHEN 'POVERTY_RISK' THEN 'POVERTY_RISK'
        WHEN 'LOW_INCOME' THEN 'OTHER_LOW_INCOME'
        ELSE CASE WHEN category IS NOT NULL THEN 'UNKNOWN' END END AS "category",
    alert_level AS "level",
    CASE state WHEN 'MONITORED' THEN 'ACTIVE' WHEN 'SUSPENDED' THEN 'SUSPENDED'
        WHEN 'LIFTED' THEN 'ENDED' END AS "state",
    iso_day(verified_on) AS "verifiedOn",
    cast(open_warnings AS integer) AS "openWarningCount"
FROM raw_low_income_platform.household;

CREATE TABLE "HouseholdVisit" AS SELECT
    "户编号" AS "householdNumber",
    day8("走访日期") AS "visitedOn",
    CASE "走访情况" WHEN '正常' THEN 'WELL' WHEN '家中无人' THEN 'NOBODY_HOME'
        WHEN '需要帮扶' THEN 'NEEDS_HELP' WHEN '安全隐患' THEN 'HAZARD'
        ELSE 'UNKNOWN' END AS "finding",
    cast("照片数" AS integer) AS "photos"
FROM raw_grid_visits.wgzf;

-- A case has one home: the system of the acting department if it keeps cases, else the platform.
CREATE TABLE "Case" AS
SELECT
    project_no AS "number",
    dept_name AS "department",
    rtrim(applyer_name, ' ') AS "applicantName",
    upper(applyer_idcard) AS "applicantIdNumber",
    CASE applyer_type WHEN '1' THEN 'PERSON' WHEN '2' THEN 'COMPANY' END AS "applicantType",
    CASE apply_type WHEN '1' THEN 'WINDOW' WHEN '2' THEN 'ONLINE' WHEN '3' THEN 'COURIER' END
        AS "channel",
    CASE
        WHEN handle_status IN ('8', '10') THEN 'DRAFT'
        WHEN handle_status IN ('12', '16', '24') THEN 'SUBMITTED'
        WHEN handle_status = '14' THEN 'PRECHECK_RETURNED'
        WHEN handle_status = '26' THEN 'RECEIVED'
        WHEN handle_status = '28' THEN 'CORRECTION'
        WHEN handle_status = '30' THEN 'ACCEPTED'
        WHEN handle_status = '37' THEN 'SUSPENDED'
        WHEN handle_status = '40' THEN 'REJECTED'
        WHEN handle_status = '50' THEN 'APPROVED'
        WHEN handle_status = '90' THEN 'CLOSED'
        WHEN handle_status = '97' THEN 'NOT_ACCEPTED'
        WHEN handle_status = '98' THEN 'WITHDRAWN'
        WHEN handle_status = '99' THEN 'TERMINATED'
        ELSE 'UNKNOWN'
    END AS "status",
    china(apply_date) AS "appliedAt",
    china(accept_date) AS "acceptedAt",
    day8(promise_date) AS "promisedOn",
    milliseconds(finish_time) AS "closedAt",
    padded(area_code, 12) AS "acceptingDivision",
    greenwich(cd_time) AS "updatedAt"
FROM raw_service_platform.up_pro_accept
WHERE dept_name IS NULL OR dept_name NOT IN ('民政', '人社', '市监')
UNION ALL
SELECT
    axbj0001,
    '民政',
    rtrim(axbj0002, ' '),
    upper(axbj0004),
    CASE axbj0003 WHEN '1' THEN 'PERSON' WHEN '2' THEN 'COMPANY' END,
    CASE axbj0012 WHEN 'A' THEN 'WINDOW' WHEN 'B' THEN 'ONLINE' WHEN 'C' THEN 'COURIER' END,
    CASE
        WHEN axbj0013 = '00' THEN 'DRAFT'
        WHEN axbj0013 = '10' THEN 'SUBMITTED'
        WHEN axbj0013 = '11' THEN 'PRECHECK_RETURNED'
        WHEN axbj0013 = '12' THEN 'RECEIVED'
        WHEN axbj0013 = '13' THEN 'CORRECTION'
        WHEN axbj0013 IN ('20', '21', '22') THEN 'ACCEPTED'
        WHEN axbj0013 = '29' THEN 'SUSPENDED'
        WHEN axbj0013 = '30' THEN 'APPROVED'
        WHEN axbj0013 = '31' THEN 'REJECTED'
        WHEN axbj0013 IN ('40', '41') THEN 'CLOSED'
        WHEN axbj0013 = '51' THEN 'NOT_ACCEPTED'
        WHEN axbj0013 = '52' THEN 'WITHDRAWN'
        WHEN axbj0013 = '53' THEN 'TERMINATED'
        ELSE 'UNKNOWN'
    END,
    china(axbj0021),
    china(axbj0022),
    day8(axbj0023),
    china(axbj0024),
    padded(abax9999, 9),
    china(azzx0014)
FROM raw_civil_affairs.axbj
UNION ALL
SELECT
    AAZ002,
    '人社',
    AAC003,
    upper(AAC002),
    CASE AAC058 WHEN '1' THEN 'PERSON' WHEN '2' THEN 'COMPANY' END,
    CASE AAA131 WHEN '11' THEN 'WINDOW' WHEN '12' THEN 'ONLINE' WHEN '19' THEN 'COURIER' END,
    CASE AAE016
        WHEN '0' THEN 'DRAFT' WHEN '1' THEN 'SUBMITTED' WHEN '2' THEN 'PRECHECK_RETURNED'
        WHEN '3' THEN 'RECEIVED' WHEN '4' THEN 'CORRECTION' WHEN '5' THEN 'ACCEPTED'
        WHEN '6' THEN 'SUSPENDED' WHEN '7' THEN 'APPROVED' WHEN '8' THEN 'REJECTED'
        WHEN '9' THEN 'CLOSED' WHEN '-1' THEN 'NOT_ACCEPTED' WHEN '-2' THEN 'WITHDRAWN'
        WHEN '-3' THEN 'TERMINATED' ELSE 'UNKNOWN'
    END,
    china(AAE127),
    milliseconds(AAE128),
    day8(nullif(AAE031, '0')),
    china(AAE129),
    padded(AAB301, 12),
    china(AAE036)
FROM raw_social_security.AZ02
UNION ALL
SELECT
    CASENO,
    '市监',
    APPNAME,
    upper(CERNO),
    CASE APPTYPE WHEN 'P' THEN 'PERSON' WHEN 'E' THEN 'COMPANY' END,
    CASE APPWAY WHEN 'WINDOW' THEN 'WINDOW' WHEN 'NET' THEN 'ONLINE' WHEN 'POST' THEN 'COURIER' END,
    CASE CASESTATE
        WHEN 'DRAFT' THEN 'DRAFT' WHEN 'SUBMIT' THEN 'SUBMITTED' WHEN 'RETURN' THEN 'PRECHECK_RETURNED'
        WHEN 'RECEIVE' THEN 'RECEIVED' WHEN 'SUPPLEMENT' THEN 'CORRECTION'
        WHEN 'ACCEPT' THEN 'ACCEPTED' WHEN 'SUSPEND' THEN 'SUSPENDED' WHEN 'APPROVE' THEN 'APPROVED'
        WHEN 'REFUSE' THEN 'REJECTED' WHEN 'FINISH' THEN 'CLOSED' WHEN 'ARCHIVE' THEN 'CLOSED'
        WHEN 'NOACCEPT' THEN 'NOT_ACCEPTED' WHEN 'WITHDRAW' THEN 'WITHDRAWN'
        WHEN 'STOP' THEN 'TERMINATED' ELSE 'UNKNOWN'
    END,
    china(APPTIME),
    china(ACCTIME),
    iso_day(PROMDATE),
    milliseconds(ENDTIME),
    padded(ACCORG, 12),
    china(LASTTIME)
FROM raw_market_regulation.E_CASEINFO;
