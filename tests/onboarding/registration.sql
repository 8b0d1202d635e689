-- What Chinook does not know: which customers are enterprises, and where they are registered. Credit
-- codes are made up. The views give what the graph may have, and nothing of private customers.

CREATE TABLE Registration (
    CustomerId INTEGER NOT NULL PRIMARY KEY REFERENCES Customer (CustomerId),
    CreditCode TEXT NOT NULL,
    Division TEXT NOT NULL
);

INSERT INTO Registration VALUES
(1, '91329900MA9990001Q', '320205106000'),
(5, '91329900MA99900055', '320205106000'),
(10, '91329900MA9990010N', '320205106000'),
(11, '91329900MA9990011R', '320205106000'),
(12, '91329900MA9990012W', '320205107000'),
(14, '91329900MA99900143', '320205107000'),
(15, '91329900MA99900156', '320205107000'),
(16, '91329900MA99900169', '320411107000'),
(17, '91329900MA9990017C', '320411107000'),
(19, '91329900MA9990019J', '320411107000');

CREATE VIEW EnterpriseCustomer AS
SELECT r.CustomerId, r.CreditCode, c.Company, c.Address, r.Division
FROM Registration AS r JOIN Customer AS c ON c.CustomerId = r.CustomerId;

CREATE VIEW Purchase AS
SELECT i.InvoiceId, i.CustomerId, date(i.InvoiceDate) AS BoughtOn, i.Total
FROM Invoice AS i JOIN Registration AS r ON r.CustomerId = i.CustomerId;
