// Runs graphql-http's server audits: node audit.mjs MODULES URL TOKEN; prints one JSON line each.
import { createRequire } from "node:module";

const [modules, url, token] = process.argv.slice(2);
const { serverAudits } = createRequire(`${modules}/`)("graphql-http");

function fetchFn(address, options = {}) {
  return fetch(address, {
    ...options,
    headers: { ...options.headers, authorization: `Bearer ${token}` },
  });
}

for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  const reason = result.status === "ok" ? "" : String(result.reason);
  console.log(JSON.stringify({ id: audit.id, name: audit.name, status: result.status, reason }));
}
